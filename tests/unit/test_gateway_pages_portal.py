import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from shared.contract import Rejection
from shared.contracts.courses import FollowedCourse, FollowedCourses
from shared.contracts.documents import Document, ListPieces, Piece, Pieces
from shared.contracts.enrolment import (
    Application,
    ApplicationState,
    Campaign,
    ListMyApplications,
    MyApplications,
    Receipt,
)
from shared.contracts.identity import Family, Guardian, ListSites, MyFamily, Site, Student
from shared.identifiers import new_id

from tests.harness import family_caller
from tests.portal import Answers, Portal

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
SITE = Site(
    id=new_id(),
    code="MEU",
    town="Meudon",
    name="Conservatoire de Meudon",
    address="1 boulevard des Nations-Unies",
    postcode="92190",
    city="Meudon",
    phone="01 99 00 10 10",
    email="meudon@territoire.example",
    tariff_page="https://territoire.example/tarifs",
)
LEO = Student(
    id=new_id(),
    details={"first_name": "Léo", "last_name": "TEST", "birth_on": "2013-07-14", "city": "Meudon"},
    changed=("city",),
)
ANA = Student(id=new_id(), details={"first_name": "Ana", "last_name": "TEST"})
NICOLE = Guardian(id=new_id(), details={"first_name": "Nicole", "last_name": "TEST"})


def a_campaign(opens_in: timedelta = -DAY, closes_in: timedelta = 30 * DAY) -> Campaign:
    return Campaign(
        id=new_id(),
        site_id=SITE.id,
        school_year="2027-2028",
        prepares_at=NOW - 10 * DAY,
        opens_at=NOW + opens_in,
        closes_at=(NOW + closes_in).replace(hour=11, minute=0),
        documents_due_at=NOW + closes_in + DAY,
    )


def an_application(
    campaign: Campaign, state: ApplicationState, student: Student = LEO
) -> Application:
    receipt = Receipt(number="MEU-27-00042", received_at=NOW)
    return Application(
        id=new_id(),
        campaign=campaign,
        student_id=student.id,
        state=state,
        step_reached=6 if state == "submitted" else 3,
        receipt=None if state == "draft" else receipt,
    )


def a_family(*students: Student) -> Family:
    return Family(id=new_id(), site_id=SITE.id, name="TEST", guardians=(NICOLE,), students=students)


def some_pieces() -> Pieces:
    given = Document(
        id=new_id(),
        filename="quittance.pdf",
        content_type="application/pdf",
        size=1_992_294,
        state="deposited",
        deposited_at=datetime(2026, 12, 22, 11, 0, tzinfo=UTC),
    )
    home = Piece(
        type_code="domicile",
        name="Justificatif de domicile",
        requirement="required",
        help="",
        document=given,
    )
    dance = Piece(
        type_code="danse", name="Certificat médical DANSE", requirement="required", help=""
    )
    return Pieces(due_at=NOW + DAY, family=(home,), student=(dance,))


class Reader:
    """Someone of the family, reading pages of the portal."""

    def __init__(self, folder: Path) -> None:
        self.portal = Portal(folder, {ListSites: (SITE,)})
        self.caller = family_caller(site_id=SITE.id)

    def knows(self, answers: Answers) -> None:
        self.portal.services.answers |= dict(answers)

    def without(self, service: str) -> None:
        """Have one service away."""
        kept = {
            question: answer
            for question, answer in self.portal.services.answers.items()
            if question.owner != service
        }
        self.portal.services.answers = kept

    def read(self, path: str, status: int = 200) -> str:
        with self.portal.browser(self.caller) as browser:
            answer = browser.get(path, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return unescape(re.sub(r"\s+", " ", answer.text)).replace("\u00a0", " ")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    reader = Reader(tmp_path)
    reader.knows(
        {
            MyFamily: a_family(LEO, ANA),
            ListMyApplications: MyApplications(campaign=a_campaign(), applications=()),
            FollowedCourses: (
                FollowedCourse(
                    school_year="2026-2027",
                    label="FM 1.4 (12) - MERCREDI - 14.00 à 15.30",
                    teacher="Mme ROUX",
                    room="Salle 3",
                ),
                FollowedCourse(school_year="2025-2026", label="FM 1.3", teacher="", room=""),
                FollowedCourse(school_year="2024-2025", label="FM 1.2", teacher="", room=""),
            ),
            ListPieces: some_pieces(),
        }
    )
    return reader


def stands_at(reader: Reader, campaign: Campaign, *applications: Application) -> None:
    reader.knows({ListMyApplications: MyApplications(campaign=campaign, applications=applications)})


def test_home_shows_each_student_the_closing_hour_and_the_two_choices(reader: Reader) -> None:
    campaign = a_campaign()
    stands_at(reader, campaign)
    home = reader.read("/accueil")
    closing = f"{campaign.closes_at.astimezone():%d/%m/%Y}"
    assert home.count(f"Jusqu'au {closing} à ") == 2
    for student, name in ((LEO, "Léo TEST"), (ANA, "Ana TEST")):
        assert f"Je souhaite réinscrire {name}" in home
        assert f"Je ne souhaite pas réinscrire {name}" in home
        refusal = f"/reinscription/{student.id}/ne-souhaite-pas?campagne={campaign.id}"
        assert f'href="{refusal}"' in home
        form = home.split(f'action="/reinscription/{student.id}/souhaite"')[1].split("</form>")[0]
        assert f'name="campaign_id" value="{campaign.id}"' in form
        assert re.search(r'name="application_id" value="[0-9a-f-]{36}"', form)
        assert 'name="_csrf_token"' in form


def test_home_gives_the_sites_contact_and_what_becomes_of_data(reader: Reader) -> None:
    home = reader.read("/accueil")
    assert SITE.address in home
    assert SITE.phone in home
    assert f'href="mailto:{SITE.email}"' in home
    assert f'href="{SITE.tariff_page}"' in home
    assert "deux années scolaires" in home


def test_a_draft_is_resumed(reader: Reader) -> None:
    campaign = a_campaign()
    draft = an_application(campaign, "draft")
    stands_at(reader, campaign, draft)
    home = reader.read("/accueil")
    assert "Je souhaite réinscrire Léo TEST" not in home
    assert "Je souhaite réinscrire Ana TEST" in home
    assert re.search(rf'href="/dossiers/{draft.id}"[^>]*> ?Reprendre la réinscription', home)


def test_a_submitted_request_shows_its_receipt(reader: Reader) -> None:
    campaign = a_campaign()
    submitted = an_application(campaign, "submitted")
    stands_at(reader, campaign, submitted)
    home = reader.read("/accueil")
    assert "Demande transmise le " in home
    assert "MEU-27-00042" in home
    assert f'href="/dossiers/{submitted.id}/finalisation"' in home
    assert "réinscrire Léo TEST" not in home


def test_a_refusal_can_be_taken_back_while_the_campaign_is_open(reader: Reader) -> None:
    declined = an_application(a_campaign(), "declined")
    stands_at(reader, declined.campaign, declined)
    home = reader.read("/accueil")
    assert "MEU-27-00042" in home
    assert f'action="/dossiers/{declined.id}/reprendre"' in home
    assert "Revenir sur cette décision" in home

    stands_at(reader, a_campaign(closes_in=-2 * DAY), declined)
    assert "Revenir sur cette décision" not in reader.read("/accueil")


def test_before_opening_one_can_prepare_but_not_refuse(reader: Reader) -> None:
    stands_at(reader, a_campaign(opens_in=DAY))
    home = reader.read("/accueil")
    assert "ouverture le " in home
    assert "Je souhaite réinscrire Léo TEST" in home
    assert "Je ne souhaite pas" not in home


def test_a_draft_left_at_closing_says_that_it_was_not_submitted(reader: Reader) -> None:
    closed = a_campaign(closes_in=-2 * DAY)
    draft = an_application(closed, "draft")
    stands_at(reader, closed, draft)
    home = reader.read("/accueil")
    assert "il n'a pas été transmis" in home
    assert f'href="/dossiers/{draft.id}"' in home
    assert "Je souhaite" not in home


def test_without_a_campaign_home_says_so(reader: Reader) -> None:
    reader.knows({ListMyApplications: MyApplications(campaign=None, applications=())})
    home = reader.read("/accueil")
    assert "Aucune campagne de réinscription n'est ouverte" in home
    assert "Léo TEST" in home


def test_home_without_identity_still_resumes_what_was_begun(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    stands_at(reader, draft.campaign, draft)
    reader.without("identity")
    home = reader.read("/accueil")
    assert "momentanément indisponibles" in home
    assert f'href="/dossiers/{draft.id}"' in home


def test_home_without_enrolment_still_leads_to_the_students(reader: Reader) -> None:
    reader.without("enrolment")
    home = reader.read("/accueil")
    assert "Les dossiers de réinscription sont momentanément indisponibles" in home
    assert f'href="/eleves/{LEO.id}/identite"' in home
    assert "Aucune campagne" not in home
    assert "Je souhaite" not in home


@pytest.mark.parametrize("service", ["documents", "courses", "notifications"])
def test_home_does_not_need_the_other_services(reader: Reader, service: str) -> None:
    reader.without(service)
    assert "Je souhaite réinscrire Léo TEST" in reader.read("/accueil")


def test_the_family_page_shows_guardians_and_documents(reader: Reader) -> None:
    page = reader.read("/famille")
    assert "Responsable 1" in page
    assert "Nicole" in page
    assert "Tél supplémentaire 3" in page
    assert "Pièces à fournir - Famille" in page
    assert "quittance.pdf" in page
    assert re.search(r'data-label="Heure">12:00<', page)
    assert "Modifier" not in page

    draft = an_application(a_campaign(), "draft")
    stands_at(reader, draft.campaign, draft)
    assert f'href="/dossiers/{draft.id}/coordonnees"' in reader.read("/famille")


@pytest.mark.parametrize("service", ["documents", "enrolment"])
def test_the_family_page_goes_without_what_is_away(reader: Reader, service: str) -> None:
    reader.without(service)
    page = reader.read("/famille")
    assert "momentanément indisponibles" in page
    assert "Nicole" in page
    assert "Aucune pièce n'est demandée" not in page


def test_pieces_that_documents_does_not_know_yet_are_announced(reader: Reader) -> None:
    reader.knows({ListPieces: Rejection.not_found()})
    assert "dans quelques instants" in reader.read("/famille")


def test_invoices_and_password_say_honestly_what_there_is(reader: Reader) -> None:
    assert "Aucune facture" in reader.read("/facturation")
    assert SITE.phone in reader.read("/mot-de-passe")


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


def test_the_documents_tab_lists_the_students_and_the_familys_pieces(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    stands_at(reader, draft.campaign, draft)
    page = reader.read(f"/eleves/{LEO.id}/documents")
    assert page.index("Certificat médical DANSE") < page.index("Justificatif de domicile")
    assert "À fournir" in page
    assert "Déposée" in page
    assert "1,9 Mo" in page
    assert f'href="/dossiers/{draft.id}/documents"' in page


TABS = ["identite", "cours", "historique", "reinscription", "documents"]


@pytest.mark.parametrize("tab", TABS)
def test_another_familys_student_is_not_found(reader: Reader, tab: str) -> None:
    assert "Page introuvable" in reader.read(f"/eleves/{new_id()}/{tab}", status=404)


@pytest.mark.parametrize("tab", TABS)
def test_without_identity_nothing_is_shown_of_a_student_who_may_be_anothers(
    reader: Reader, tab: str
) -> None:
    stands_at(reader, a_campaign(), an_application(a_campaign(), "draft", ANA))
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
    [("cours", "courses"), ("historique", "courses"), ("documents", "documents")]
    + [("documents", "enrolment"), ("reinscription", "enrolment")],
)
def test_a_tab_says_what_is_away(reader: Reader, tab: str, service: str) -> None:
    reader.without(service)
    page = reader.read(f"/eleves/{LEO.id}/{tab}")
    assert "momentanément indisponibles" in page
    assert "Léo TEST" in page


@pytest.mark.parametrize(
    "path",
    ["/accueil", "/famille", "/facturation", "/mot-de-passe", "/eleves"]
    + [f"/eleves/{UUID(int=1)}/{tab}" for tab in TABS],
)
def test_every_page_is_for_signed_in_people_and_comes_back(tmp_path: Path, path: str) -> None:
    portal = Portal(tmp_path, {ListSites: (SITE,)})
    with portal.browser() as browser:
        answer = browser.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/connexion?suite=%2F")
    assert portal.services.asked == []


def test_an_address_that_does_not_exist_is_a_french_page(reader: Reader) -> None:
    assert "Page introuvable" in reader.read("/nulle-part", status=404)


@pytest.mark.parametrize(
    "path",
    ["/accueil", "/famille", "/facturation", "/mot-de-passe", "/eleves"]
    + [f"/eleves/{LEO.id}/{tab}" for tab in TABS],
)
def test_a_page_has_one_main_heading(reader: Reader, path: str) -> None:
    assert reader.read(path).count("<h1") == 1
