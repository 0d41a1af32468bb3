import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from gateway.assets import PACKAGE_FILES, Assets
from gateway.formats import day, file_size, instant, phone, rank, semicolon, time_left, whose
from gateway.forms import Day, Email, Form, YesNo
from gateway.language import reading
from gateway.rendering import Visitor, breakable, environment, in_french, template_config
from gateway.theme import DEFAULT_THEME, load_theme
from jinja2 import DictLoader, UndefinedError
from jinja2.loaders import ChoiceLoader
from litestar import Litestar, get
from litestar.config.csrf import CSRFConfig
from litestar.response import Template
from litestar.template.config import TemplateConfig
from litestar.testing import RequestFactory, TestClient
from pydantic import BaseModel, Field
from shared.contracts.courses import Hold
from shared.identifiers import new_id

NOW = datetime(2026, 12, 22, 11, 0, tzinfo=UTC)
HELD = Hold(
    id=new_id(),
    student_id=new_id(),
    follow_id=new_id(),
    course_id=new_id(),
    label="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
    state="held",
    expires_at=NOW + timedelta(minutes=20),
)


class Contact(BaseModel):
    name: str = Field(title="votre nom")
    born_on: Day = Field(title="votre date de naissance")
    email: Email | None = Field(None, title="votre e-mail")
    city: Literal["Meudon", "Sèvres"] = Field(title="votre ville")
    image: YesNo = Field(title="votre réponse sur le droit à l'image")
    notes: str = Field("", title="vos remarques")
    password: str = Field(title="votre mot de passe")
    accepted: YesNo = Field(default=False, title="votre accord")


PAGE = """
{% extends "layout.html" %}
{% from "macros/fields.html" import field, password, textarea, select, choice, tick, upload %}
{% from "macros/forms.html" import post_to, upload_to, submit, wizard_buttons %}
{% from "macros/content.html" import steps, summary, data_table %}
{% from "macros/seats.html" import hold %}
{% block title %}Coordonnées{% endblock %}
{% block content %}
{{ steps(2, ["/etape/1"]) }}
{% call post_to("/etape/2", csrf_token()) %}
{{ field(form, "name", "Nom", required=true, autocomplete="family-name") }}
{{ field(form, "born_on", "Date de naissance", type="day") }}
{{ field(form, "email", "E-mail", type="email", hint="Pour vos accusés de réception") }}
{{ select(form, "city", "Ville", [("Meudon", "Meudon"), ("Sèvres", "Sèvres")]) }}
{{ choice(form, "image", "Droit à l'image") }}
{{ textarea(form, "notes", "Information complémentaire") }}
{{ password(form, "password", "Mot de passe") }}
{{ tick(form, "accepted", "J'accepte") }}
{{ wizard_buttons() }}
{% endcall %}
{% call upload_to("/pieces", csrf_token(), "/ticket", "/registered", 2097152) %}
{{ upload("file", "Justificatif", 2097152, error="Ce n'est pas un PDF") }}{{ submit("Importer") }}
{% endcall %}
{{ hold(held, now, "/cours") }}
{{ summary("Responsable", [("Nom", "TEST"), ("Mobile", none)], "/etape/1") }}
{{ data_table("Pièces", ["Nom", "État"], [["<RIB>", govukTag({"text": "Validée"})]]) }}
{{ data_table("Cours", ["Nom", "Horaire"], []) }}
{% endblock %}
"""


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    for name in PACKAGE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return Assets(load_theme(DEFAULT_THEME), tmp_path)


def render(assets: Assets, form: Form[Contact], **context: object) -> str:
    """Render the sample page as the application would."""

    @get("/famille/identite", sync_to_thread=False)
    def sample() -> Template:
        return Template(
            "sample.html",
            context={"form": form, "forms": [form], "now": NOW, "held": HELD, **context},
        )

    config = template_config(assets)
    engine = config.engine_instance.engine
    assert engine.loader is not None
    engine.loader = ChoiceLoader([DictLoader({"sample.html": PAGE}), engine.loader])
    app = Litestar(
        [sample],
        template_config=TemplateConfig(instance=config.engine_instance),
        csrf_config=CSRFConfig(secret="s" * 32),
        debug=True,
    )
    with TestClient(app) as client:
        response = client.get("/famille/identite")
    assert response.status_code == 200, response.text
    return re.sub(r"[ \n]+", " ", response.text)


@pytest.fixture
def refused() -> Form[Contact]:
    return Form.read(
        Contact, [("name", "<TEST>"), ("born_on", "31/02/1996"), ("password", "secret-typed")]
    )


@pytest.fixture
def page(assets: Assets, refused: Form[Contact]) -> str:
    visitor = Visitor("Madame TEST Nicole", "Conservatoire de Meudon")
    return render(assets, refused, visitor=visitor, notices=["La facturation est indisponible."])


def test_a_page_is_french_and_has_one_main_heading(page: str) -> None:
    assert '<html lang="fr"' in page
    assert page.count("<h1") == 1
    assert "Aller au contenu principal" in page


def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)
    assert "GOV.UK" not in page
    assert "crown" not in page


def test_none_of_the_english_that_components_have_by_default_is_left(page: str) -> None:
    for english in ("Error:", "There is a problem", "Show", "Hide", "Choose", "Skip", "Service "):
        assert english not in page


def test_a_page_with_errors_says_so_first_in_its_title_then_in_a_linked_summary(page: str) -> None:
    assert "<title>Erreur\u00a0: Coordonnées - Conservatoire de Meudon - Rentrée</title>" in page
    assert "Il y a un problème" in page
    message = "Votre date de naissance\u00a0: écrivez une date qui existe, comme 22/12/2014"
    assert f'<a href="#born_on">{message}</a>' in page
    assert '<a href="#image">' in page
    assert 'id="image"' in page
    assert 'aria-describedby="born_on-hint born_on-error"' in page


def test_what_was_typed_is_shown_again_but_a_password_never(page: str) -> None:
    assert 'value="&lt;TEST&gt;"' in page
    assert 'value="31/02/1996"' in page
    assert "secret-typed" not in page


def test_a_mandatory_field_is_marked_by_a_word(page: str) -> None:
    label = re.search(r'<label[^>]*for="name">(.*?)</label>', page)
    assert label is not None
    assert "(obligatoire)" in label[1]
    optional = re.search(r'<label[^>]*for="email">(.*?)</label>', page)
    assert optional is not None
    assert "(obligatoire)" not in optional[1]


def test_a_page_without_errors_has_no_summary(assets: Assets) -> None:
    form = Form.of(
        Contact(name="TEST", born_on=date(1996, 2, 29), city="Sèvres", image=True, password="x")
    )
    page = render(assets, form)
    assert "<title>Coordonnées - Rentrée</title>" in page
    assert "Il y a un problème" not in page
    assert 'value="29/02/1996"' in page
    assert '<option value="Sèvres" selected>' in page
    assert re.search(r'value="oui" checked', page)


def test_the_menu_is_for_the_signed_in_and_signs_out_by_a_posted_form(
    page: str, assets: Assets, refused: Form[Contact]
) -> None:
    menu = page[page.index("<nav aria-label") : page.index("</nav>")]
    entries = re.findall(r">\s*([A-ZÉ][\w ]+?)\s*</(?:a|strong|button)>", menu)
    assert entries == [
        "Menu",
        "Accueil",
        "Famille",
        "Élèves",
        "Facturation",
        "Accessibilité",
        "Mot de passe",
        "Déconnexion",
    ]
    assert re.search(r'href="/famille" aria-current="true"', menu)
    assert re.search(r'<form action="/deconnexion" method="post">.*name="_csrf_token"', menu)
    assert "Bonjour Madame TEST Nicole" in page
    assert "Déconnexion" not in render(assets, refused)


def test_what_is_unavailable_is_said_above_the_page(page: str) -> None:
    assert page.index("La facturation est indisponible.") < page.index("<h1")


def test_every_form_carries_the_token_that_proves_where_it_came_from(page: str) -> None:
    forms = re.findall(r"<form.*?</form>", page)
    assert len(forms) == 3
    for form in forms:
        assert re.search(r'name="_csrf_token" value="\w{64,}"', form)


def test_the_progress_bar_names_six_steps_and_the_current_one(page: str) -> None:
    steps = page[page.index('aria-label="Étapes') : page.index("</ol>")]
    assert steps.count("<li") == 6
    assert re.search(r'aria-current="step"[^/]*>2</span>.*Autorisations', steps)
    assert re.search(r'href="/etape/1".*Modification des coordonnées', steps)
    assert "Étape 2 sur 6\u00a0: Autorisations" in steps


def test_the_enter_key_goes_to_the_next_step(page: str) -> None:
    assert page.index("étape suivante") < page.index("étape précédente")


def test_an_upload_states_its_limit_and_formats_and_what_was_wrong(page: str) -> None:
    assert "Formats acceptés\u00a0: PDF, JPG ou PNG, 2\u00a0Mo au plus." in page
    assert "Ce n&#39;est pas un PDF" in page
    assert 'data-ticket-url="/ticket" data-registered-url="/registered"' in page
    assert 'data-max-bytes="2097152"' in page


def test_a_held_place_shows_its_end_and_gives_both_clocks_to_the_script(page: str) -> None:
    assert "<strong data-hold-until>22/12/2026 à\u00a012:20</strong>" in page
    assert f'data-expires-at="{HELD.expires_at.isoformat()}" data-now="{NOW.isoformat()}"' in page


def test_a_held_place_whose_time_is_over_leads_to_choosing_again(assets: Assets) -> None:
    over = HELD.model_copy(update={"expires_at": NOW})
    page = render(assets, Form(Contact), held=over)
    assert "<div data-hold-kept hidden>" in page
    ended = "Le délai est écoulé pour cette place\u00a0:"
    assert f'data-hold-ended>{ended} <a class="govuk-link" href="/cours"' in page


def test_summaries_and_tables_escape_texts_and_keep_markup(page: str) -> None:
    assert "Non renseigné" in page
    assert "&lt;RIB&gt;" in page
    assert re.search(r'data-label="État">\s*<strong class="govuk-tag">\s*Validée', page)
    assert "Aucun élément." in page


@pytest.mark.parametrize(
    ("status", "context"),
    [
        ("403", {"text": "Trop tard."}),
        ("404", {}),
        ("500", {"reference": "abc"}),
        ("503", {"text": "Les cours sont indisponibles.", "retry_after": 5, "here": "/famille"}),
    ],
)
def test_error_pages_render_without_anybody_signed_in(
    assets: Assets, status: str, context: dict[str, object]
) -> None:
    request = RequestFactory().get("/famille")
    page = (
        environment(assets).get_template(f"errors/{status}.html").render(context, request=request)
    )
    assert page.count("<h1") == 1
    assert "Menu" not in page
    for shown in context.values():
        assert str(shown) in page


def test_a_name_that_a_page_was_not_given_is_an_error(assets: Assets) -> None:
    with pytest.raises(UndefinedError):
        environment(assets).from_string("{{ studnet }}").render()


def test_dates_and_hours_are_those_of_paris() -> None:
    late = datetime(2026, 12, 22, 23, 30, tzinfo=UTC)
    assert instant(NOW) == "22/12/2026 à 12:00"
    assert instant(datetime(2027, 6, 1, 10, 0, tzinfo=UTC)) == "01/06/2027 à 12:00"
    assert day(late) == "23/12/2026"
    assert day(date(2026, 12, 22)) == "22/12/2026"
    with pytest.raises(ValueError, match="time zone"):
        instant(late.replace(tzinfo=None) + timedelta(days=1))


def test_in_english_days_sizes_ranks_and_telephones_are_english() -> None:
    with reading("en"):
        assert instant(NOW) == "22 December 2026 at 12:00"
        assert day(date(2026, 12, 2)) == "2 December 2026"
        assert file_size(1_992_294) == "1.9\u00a0MB"
        assert [rank(each) for each in (1, 2, 3, 4, 11, 22)] == [
            "1st",
            "2nd",
            "3rd",
            "4th",
            "11th",
            "22nd",
        ]
        assert phone("01 99 00 10 10") == "+33 1 99 00 10 10"
        assert phone("+442079460000") == "+442079460000"
        assert time_left(NOW + timedelta(hours=2), NOW) == "2\u00a0hours"
        assert semicolon() == "; "
        assert whose("Émile TEST") == "Émile TEST"
    assert phone("01 99 00 10 10") == "01 99 00 10 10"
    assert semicolon() == "\u00a0; "
    assert whose("Émile TEST") == "d'Émile TEST"


def test_hours_and_addresses_are_broken_where_they_read_best() -> None:
    course = "FM 2.1 (33) - JEUDI - 17.00 à 18.30"
    assert in_french(course) == "FM 2.1 (33) - JEUDI - 17.00\u00a0à\u00a018.30"
    assert breakable("<ana>@familles.example") == "&lt;ana&gt;@<wbr>familles.example"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 Mo"),
        (1, "0,01 Mo"),
        (51_200, "0,05 Mo"),
        (1_992_294, "1,9 Mo"),
        (2 * 1024 * 1024, "2 Mo"),
        (2 * 1024 * 1024 + 1, "2,1 Mo"),
        (20 * 1024 * 1024, "20 Mo"),
    ],
)
def test_a_size_over_the_limit_never_reads_as_the_limit(size: int, text: str) -> None:
    assert file_size(size) == text.replace(" ", "\u00a0")
