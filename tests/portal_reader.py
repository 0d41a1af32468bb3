"""A family that reads the portal's pages, and what its services answer."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

from shared.contracts.courses import (
    CourseRows,
    FollowedCourse,
    FollowedCourses,
    MyWaitingPlaces,
    WaitingPlace,
)
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPieces,
    Piece,
    Pieces,
    PublishedDocuments,
)
from shared.contracts.enrolment import (
    Application,
    ApplicationState,
    Campaign,
    ListMyApplications,
    MyApplications,
    Receipt,
)
from shared.contracts.files import Document
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
    welcome="Bienvenue au conservatoire de Meudon.",
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


def a_place(
    student_id: UUID,
    label: str = "FM 2.1 (35) - MARDI - 17.00 à 18.30",
    *,
    rank: int = 3,
    follow_id: UUID | None = None,
) -> WaitingPlace:
    """A place on a waiting list, since the afternoon of a winter's day."""
    return WaitingPlace(
        id=new_id(),
        campaign_id=new_id(),
        student_id=student_id,
        follow_id=follow_id or new_id(),
        course_id=new_id(),
        label=label,
        state="waiting",
        rank=rank,
        joined_at=datetime(2026, 12, 22, 15, 30, tzinfo=UTC),
    )


def offered(place: WaitingPlace, left: timedelta = timedelta(hours=5, minutes=1)) -> WaitingPlace:
    """The same place, once a seat is offered to it."""
    offer = {"state": "offered", "rank": 0, "offered_until": datetime.now(UTC) + left}
    return place.model_copy(update=offer)


def some_pieces() -> Pieces:
    given = Document(
        id=new_id(),
        filename="quittance.pdf",
        content_type="application/pdf",
        size=1_992_294,
        state="deposited",
        deposited_at=datetime(2026, 12, 22, 11, 0, tzinfo=UTC),
        is_readable=True,
    )
    home = Piece(
        type_code="domicile",
        name="Justificatif de domicile",
        owner="family",
        requirement="required",
        help="",
        document=given,
        may_send=True,
        may_remove=True,
    )
    dance = Piece(
        type_code="danse",
        name="Certificat médical DANSE",
        owner="student",
        requirement="required",
        help="",
        may_send=True,
    )
    return Pieces(due_at=NOW + DAY, family=(home,), student=(dance,))


class Reader:
    """Someone of a family of two students in an open campaign, reading pages of the portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.caller = family_caller(site_id=SITE.id)
        portal.reset(
            {
                ListSites: (SITE,),
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
                MissingPieces: Missing(due_at=NOW + DAY, pieces=()),
                PublishedDocuments: (),
                MyWaitingPlaces: (),
                CourseRows: (),
            }
        )

    def knows(self, answers: Answers) -> None:
        """Have these answers besides, or instead."""
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
        """Give a page's text, its entities and its spaces made plain."""
        with self.portal.browser(self.caller) as browser:
            answer = browser.get(path, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return unescape(re.sub(r"\s+", " ", answer.text)).replace("\u00a0", " ")

    def stands_at(self, campaign: Campaign, *applications: Application) -> None:
        """Have the family's applications in the present campaign be these."""
        mine = MyApplications(campaign=campaign, applications=applications)
        self.knows({ListMyApplications: mine})
