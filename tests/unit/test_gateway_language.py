"""The portal in the reader's language: theirs by choice, else their browser's, else French."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from babel.messages.pofile import read_po
from gateway.app import MAX_BODY_BYTES
from gateway.language import (
    Language,
    catalogue_path,
    gettext,
    ngettext,
    preferred_language,
    reading,
)
from gateway.refusals import detail_of
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import ReleaseSeat
from shared.contracts.identity import ListSites
from shared.contracts.notifications import ChooseLanguage
from shared.identifiers import new_id

from tests.portal import Portal
from tests.portal_reader import SITE, Reader
from tests.showroom.exhibits import EXHIBITS
from tests.showroom.household import CALLER

ENGLISH = {"accept-language": "en-GB,en;q=0.9"}
READ_EXHIBITS = [exhibit for exhibit in EXHIBITS.values() if not exhibit.acts]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def reader(portal: Portal) -> Reader:
    return Reader(portal)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-US,en;q=0.9", "en"),
        ("en;q=0.5, fr;q=0.7", "fr"),
        ("de-DE, en;q=0.3", "en"),
        ("de, *;q=0.5", "fr"),
        ("en;q=0, de", "fr"),
        ("EN", "en"),
        ("en;q=many", "fr"),
        ("english", "fr"),
        (",;,", "fr"),
    ],
)
def test_a_browser_is_answered_in_the_language_it_would_rather_read(
    accepted: str, language: Language
) -> None:
    assert preferred_language(accepted) == language


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [(0, "0 place", "0 places"), (1, "1 place", "1 place"), (2, "2 places", "2 places")],
)
def test_each_language_has_its_plural(number: int, french: str, english: str) -> None:
    assert ngettext("%(num)s place", "%(num)s places", number) == french
    with reading("en"):
        assert ngettext("%(num)s place", "%(num)s places", number) == english


def test_french_marks_are_not_parted_from_what_they_end() -> None:
    assert gettext("Mot de passe oublié ?") == "Mot de passe oublié\u00a0?"
    with reading("en"):
        assert gettext("Mot de passe oublié ?") == "Forgotten your password?"


def test_a_page_says_which_language_it_is_in(portal: Portal) -> None:
    portal.reset({ListSites: (SITE,)})
    with portal.browser() as browser:
        french, english = browser.get("/connexion"), browser.get("/connexion", headers=ENGLISH)
    assert '<html lang="fr"' in french.text
    assert '<html lang="en"' in english.text
    assert "Se connecter" in french.text
    assert "Sign in" in english.text
    assert (french.headers["content-language"], english.headers["content-language"]) == ("fr", "en")
    assert {"Accept-Language", "Cookie"} <= set(english.headers["vary"].split(", "))


def test_what_the_reader_chose_counts_more_than_their_browser(portal: Portal) -> None:
    portal.reset({ListSites: (SITE,)})
    with portal.browser() as browser:
        page = browser.get("/connexion?suite=/famille").text
        (switch,) = re.findall(r'<a [^>]*href="(/langue/[^"]*)"[^>]*>English</a>', page)
        assert 'hreflang="en" lang="en"' in page
        answer = browser.get(unescape(switch), follow_redirects=False)
        assert answer.headers["location"] == "/connexion?suite=/famille"
        again = browser.get("/connexion", headers={"accept-language": "fr"}).text
    assert '<html lang="en"' in again
    assert re.search(r'href="/langue/fr\?[^"]*" hreflang="fr" lang="fr"', again)


def test_the_cookie_is_a_strictly_necessary_one(portal: Portal) -> None:
    portal.reset({})
    with portal.browser() as browser:
        cookie = browser.get("/langue/en", follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("langue=en;")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", ""],
)
def test_the_switch_leads_nowhere_else(portal: Portal, elsewhere: str) -> None:
    portal.reset({})
    with portal.browser() as browser:
        answer = browser.get("/langue/en", params={"suite": elsewhere}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/accueil"


@pytest.mark.parametrize("name", ["de", "EN", "en-GB"])
def test_a_language_that_is_not_ours_is_not_found(portal: Portal, name: str) -> None:
    portal.reset({})
    with portal.browser() as browser:
        answer = browser.get(f"/langue/{name}", follow_redirects=False)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers or "langue" not in answer.headers["set-cookie"]


def test_a_cookie_that_names_none_of_ours_is_as_good_as_none(portal: Portal) -> None:
    portal.reset({ListSites: (SITE,)})
    with portal.browser() as browser:
        browser.cookies.set("langue", "xx")
        assert '<html lang="en"' in browser.get("/", headers=ENGLISH).text


def test_a_page_that_answers_a_form_is_not_left_for_another_language(portal: Portal) -> None:
    portal.reset({ListSites: (SITE,)})
    with portal.browser() as browser:
        token = re.search(r'name="_csrf_token" value="([^"]*)"', browser.get("/connexion").text)
        assert token
        refused = browser.post("/connexion", data={"_csrf_token": token.group(1)})
    assert refused.status_code == 422
    assert "/langue/" not in refused.text


def test_the_mails_of_a_family_follow_its_choice(reader: Reader) -> None:
    reader.knows({ChooseLanguage: None})
    reader.read("/langue/en?suite=/accueil", status=303)
    assert ChooseLanguage(language="en") in reader.portal.services.asked


@pytest.mark.parametrize(("site", "follow"), [("same-origin", True), ("cross-site", False)])
def test_a_link_on_another_site_changes_no_mail(reader: Reader, site: str, follow: bool) -> None:
    reader.knows({ChooseLanguage: None})
    with reader.portal.browser(reader.caller) as browser:
        page = browser.get("/langue/en?suite=/accueil", headers={"sec-fetch-site": site})
    assert '<html lang="en"' in page.text
    assert (ChooseLanguage(language="en") in reader.portal.services.asked) is follow


def test_the_pages_change_language_where_the_mails_cannot(reader: Reader) -> None:
    reader.knows({ChooseLanguage: ServiceUnavailable("notifications")})
    with reader.portal.browser(reader.caller) as browser:
        page = browser.get("/langue/en?suite=/accueil").text
    assert '<html lang="en"' in page


def test_a_page_in_english_says_nothing_in_french(portal: Portal) -> None:
    french = only_french()
    said = {}
    with portal.browser() as visitor, portal.browser(CALLER) as family:
        for exhibit in READ_EXHIBITS:
            portal.reset(exhibit.answers())
            reader = family if exhibit.signed_in else visitor
            reader.cookies.set("langue", "en")
            answer = reader.get(exhibit.path)
            assert answer.status_code == exhibit.status, exhibit.name
            text = in_english(answer.text)
            said[exhibit.name] = [part for part in french if part in text]
    assert {name: parts for name, parts in said.items() if parts} == {}


def test_a_page_in_english_sets_no_mark_apart_as_french_does(portal: Portal) -> None:
    said = {}
    with portal.browser() as visitor, portal.browser(CALLER) as family:
        for exhibit in READ_EXHIBITS:
            portal.reset(exhibit.answers())
            reader = family if exhibit.signed_in else visitor
            reader.cookies.set("langue", "en")
            text = re.sub(r"<[^>]+>", "", in_english(reader.get(exhibit.path).text))
            said[exhibit.name] = re.findall(r"\w [:;?»](?!\S).{0,20}", text)
    assert {name: marks for name, marks in said.items() if marks} == {}


def only_french() -> list[str]:
    """The parts between values of every text that has a translation, but for the short ones."""
    with catalogue_path("en").open("rb") as file:
        messages = [message for message in read_po(file, locale="en") if message.id]
    texts = [
        text
        for message in messages
        for text in ((message.id,) if isinstance(message.id, str) else message.id)
    ]
    parts = {part.strip() for text in texts for part in re.split(r"%\(\w+\)s|%%|<[^>]*>", text)}
    told = "\n".join(str(message.string) for message in messages)
    return [part for part in parts if len(part) >= 15 and part not in told]


def in_english(page: str) -> str:
    """A page's text but for what it says to be French, and what its scripts look up."""
    kept = re.sub(r'<script.*?</script>|<(\w+)[^>]* lang="fr".*?</\1>', "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(kept))


def test_scripts_are_given_what_they_say_in_the_language_of_their_page(portal: Portal) -> None:
    portal.reset({ListSites: (SITE,)})
    with portal.browser() as browser:
        french, english = browser.get("/").text, browser.get("/", headers=ENGLISH).text
    assert 'id="texts"' not in french
    given = re.search(r'<script type="application/json" id="texts">(.*?)</script>', english)
    assert given
    assert "The file has arrived." in given.group(1)
    assert "Forgotten your password" not in given.group(1)


def test_the_api_says_a_problem_in_the_language_of_its_reader(portal: Portal) -> None:
    over = "La campagne de réinscription est terminée."
    portal.reset({ReleaseSeat: Rejection("campaign_closed", over)})
    with portal.program(CALLER) as program:
        french, english = (
            program.delete(f"/api/v1/holds/{new_id()}", headers={"accept-language": language})
            for language in ("fr", "en")
        )
    assert french.json()["detail"] == over
    assert english.json()["detail"] == "The re-enrolment campaign is over."
    for told in ("code", "title", "type", "facts"):
        assert french.json()[told] == english.json()[told]
    assert english.headers["content-language"] == "en"
    assert english.headers["vary"] == "Accept-Language"


_GUARDIAN = {
    "civility": "Docteur",
    "last_name": "L" * 201,
    "address": "21 sentier des Vignes",
    "postcode": "92190",
    "city": "Meudon",
    "mobile": "06",
    "email": "nicole",
}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "fr",
            {
                "civility": "civility : choisissez l'une des réponses proposées",
                "last_name": "last_name : 200 caractères au plus",
                "first_name": "Indiquez first_name",
                "mobile": "mobile : écrivez un numéro complet, comme 06 12 34 56 78",
                "email": "email : écrivez une adresse complète, comme nom@exemple.fr",
            },
        ),
        (
            "en",
            {
                "civility": "civility: choose one of the answers listed",
                "last_name": "last_name must be 200 characters or fewer",
                "first_name": "Enter first_name",
                "mobile": "mobile: enter a full number, like 06 12 34 56 78 or +44 20 7946 0000",
                "email": "email: enter a full address, like name@example.com",
            },
        ),
    ],
)
def test_the_api_says_what_is_wrong_with_a_field_in_the_language_of_its_reader(
    portal: Portal, language: str, told: dict[str, str]
) -> None:
    portal.reset({})
    path, asked_in = f"/api/v1/guardians/{new_id()}", {"accept-language": language}
    with portal.program(CALLER) as program:
        problem = program.put(path, json=_GUARDIAN, headers=asked_in).json()
    errors = problem["facts"]["errors"]
    assert {each["field"]: each["message"].replace("\u00a0", " ") for each in errors} == told
    assert all(each["reason"] for each in errors)


def test_the_api_says_a_rule_across_fields_and_an_unreadable_parameter_in_french(
    portal: Portal,
) -> None:
    portal.reset({})
    known = _GUARDIAN | {"civility": "Madame", "last_name": "T", "first_name": "N", "mobile": ""}
    with portal.program(CALLER) as program:
        alone = program.put(
            f"/api/v1/guardians/{new_id()}", json=known | {"email": "nicole@familles.example"}
        ).json()
        unknown = program.get("/api/v1/messages?before=hier").json()
    (rule,), (parameter,) = alone["facts"]["errors"], unknown["facts"]["errors"]
    assert rule["message"].startswith("Indiquez au moins un téléphone du responsable")
    assert parameter["message"].replace("\u00a0", " ") == "before : vérifiez votre réponse"


def test_what_no_service_has_seen_is_refused_in_english_too(portal: Portal) -> None:
    portal.reset({})
    with portal.program() as program:
        nowhere = program.get("/api/v1/nowhere", headers=ENGLISH).json()
        heavy = program.post(
            "/api/v1/session", content=b"x" * (MAX_BODY_BYTES + 1), headers=ENGLISH
        ).json()
    assert nowhere["detail"] == "This page or item does not exist."
    assert heavy["detail"] == "This request is too large."


def test_a_refusal_says_its_facts_as_its_reader_writes_them() -> None:
    closes_at = datetime(2027, 7, 1, 10, 0, tzinfo=UTC)
    closed = Rejection(
        "campaign_closed",
        "La campagne de réinscription est close depuis le %(closes_at)s."
        " Contactez votre conservatoire.",
        closes_at=closes_at.isoformat(),
    )
    lost = Rejection(
        "seat_not_held",
        "La place n'est plus retenue pour : %(labels)s."
        " Choisissez à nouveau un créneau à l'étape Cours.",
        labels=["Piano 1", "100 % jazz"],
    )
    step = Rejection(
        "steps_missing",
        "L'étape %(step)s (%(step_name)s) n'est pas terminée. Terminez-la pour continuer.",
        step=2,
        step_name="Autorisations",
        steps=[2, 3],
    )
    assert "01/07/2027 à 12:00" in detail_of(closed)
    assert "étape 2 (Autorisations)" in detail_of(step)
    with reading("en"):
        assert "1 July 2027 at 12:00" in detail_of(closed)
        assert "for: Piano 1, 100 % jazz." in detail_of(lost)
        assert "Step 2 (Permissions)" in detail_of(step)
