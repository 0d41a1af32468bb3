"""The family of the showroom, and where each of its affairs may stand."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.callers import Caller
from shared.contracts.courses import CourseRow, Hold, Slot, WaitingPlace
from shared.contracts.documents import Owner, Piece, Pieces, Publication
from shared.contracts.enrolment import (
    Application,
    ApplicationState,
    Campaign,
    CourseChoice,
    Receipt,
)
from shared.contracts.files import DocumentState
from shared.contracts.identity import Family, Guardian, Student
from shared.contracts.notifications import Delivery, DeliveryState, MessageKind, SentMessage
from shared.identifiers import new_id

from tests import deposits, wizard
from tests.harness import family_caller
from tests.portal_reader import SITE

DAY: Final = timedelta(days=1)
_HELP: Final[Mapping[Owner, str]] = {
    "family": "Au nom d'un responsable, toutes les pages réunies.",
    "student": "De moins de trois mois.",
}
NUMBER: Final = "MEU-2027-000042-1"
EMAIL: Final = "nicole.test@familles.example"
CALLER: Final[Caller] = family_caller(site_id=SITE.id).model_copy(
    update={"name": "Madame TEST Nicole"}
)

SITES: Final = (
    SITE.model_copy(
        update={
            "welcome": "Bienvenue au conservatoire : les inscriptions nouvelles ouvrent en mai."
        }
    ),
    SITE.model_copy(
        update={
            "id": new_id(),
            "town": "Sèvres",
            "name": "Conservatoire de Sèvres",
            "code": "SEV",
            "address": "8 avenue de l'Exemple",
            "postcode": "92310",
            "city": "Sèvres",
            "phone": "01 99 00 10 20",
            "email": "sevres@territoire.example",
        }
    ),
    SITE.model_copy(
        update={
            "id": new_id(),
            "town": "Issy-les-Moulineaux",
            "name": "Conservatoire d'Issy-les-Moulineaux",
            "code": "ISS",
            "address": "11 rue de l'Exemple",
            "postcode": "92130",
            "city": "Issy-les-Moulineaux",
            "phone": "01 99 00 10 30",
            "email": "issy@territoire.example",
        }
    ),
)

NICOLE: Final = wizard.a_guardian(
    email=EMAIL, birth_on="1981-03-09", profession="Luthière"
).model_copy(update={"changed": ("profession",), "account_id": CALLER.account_id})
MARC: Final = wizard.a_guardian(
    "Marc",
    civility="Monsieur",
    address="3 rue de la Garenne",
    postcode="92310",
    city="Sèvres",
    mobile="06 39 98 40 40",
    email="marc.test@familles.example",
)
EMILE: Final = wizard.a_student(
    school_level="4e", school="Collège Rabelais", emergency_contact="Jeanne TEST"
).model_copy(update={"changed": ("school",)})
ANA: Final = wizard.a_student(first_name="Ana", civility="Madame", birth_on="2016-05-02")
STUDENT_ID: Final = EMILE.id
APPLICATION_ID: Final = new_id()
SIBLING_APPLICATION_ID: Final = new_id()

THURSDAY: Final = wizard.a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left=3)
MONDAY: Final = wizard.a_slot("FM 2.1 (34) - LUNDI - 17.00 à 18.30", seats_left=1)
TUESDAY: Final = wizard.a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30", seats_left=0)
THEORY_ID: Final = new_id()
PLACE_ID: Final = new_id()
_HOLD_ID: Final = new_id()
_CAMPAIGN_ID: Final = new_id()
TRUMPET: Final = CourseRow(
    follow_id=new_id(),
    curriculum="Trompette",
    course="Trompette 2.1 (7)",
    cycle="2",
    reduced_schedule=False,
    active=True,
    mode="teacher",
    next_level="2.2",
)
ORCHESTRA: Final = TRUMPET.model_copy(
    update={
        "follow_id": new_id(),
        "curriculum": "Orchestre",
        "course": "Orchestre d'harmonie junior",
        "mode": "level",
    }
)
CHAM: Final = TRUMPET.model_copy(
    update={
        "follow_id": new_id(),
        "curriculum": "Chœur",
        "course": "Chœur CHAM 4e",
        "mode": "reduced_schedule",
        "reduced_schedule": True,
    }
)


def family(*students: Student, guardians: tuple[Guardian, ...] = (NICOLE, MARC)) -> Family:
    """The family, of Émile and Ana unless told."""
    return Family(
        id=CALLER.family(),
        site_id=SITE.id,
        name="TEST",
        guardians=guardians,
        students=students or (EMILE, ANA),
    )


def campaign(
    opens_in: timedelta = -DAY,
    closes_in: timedelta = 30 * DAY,
    fields_not_asked: tuple[str, ...] = (),
) -> Campaign:
    """The campaign of the site, open unless told."""
    now = datetime.now(UTC)
    return Campaign(
        id=_CAMPAIGN_ID,
        site_id=SITE.id,
        school_year="2027-2028",
        prepares_at=now - 10 * DAY,
        opens_at=now + opens_in,
        closes_at=now + closes_in,
        documents_due_at=now + closes_in + 15 * DAY,
        fields_not_asked=fields_not_asked,
    )


def tomorrow() -> Campaign:
    """The campaign, which opens tomorrow."""
    return campaign(opens_in=DAY)


def closed() -> Campaign:
    """The campaign, closed since yesterday."""
    return campaign(opens_in=-20 * DAY, closes_in=-DAY)


def application(
    state: ApplicationState = "draft",
    step: int = 5,
    within: Campaign | None = None,
    choices: tuple[CourseChoice, ...] = (),
) -> Application:
    """Émile's application."""
    begun = wizard.an_application(STUDENT_ID, step_reached=step, state=state)
    receipt = Receipt(number=NUMBER, received_at=datetime.now(UTC))
    return begun.model_copy(
        update={
            "id": APPLICATION_ID,
            "campaign": within or campaign(),
            "receipt": None if state == "draft" else receipt,
            "choices": choices,
            "remarks": "Orchestre d'harmonie, si possible." if step > 4 else "",
        }
    )


def sibling_application(
    state: ApplicationState = "draft", step: int = 4, within: Campaign | None = None
) -> Application:
    """Ana's application, in the same campaign."""
    return application(state, step, within).model_copy(
        update={"id": SIBLING_APPLICATION_ID, "student_id": ANA.id}
    )


def theory(
    *slots: Slot, hold: Hold | None = None, waiting: tuple[WaitingPlace, ...] = ()
) -> CourseRow:
    """Émile's row of music theory."""
    return wizard.a_row(*slots, hold=hold, follow_id=THEORY_ID, waiting=waiting)


def hold(slot: Slot = THURSDAY, left: timedelta = timedelta(minutes=20)) -> Hold:
    """A seat held for Émile."""
    held = wizard.a_hold(slot, THEORY_ID, _HOLD_ID)
    return held.model_copy(
        update={"student_id": STUDENT_ID, "expires_at": datetime.now(UTC) + left}
    )


def claimed() -> Hold:
    """The seat that Émile's request has."""
    return hold().model_copy(update={"state": "claimed"})


def choices(*, is_lost: bool = False) -> tuple[CourseChoice, ...]:
    """What was decided at step 4; the seat of :func:`hold` may be lost since."""
    held = hold()
    return (
        CourseChoice(
            follow_id=THEORY_ID,
            re_enrol=True,
            label=THURSDAY.label,
            course_id=THURSDAY.course_id,
            hold_id=held.id,
            held_until=None if is_lost else held.expires_at,
            seat_lost=is_lost,
        ),
        CourseChoice(
            follow_id=TRUMPET.follow_id,
            re_enrol=True,
            label="Trompette 2.1 (7) : Horaire à fixer avec le professeur début septembre",
        ),
        CourseChoice(follow_id=ORCHESTRA.follow_id, re_enrol=False, label=ORCHESTRA.course),
    )


def place(slot: Slot = TUESDAY, offered_until: datetime | None = None) -> WaitingPlace:
    """Émile's place on a waiting list."""
    waited = wizard.a_place(slot, 3, offered_until)
    return waited.model_copy(
        update={"id": PLACE_ID, "student_id": STUDENT_ID, "follow_id": THEORY_ID}
    )


def pieces(due_in: timedelta = 45 * DAY) -> Pieces:
    """A piece in each state; none can be changed once the deadline has passed."""
    may_change = due_in > timedelta(0)
    return Pieces(
        due_at=datetime.now(UTC) + due_in,
        family=(
            _piece(
                "domicile",
                "Justificatif de domicile de moins de 3 mois",
                "deposited",
                may_change=may_change,
            ),
            _piece(
                "caf",
                "Attestation CAF 2027 avec quotient familial",
                "analysing",
                may_change=may_change,
            ),
            _piece(
                "avis-1",
                "Avis d'imposition 2026 sur les revenus 2025 responsable 1",
                may_change=may_change,
            ),
            _piece(
                "avis-2",
                "Avis d'imposition 2026 sur les revenus 2025 responsable 2",
                "refused",
                refusal="La page est illisible.",
                may_change=may_change,
            ),
            _optional("avis-3", "Avis d'imposition suite", may_change=may_change).model_copy(
                update={"declined_at": datetime.now(UTC) - DAY, "may_decline": False}
            ),
            _optional("sepa", "Mandat de prélèvement SEPA", "accepted"),
        ),
        student=(
            _piece("danse", "Certificat médical DANSE", owner="student", may_change=may_change),
        ),
    )


def _optional(
    code: str, name: str, state: DocumentState | None = None, *, may_change: bool = False
) -> Piece:
    piece = _piece(code, name, state, may_change=may_change)
    return piece.model_copy(update={"requirement": "optional"})


def _piece(
    code: str,
    name: str,
    state: DocumentState | None = None,
    *,
    owner: Owner = "family",
    refusal: str = "",
    may_change: bool = False,
) -> Piece:
    document = deposits.a_document(f"{code}.pdf", state, refusal) if state else None
    place = "attempt" if state in {"analysing", "refused"} else "document"
    may_remove = may_change and document is not None
    changes = {
        place: document,
        "help": _HELP[owner],
        "may_send": may_change,
        "may_remove": may_remove,
        "may_decline": may_change and document is None,
    }
    return deposits.a_piece(code, name, owner).model_copy(update=changes)


def publication() -> Publication:
    """A document that the site published for Émile."""
    return Publication(
        id=new_id(),
        title="Bulletin du 1er semestre",
        school_year="2026-2027",
        filename="bulletin.pdf",
        content_type="application/pdf",
        size=312_000,
        published_at=datetime.now(UTC) - DAY,
    )


def delivery(state: DeliveryState = "sent") -> Delivery:
    """Where the mail of the receipt stands."""
    now = datetime.now(UTC)
    return Delivery(
        kind="submission_receipt",
        receipt_number=NUMBER,
        to="" if state == "no_address" else EMAIL,
        state=state,
        at=now - timedelta(minutes=6),
        again_from=now - timedelta(minutes=1) if state in {"sent", "failed"} else None,
    )


def message(kind: MessageKind = "submission_receipt", state: DeliveryState = "sent") -> SentMessage:
    """A message to the family, and what became of it."""
    now = datetime.now(UTC)
    return SentMessage(
        id=new_id(),
        kind=kind,
        family_id=CALLER.family(),
        student="Émile TEST",
        created_at=now,
        to="" if state == "no_address" else EMAIL,
        state=state,
        at=now,
        failure="",
        attempts=(),
    )
