"""What the six steps say to a parent, line by line of the acceptance list."""

import re
from collections.abc import Sequence
from typing import Final

import pytest
from playwright.async_api import Locator, Page, expect

from tests.journeys.looker import INSTANT, Looker
from tests.showroom.room import Room

pytestmark = pytest.mark.browser

_GUARDIAN_ASKS: Final = (
    "Civilité (obligatoire)",
    "Nom (obligatoire)",
    "Prénom (obligatoire)",
    "Date de naissance",
    "Lieu de naissance",
    "Département de naissance",
    "Situation familiale",
    "Code socio-professionnel",
    "Profession",
    "Adresse (obligatoire)",
    "Code postal (obligatoire)",
    "Ville (obligatoire)",
    "Tél domicile",
    "Mobile",
    "Tél pro",
    "Tél supplémentaire 1",
    "Tél supplémentaire 2",
    "Tél supplémentaire 3",
)
_STUDENT_ASKS: Final = (
    *_GUARDIAN_ASKS[:3],
    "Date de naissance (obligatoire)",
    *_GUARDIAN_ASKS[4:7],
    *_GUARDIAN_ASKS[9:15],
    "E-mail",
    "Personne à prévenir",
    "Tél urgence",
    "Niveau scolaire",
    "Établissement scolaire",
)


@pytest.fixture
def parent(room: Room, page: Page) -> Looker:
    return Looker(room, page)


@pytest.mark.spec("S23", "S24")
async def test_before_opening_the_page_says_when_and_what_can_be_prepared(parent: Looker) -> None:
    await parent.at("accueil-avant-ouverture")
    await parent.reads(INSTANT)
    await parent.at("etape-4-ouverture-proche")
    await parent.reads("Le choix des cours ouvrira le", INSTANT)
    for step in ("Modification des coordonnées", "Autorisations", "Documents"):
        await expect(parent.main.get_by_role("link", name=step).first).to_be_visible()


@pytest.mark.spec("S24")
async def test_a_draft_left_at_closing_is_read_and_said_not_to_be_sent(parent: Looker) -> None:
    await parent.at("brouillon")
    await parent.reads("votre demande n'a pas été transmise", "21 sentier des Vignes")
    await expect(parent.main.get_by_role("button")).to_have_count(0)
    await parent.at("campagne-close-en-tapant")
    await parent.reads("Votre envoi n'a pas été enregistré", "Orchestre d'harmonie")
    await parent.reads("01 99 00 10 10")


@pytest.mark.spec("S30", "S31", "S32")
async def test_the_coordinates_ask_for_each_field_and_mark_the_mandatory_ones(
    parent: Looker,
) -> None:
    await parent.at("etape-1")
    for name, asked in (("Responsable 1", _GUARDIAN_ASKS), ("Élève", _STUDENT_ASKS)):
        section = parent.main.get_by_role("group", name=name)
        found = await parent.words_of(section.locator("label"))
        assert [text for text in asked if text not in found] == []
    city = parent.page.get_by_label("Ville").first
    await expect(city).to_have_value("Meudon")
    mandatory = parent.main.locator("label", has_text="(obligatoire)")
    optional = parent.main.locator("label:not(:has-text('(obligatoire)'))")
    colours = {await _field_colour(parent.page, each) for each in (mandatory, optional)}
    assert len(colours) == 2


@pytest.mark.spec("S32")
async def test_what_a_campaign_has_no_need_for_is_not_asked(parent: Looker) -> None:
    await parent.at("etape-1-champs-retires")
    labels = await parent.words_of(parent.main.locator("label"))
    assert "Profession" in labels
    assert not {"Situation familiale", "Code socio-professionnel"} & set(labels)


@pytest.mark.spec("S33")
async def test_a_changed_value_is_marked(parent: Looker) -> None:
    for name, value in (("famille", "Luthière"), ("eleve-identite", "Collège Rabelais")):
        await parent.at(name)
        row = parent.main.locator(".govuk-summary-list__row").filter(has_text=value)
        await expect(row).to_contain_text("Élément modifié")


@pytest.mark.spec("S40")
async def test_both_authorisations_are_asked_without_an_answer_given(parent: Looker) -> None:
    await parent.at("etape-2-erreurs")
    for question in ("Droit à l'image", "Autorisation de sortie"):
        answers = parent.page.get_by_role("group", name=question).get_by_role("radio")
        await expect(answers).to_have_count(2)
        for answer in await answers.all():
            await expect(answer).not_to_be_checked()
    await parent.reads("Il y a un problème", "J'autorise le conservatoire à photographier")


@pytest.mark.spec("S50", "S53", "S54", "S55")
async def test_the_documents_are_two_lists_of_pieces_in_every_state(parent: Looker) -> None:
    await parent.at("etape-3")
    lists = [parent.table(f"Pièces à fournir - {whose}") for whose in ("Famille", "Élève")]
    for each in lists:
        heads = await each.locator("thead th").all_text_contents()
        assert [text.strip() for text in heads[:7]] == [
            "Nom du document",
            "Nom du fichier",
            "Date",
            "Heure",
            "Taille (Mo)",
            "État",
            "Consulter",
        ]
    for state in ("À fournir", "Analyse en cours", "Déposée", "Validée", "Refusée"):
        await expect(lists[0]).to_contain_text(state)
    await expect(lists[0]).to_contain_text("Motif : La page est illisible.")
    for action in ("Importer", "Supprimer", "Consulter"):
        await expect(lists[0].get_by_role("link", name=action).first).to_be_visible()
    unread = lists[0].get_by_role("row").filter(has_text="Analyse en cours")
    await expect(unread.get_by_role("link", name="Consulter")).to_have_count(0)
    await expect(parent.page.get_by_role("searchbox")).to_be_visible()
    await parent.reads("vous pouvez déposer vos pièces plus tard", INSTANT)
    await parent.reads("le tarif plafond est appliqué", "Aucune pièce n'est acceptée par e-mail")


@pytest.mark.spec("S51")
async def test_the_limit_and_the_formats_are_beside_the_field_and_in_its_error(
    parent: Looker,
) -> None:
    await parent.at("piece-trop-lourde")
    await parent.reads("Formats acceptés : PDF, JPG ou PNG, 2 Mo au plus")
    await parent.reads("Le fichier est trop lourd (3,1 Mo) : 2 Mo au plus")


@pytest.mark.spec("S55")
async def test_giving_nothing_is_a_choice_that_can_be_taken_back(parent: Looker) -> None:
    await parent.at("piece-a-fournir")
    await parent.reads("Déclaration de non remise", "le tarif plafond sera appliqué", INSTANT)
    await expect(
        parent.main.get_by_role("button", name="Je ne remets pas cette pièce")
    ).to_be_visible()
    await parent.at("piece-non-remise")
    await parent.reads("Vous avez déclaré le")
    await expect(
        parent.main.get_by_role("button", name="Annuler cette déclaration")
    ).to_be_visible()


@pytest.mark.spec("S54")
async def test_a_passed_deadline_is_said_and_nothing_can_be_sent(parent: Looker) -> None:
    await parent.at("eleve-documents-delai-passe")
    await expect(parent.main.get_by_role("link", name="Importer")).to_have_count(0)
    await parent.reads(INSTANT)


@pytest.mark.spec("S60", "S61", "S62")
async def test_a_row_a_course_says_its_slots_or_why_there_are_none(parent: Looker) -> None:
    await parent.at("etape-4")
    heads = parent.table("Cours suivis cette année").locator("thead th")
    assert [text.strip() for text in await heads.all_text_contents()] == [
        "Cursus",
        "Cours",
        "Horaires aménagés",
        "Cycle",
        "Actif",
        "Réinscription",
        "Cours disponible",
    ]
    theory = parent.page.get_by_role("row").filter(has_text="Formation musicale")
    await theory.get_by_role("checkbox").check()
    slot = theory.get_by_role("radio", name="FM 2.1 (33) - JEUDI - 17.00 à 18.30")
    await expect(slot).to_have_accessible_description("3 places")
    full = theory.get_by_role("radio", name="FM 2.1 (35) - MARDI - 17.00 à 18.30")
    await expect(full).to_be_disabled()
    await expect(full).to_have_accessible_description("Complet")
    await expect(theory.get_by_role("button", name="Rejoindre la liste d'attente")).to_be_visible()
    for course, why in (
        ("Orchestre", "Attribué d'office selon le niveau"),
        ("Trompette", "Horaire à fixer avec le professeur début septembre"),
        ("Chœur", "Classe à horaires aménagés (CHAM) : aucun horaire à choisir"),
    ):
        row = parent.page.get_by_role("row").filter(has_text=course)
        await expect(row).to_contain_text(why)
        await expect(row.get_by_role("checkbox")).to_be_enabled()
        await expect(row.get_by_role("radio")).to_have_count(0)


@pytest.mark.spec("S64")
async def test_two_courses_at_the_same_time_are_refused_beside_the_row(parent: Looker) -> None:
    await parent.at("etape-4-meme-heure")
    await parent.reads("Il y a un problème", "a lieu en même temps que Chant choral")
    chosen = parent.page.get_by_role("radio", name="FM 2.1 (34)")
    await expect(chosen).to_be_checked()


@pytest.mark.spec("S68")
async def test_the_free_text_prompts_for_what_may_matter(parent: Looker) -> None:
    await parent.at("etape-4")
    remarks = parent.page.get_by_label("Information complémentaire")
    await expect(remarks).to_have_accessible_description(
        re.compile(
            "un autre conservatoire.+frère ou une sœur.+deux souhaits d'instrument.+ensemble"
        )
    )
    await parent.at("etape-5")
    await expect(remarks).to_have_value("Orchestre d'harmonie, si possible.")
    await expect(remarks).to_be_editable()


@pytest.mark.spec("S70")
async def test_the_recap_gathers_everything_before_it_is_accepted(parent: Looker) -> None:
    await parent.at("etape-5")
    titles = await parent.words_of(parent.main.locator(".govuk-summary-card__title"))
    wanted: Sequence[str] = ("Responsable 1", "Élève", "Autorisations", "Documents", "Cours")
    assert [title for title in wanted if title not in titles] == []
    await parent.reads("Récapitulatif de la réinscription", "FM 2.1 (33) - JEUDI - 17.00 à 18.30")
    await parent.reads("Déposée (domicile.pdf)", "Luthière", "Je certifie que les renseignements")
    await parent.at("etape-5-sans-accord")
    await parent.reads("Cochez « J'accepte » pour valider votre demande")


@pytest.mark.spec("S72", "S73", "S74")
async def test_a_filed_request_says_what_is_kept_and_what_comes_next(parent: Looker) -> None:
    await parent.at("etape-6")
    await expect(parent.page.get_by_role("heading", level=1)).to_contain_text(
        "Réinscription terminée"
    )
    await parent.reads(
        "Votre demande de réinscription a bien été prise en compte.",
        "Un e-mail vous a été envoyé à l'adresse nicole.test@familles.example",
        "MEU-2027-000042-1",
        "Télécharger l'accusé de réception (PDF)",
        "Renvoyer l'accusé de réception",
        re.compile(f"Reçue le {INSTANT.pattern}"),
        "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        "Ceci est une demande",
        "Retirer la demande",
    )


@pytest.mark.spec("S75")
async def test_a_receipt_stays_in_the_portal_where_no_mail_can_be_sent(parent: Looker) -> None:
    await parent.at("etape-6-sans-adresse")
    await parent.reads("MEU-2027-000042-1", "Télécharger l'accusé de réception (PDF)")
    await expect(parent.main).not_to_contain_text("Un e-mail vous a été envoyé")
    await parent.at("etape-6-non-remis")
    await parent.reads("MEU-2027-000042-1", "Télécharger l'accusé de réception (PDF)")


async def _field_colour(page: Page, labels: Locator) -> str:
    """The background of the field of the first text label."""
    field = page.locator(f"#{await labels.locator('visible=true').first.get_attribute('for')}")
    colour: str = await field.evaluate("(field) => getComputedStyle(field).backgroundColor")
    return colour
