"""A family before the wizard, in the test's own process, with services that answer from a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.texts import AUTHORISATIONS
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from shared.callers import Caller
from shared.contract import Ask
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    Hold,
    HoldSeats,
    RenewHolds,
    Slot,
    WaitingPlace,
)
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPieces,
    Pieces,
    PublishedDocuments,
)
from shared.contracts.enrolment import (
    Application,
    ApplicationState,
    Authorisations,
    Campaign,
    CompleteStep,
    KeepEntries,
    ListMyApplications,
    MyApplications,
    Receipt,
    ShowApplication,
    ShowEntries,
)
from shared.contracts.identity import (
    Family,
    Guardian,
    MyFamily,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.notifications import ListDeliveries
from shared.identifiers import new_id

from tests.deposits import a_piece
from tests.forms import Fields
from tests.harness import family_caller
from tests.portal import Answers, Portal

DAY = timedelta(days=1)
NEXT = ("direction", "suite")
BACK = ("direction", "retour")


def a_guardian(first_name: str = "Nicole", **details: str) -> Guardian:
    """A guardian whose mandatory details are all recorded."""
    known = {
        "civility": "Madame",
        "last_name": "TEST",
        "first_name": first_name,
        "address": "21 sentier des Vignes",
        "postcode": "92190",
        "city": "Meudon",
        "mobile": "06 39 98 39 23",
        "email": "nicole.test@familles.example",
    }
    return Guardian(id=new_id(), details=known | details)


def a_student(**details: str) -> Student:
    """A student whose mandatory details are all recorded."""
    known = {
        "civility": "Monsieur",
        "last_name": "TEST",
        "first_name": "Émile",
        "birth_on": "2014-12-22",
        "address": "21 sentier des Vignes",
        "postcode": "92190",
        "city": "Meudon",
    }
    return Student(id=new_id(), details=known | details)


def an_application(
    student_id: UUID,
    *,
    step_reached: int = 1,
    state: ApplicationState = "draft",
    opens_in: timedelta = -DAY,
    closes_in: timedelta = 30 * DAY,
) -> Application:
    """An application in a campaign that is open unless told otherwise."""
    now = datetime.now(UTC)
    campaign = Campaign(
        id=new_id(),
        site_id=new_id(),
        school_year="2027-2028",
        prepares_at=now - 10 * DAY,
        opens_at=now + opens_in,
        closes_at=now + closes_in,
        documents_due_at=now + closes_in + DAY,
    )
    receipt = Receipt(number="MEU-2027-000042-1", received_at=now)
    return Application(
        id=new_id(),
        campaign=campaign,
        student_id=student_id,
        state=state,
        step_reached=step_reached,
        authorisations=Authorisations(image_rights=True, leaves_alone=False, text_version="v"),
        receipt=None if state == "draft" else receipt,
    )


def a_slot(label: str = "FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left: int = 3) -> Slot:
    """A group on offer."""
    return Slot(course_id=new_id(), label=label, teacher="", room="", seats_left=seats_left)


def a_row(
    *slots: Slot,
    hold: Hold | None = None,
    follow_id: UUID | None = None,
    waiting: tuple[WaitingPlace, ...] = (),
) -> CourseRow:
    """A course of theory, with the slots of next year."""
    return CourseRow(
        follow_id=follow_id or new_id(),
        curriculum="Formation musicale",
        course="FM 1.4 (12)",
        cycle="1",
        reduced_schedule=False,
        active=True,
        mode="slot",
        next_level="2.1",
        slots=slots,
        hold=hold,
        claimed=hold if hold and hold.state == "claimed" else None,
        waiting=waiting,
    )


def a_place(slot: Slot, rank: int = 3, offered_until: datetime | None = None) -> WaitingPlace:
    """A place on the waiting list of a slot; the seat is offered where an end is given."""
    return WaitingPlace(
        id=new_id(),
        campaign_id=new_id(),
        student_id=new_id(),
        follow_id=new_id(),
        course_id=slot.course_id,
        label=slot.label,
        state="offered" if offered_until else "waiting",
        rank=0 if offered_until else rank,
        joined_at=datetime.now(UTC),
        offered_until=offered_until,
    )


def a_hold(slot: Slot, follow_id: UUID, hold_id: UUID | None = None) -> Hold:
    """A seat held in a slot, for twenty minutes."""
    return Hold(
        id=hold_id or new_id(),
        student_id=new_id(),
        follow_id=follow_id,
        course_id=slot.course_id,
        label=slot.label,
        state="held",
        expires_at=datetime.now(UTC) + timedelta(minutes=20),
    )


def grant(*slots: Slot) -> Any:
    """Answer HoldSeats as courses does where there are seats in these slots, and in no other."""
    by_id = {slot.course_id: slot for slot in slots}
    return lambda question: tuple(
        a_hold(
            next(by_id[each] for each in request.course_ids if each in by_id),
            request.follow_id,
            request.hold_id,
        )
        for request in question.requests
    )


def in_turn(*answers: object) -> Any:
    """Answer the first time with the first, and so on; the last one stays."""
    left = list(answers)

    def answer(_: object) -> object:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    return answer


class Household:
    """A family with a student and an application, and what the services answer of them."""

    def __init__(self, portal: Portal, client: TestClient[Litestar]) -> None:
        self._portal = portal
        self.client = client
        self.student = a_student()
        self.guardians: tuple[Guardian, ...] = (a_guardian(),)
        self.application = an_application(self.student.id)
        self.siblings: list[Student] = []
        self.other_applications: list[Application] = []
        self.pieces = Pieces(due_at=datetime.now(UTC) + DAY, family=(a_piece(),), student=())
        self.answer(
            {
                ListPieces: lambda _: self.pieces,
                MissingPieces: Missing(due_at=self.pieces.due_at, pieces=()),
                PublishedDocuments: (),
                CourseRows: (),
                ShowEntries: None,
                KeepEntries: None,
                HoldSeats: (),
                RenewHolds: (),
                ListDeliveries: (),
                ListMyApplications: lambda _: MyApplications(
                    campaign=self.application.campaign,
                    applications=(self.application, *self.other_applications),
                ),
            }
        )
        self.stands_at(1)
        self.told()

    def stands_at(self, step_reached: int, **changes: Any) -> Application:
        """Have the application at a step, or in another state."""
        self.application = an_application(self.student.id, step_reached=step_reached, **changes)
        self.answer({ShowApplication: lambda _: self.application})
        return self.application

    def has_another(self, first_name: str, *, step_reached: int = 4, **changes: Any) -> Application:
        """Have another child with an application in the same campaign."""
        student = a_student(first_name=first_name)
        self.siblings.append(student)
        begun = an_application(student.id, step_reached=step_reached, **changes)
        application = begun.model_copy(update={"campaign": self.application.campaign})
        self.other_applications.append(application)
        self.told()
        return application

    def told(self) -> None:
        """Have identity answer the family as it is now."""
        family = Family(
            id=new_id(),
            site_id=new_id(),
            name="TEST",
            guardians=self.guardians,
            students=(self.student, *self.siblings),
        )
        self.answer({MyFamily: family})

    def records_people(self) -> None:
        """Have identity record whatever is declared, and step 1 be done."""
        self.answer(
            {
                UpdateGuardian: lambda asked: Guardian(id=asked.guardian_id, details={}),
                UpdateStudent: lambda asked: Student(id=asked.student_id, details={}),
                CompleteStep: None,
            }
        )

    def answer(self, answers: Answers) -> None:
        """Have services answer."""
        self._portal.services.answers |= dict(answers)

    def without(self, *questions: type[Ask[Any]]) -> None:
        """Have nobody answer these questions."""
        for question in questions:
            self._portal.services.answers.pop(question, None)

    def asked[Question: Ask[Any]](self, question: type[Question]) -> list[Question]:
        """Give what was asked of that kind."""
        return [one for one in self._portal.services.asked if isinstance(one, question)]

    def at(self, step: str) -> str:
        """Give the address of a step."""
        return f"/dossiers/{self.application.id}/{step}"

    def reads(self, path: str, status: int = 200) -> str:
        """Open a page."""
        answer = self.client.get(path, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer.text

    def is_led(self, path: str) -> str:
        """Open a page that leads to another."""
        return _location(self.client.get(path, follow_redirects=False))

    def sends(self, path: str, fields: Fields, status: int = 422) -> str:
        """Send a form and read the page that answers it."""
        answer = self.posts(path, fields)
        assert answer.status_code == status, answer.text
        return answer.text

    def goes_on(self, path: str, fields: Fields) -> str:
        """Send a form that leads to another page."""
        return _location(self.posts(path, fields))

    def posts(self, path: str, fields: Fields) -> Response:
        """Send a form as a browser does."""
        body = dict[str, list[str]]()
        for name, value in [("_csrf_token", self._token()), *fields]:
            body.setdefault(name, []).append(value)
        return self.client.post(path, data=body, follow_redirects=False)

    def uploads(self, path: str, fields: Fields, filename: str, content: bytes) -> Response:
        """Send a form with a file as a browser without script does."""
        data = {"_csrf_token": self._token(), **dict(fields)}
        files = {"file": (filename, content)}
        return self.client.post(path, data=data, files=files, follow_redirects=False)

    def keeps(self, step: int, fields: Fields, position: int = 1, age: int = 0) -> Response:
        """Send what is being typed at a step as our script does."""
        body = dict(fields) | {"_csrf_token": self._token()}
        headers = {
            "accept": "application/json",
            "x-position": str(position),
            "x-age-milliseconds": str(age),
        }
        path = f"/dossiers/{self.application.id}/saisie/{step}"
        return self.client.post(path, data=body, headers=headers)

    def says(self, path: str, content: dict[str, object]) -> Response:
        """Send JSON as our scripts do."""
        headers = {"accept": "application/json", "x-csrf-token": self._token()}
        return self.client.post(path, json=content, headers=headers)

    def _token(self) -> str:
        if "rentree_csrf" not in self.client.cookies:
            self.client.get("/mentions-legales")
        return self.client.cookies["rentree_csrf"]


@contextmanager
def household(portal: Portal, caller: Caller | None = None) -> Iterator[Household]:
    """Sit a new family before the portal; ``caller`` is who signs in."""
    portal.reset({})
    with portal.browser(caller or family_caller()) as client:
        yield Household(portal, client)


def yes_to_both() -> Fields:
    """Answer step 2."""
    return [
        ("image_rights", "oui"),
        ("leaves_alone", "non"),
        ("text_version", AUTHORISATIONS["fr"].version),
    ]


def _location(answer: Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
