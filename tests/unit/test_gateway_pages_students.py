import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from shared.contract import Rejection
from shared.contracts.courses import CourseRows, FollowedCourses
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPiece,
    MissingPieces,
    OpenDocument,
    Pieces,
    Publication,
    PublishedDocuments,
)
from shared.contracts.enrolment import Application, ApplicationState, CourseChoice
from shared.contracts.files import DocumentLink
from shared.contracts.identity import MyFamily
from shared.identifiers import new_id

from gateway import formats
from tests.forms import words
from tests.portal import Portal
from tests.portal_reader import (
    ANA,
    DAY,
    LEO,
    NOW,
    Reader,
    a_campaign,
    a_family,
    a_place,
    an_application,
    offered,
    some_pieces,
)
from tests.wizard import a_hold, a_row, a_slot

TABS = ["identite", "cours", "historique", "reinscription", "documents"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def reader(gateway: Portal) -> Reader:
    return Reader(gateway)


def test_an_only_student_is_shown_at_once_and_several_are_listed(reader: Reader) -> None:
    choice = reader.read("/eleves")
    assert f'href="/eleves/{LEO.id}/identite"' in choice
    assert f'href="/eleves/{ANA.id}/identite"' in choice

    reader.knows({MyFamily: a_family(LEO)})
    with reader.portal.browser(reader.caller) as browser:
        answer = browser.get("/eleves", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/eleves/{LEO.id}/identite"


def test_identity_marks_what_the_family_has_changed(reader: Reader) -> None:
    page = reader.read(f"/eleves/{LEO.id}/identite")
    assert page.count("Élément modifié") == 1
    assert re.search(r"Ville.*?Meudon.*?Élément modifié", page)
    assert "14/07/2013" in page
    tabs = re.search(r'<nav class="rentree-tabs".*?</nav>', page)
    assert tabs is not None
    assert re.findall(r">([^<>]+)</a>", tabs[0]) == [
        "Identité",
        "Cours",
        "Historique",
        "Réinscription",
        "Mes Documents",
        "Changer d'élève",
    ]
    assert tabs[0].count('aria-current="page"') == 1


def test_this_years_courses_are_apart_from_those_of_earlier_years(reader: Reader) -> None:
    courses = reader.read(f"/eleves/{LEO.id}/cours")
    assert "FM 1.4 (12) - MERCREDI - 14.00 à 15.30" in courses
    assert "Mme ROUX" in courses
    assert "2025-2026" not in courses
    history = reader.read(f"/eleves/{LEO.id}/historique")
    assert "2026-2027" not in history
    assert history.index("2025-2026") < history.index("2024-2025")


def test_the_reenrolment_tab_is_about_one_student(reader: Reader) -> None:
    page = reader.read(f"/eleves/{LEO.id}/reinscription")
    assert "Je souhaite réinscrire Léo TEST" in page
    assert "Ana TEST" not in page


def test_the_reenrolment_tab_shows_each_rows_seat_rank_and_offer(reader: Reader) -> None:
    application = choosing("draft")
    reader.stands_at(application.campaign, application)
    slot = a_slot()
    held = a_row(slot)
    hold = a_hold(slot, held.follow_id)
    waits, offer = a_place(LEO.id), offered(a_place(LEO.id, "Piano 2 (4) - LUNDI"))
    reader.knows(
        {
            CourseRows: (
                held.model_copy(update={"hold": hold, "waiting": (waits,)}),
                a_row().model_copy(update={"course": "Piano 1 (3)", "waiting": (offer,)}),
                a_row().model_copy(update={"course": "Orchestre"}),
            )
        }
    )
    page = reader.read(f"/eleves/{LEO.id}/reinscription")
    assert (
        f"Place retenue jusqu'au <strong>{formats.instant(hold.expires_at)}</strong> : FM 2.1"
        in page
    )
    assert f"<strong>3e</strong> sur la liste d'attente : {waits.label}" in page
    assert page.index("Piano 1 (3)") < page.index("Une place vous est proposée jusqu'au")
    assert 'href="/liste-attente"' in page
    assert "Orchestre" not in page


def test_a_seat_of_a_submitted_request_has_no_end(reader: Reader) -> None:
    slot = a_slot()
    row = a_row(slot)
    hold = a_hold(slot, row.follow_id)
    choice = CourseChoice(
        follow_id=row.follow_id,
        re_enrol=True,
        label=slot.label,
        course_id=slot.course_id,
        hold_id=hold.id,
    )
    application = choosing("submitted").model_copy(update={"choices": (choice,)})
    reader.stands_at(application.campaign, application)
    reader.knows({CourseRows: (row.model_copy(update={"hold": hold}),)})
    page = reader.read(f"/eleves/{LEO.id}/reinscription")
    assert f"Place gardée pour votre demande : {slot.label}" in page
    assert "retenue jusqu'au" not in page


def test_a_seat_obtained_before_any_application_is_shown_too(reader: Reader) -> None:
    row = a_row()
    hold = a_hold(a_slot(), row.follow_id)
    reader.knows({CourseRows: (row.model_copy(update={"hold": hold}),)})
    page = reader.read(f"/eleves/{LEO.id}/reinscription?obtenue={hold.id}")
    assert f"Vous avez accepté la place : {hold.label}" in page
    assert "Terminer la réinscription" not in page
    assert "Je souhaite réinscrire Léo TEST" in page


def test_there_are_no_seats_to_ask_for_before_the_campaign_opens(reader: Reader) -> None:
    reader.stands_at(a_campaign(opens_in=DAY))
    reader.without("courses")
    assert "indisponibles" not in reader.read(f"/eleves/{LEO.id}/reinscription")


def choosing(state: ApplicationState) -> Application:
    """An application whose courses can be chosen."""
    return an_application(a_campaign(), state).model_copy(update={"step_reached": 5})


def test_the_documents_tab_lists_the_students_and_the_familys_pieces(reader: Reader) -> None:
    here = f"/eleves/{LEO.id}/documents"
    page = reader.read(here)
    assert page.index("Certificat médical DANSE") < page.index("Justificatif de domicile")
    assert "À fournir" in page
    assert "Déposée" in page
    assert ">1,9<" in page
    assert f'href="{here}/domicile/consulter"' in page


@pytest.mark.parametrize("state", ["draft", "submitted", "declined", None])
@pytest.mark.parametrize("path", [f"/eleves/{LEO.id}/documents", "/famille"])
def test_pieces_are_given_while_the_service_lets_them_whatever_the_application(
    reader: Reader, state: ApplicationState | None, path: str
) -> None:
    campaign = a_campaign(closes_in=-2 * DAY)
    reader.stands_at(campaign, *([an_application(campaign, state)] if state else []))
    folder = path.removesuffix("/documents") + "/documents"
    sending, removing = f'href="{folder}/domicile"', f'href="{folder}/domicile/supprimer"'
    page = reader.read(path)
    assert sending in page
    assert removing in page
    reader.knows({ListPieces: closed(some_pieces())})
    late = reader.read(path)
    assert sending not in late
    assert removing not in late
    assert "quittance.pdf" in late


def closed(pieces: Pieces) -> Pieces:
    """The same pieces once nothing may be done about them."""
    over = {"may_send": False, "may_remove": False}
    return pieces.model_copy(
        update={
            "due_at": NOW - DAY,
            "family": tuple(piece.model_copy(update=over) for piece in pieces.family),
            "student": tuple(piece.model_copy(update=over) for piece in pieces.student),
        }
    )


def test_the_documents_tab_says_what_is_missing_and_until_when(reader: Reader) -> None:
    path = f"/eleves/{LEO.id}/documents"
    assert "Aucune pièce obligatoire ne manque" in reader.read(path)
    home = MissingPiece(type_code="domicile", name="Justificatif de domicile", owner="family")
    blurred = MissingPiece(
        type_code="danse",
        name="Certificat médical DANSE",
        owner="student",
        refusal="La signature manque.",
    )
    due_at = datetime(2099, 9, 1, 10, 0, tzinfo=UTC)
    reader.knows({MissingPieces: Missing(due_at=due_at, pieces=(home, blurred))})
    page = words(reader.read(path))
    assert "Il manque 2 pièces. À déposer jusqu'au 01/09/2099 à 12:00" in page
    assert "Certificat médical DANSE : refusée. La signature manque." in page
    reader.knows({MissingPieces: Missing(due_at=NOW - DAY, pieces=(home,))})
    page = words(reader.read(path))
    assert "À la fin du délai, il manquait une pièce. Le délai de dépôt est passé" in page


def test_what_the_site_published_for_a_student_is_listed_and_downloaded(reader: Reader) -> None:
    path = f"/eleves/{LEO.id}"
    assert "Aucun document publié pour le moment" in reader.read(f"{path}/documents")
    report = Publication(
        id=new_id(),
        title="Bulletin du 1er semestre",
        school_year="2026-2027",
        filename="bulletin.pdf",
        content_type="application/pdf",
        size=120_000,
        published_at=datetime(2027, 2, 5, 9, 0, tzinfo=UTC),
    )
    reader.knows({PublishedDocuments: (report,)})
    page = reader.read(f"{path}/documents")
    for text in ("Bulletin du 1er semestre", "2026-2027", "05/02/2027", "Télécharger"):
        assert text in page
    link = DocumentLink(url="http://store.example/b?signed", expires_at=NOW)
    reader.knows({OpenDocument: link})
    href = f"{path}/publications/{report.id}"
    assert f'href="{href}"' in page
    with reader.portal.browser(reader.caller) as browser:
        answer = browser.get(href, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, link.url)


@pytest.mark.parametrize("tab", TABS)
def test_another_familys_student_is_not_found(reader: Reader, tab: str) -> None:
    assert "Page introuvable" in reader.read(f"/eleves/{new_id()}/{tab}", status=404)


@pytest.mark.parametrize("tab", TABS)
def test_without_identity_nothing_is_shown_of_a_student_who_may_be_anothers(
    reader: Reader, tab: str
) -> None:
    reader.stands_at(a_campaign(), an_application(a_campaign(), "draft", ANA))
    reader.knows({FollowedCourses: Rejection.not_found(), ListPieces: Rejection.not_found()})
    reader.without("identity")
    page = reader.read(f"/eleves/{LEO.id}/{tab}", status=page_status(tab))
    for theirs in ("FM 1.4", "quittance.pdf", "Reprendre", "Léo"):
        assert theirs not in page


def page_status(tab: str) -> int:
    """Identité has nothing to show without identity; courses knows by itself whose they are."""
    return {"identite": 503, "cours": 404, "historique": 404}.get(tab, 200)


@pytest.mark.parametrize(
    ("tab", "service"),
    [
        ("cours", "courses"),
        ("historique", "courses"),
        ("documents", "documents"),
        ("documents", "enrolment"),
        ("reinscription", "enrolment"),
        ("reinscription", "courses"),
    ],
)
def test_a_tab_says_what_is_away(reader: Reader, tab: str, service: str) -> None:
    application = choosing("draft")
    reader.stands_at(application.campaign, application)
    reader.without(service)
    page = reader.read(f"/eleves/{LEO.id}/{tab}")
    assert "momentanément indisponibles" in page
    assert "Léo TEST" in page


@pytest.mark.parametrize(
    "path",
    ["/accueil", "/famille", "/facturation", "/mot-de-passe", "/eleves", "/liste-attente"]
    + [f"/eleves/{UUID(int=1)}/{tab}" for tab in TABS],
)
def test_every_page_is_for_signed_in_people_and_comes_back(gateway: Portal, path: str) -> None:
    gateway.reset({})
    with gateway.browser() as browser:
        answer = browser.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/connexion?suite=%2F")
    assert gateway.services.asked == []


def test_an_address_that_does_not_exist_is_a_french_page(reader: Reader) -> None:
    assert "Page introuvable" in reader.read("/nulle-part", status=404)


@pytest.mark.parametrize(
    "path",
    ["/accueil", "/famille", "/facturation", "/mot-de-passe", "/eleves", "/liste-attente"]
    + [f"/eleves/{LEO.id}/{tab}" for tab in TABS],
)
def test_a_page_has_one_main_heading(reader: Reader, path: str) -> None:
    assert reader.read(path).count("<h1") == 1
