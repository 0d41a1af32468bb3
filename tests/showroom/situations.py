"""What the five services answer, by how far the family has come."""

from datetime import UTC, datetime, timedelta

from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.accounts import Account, EmailLink, OpenSession, ResetLink, SignedIn
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    FollowedCourse,
    FollowedCourses,
    HoldSeats,
    MyWaitingPlaces,
    RenewHolds,
    Slot,
    WaitingPlace,
)
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPiece,
    MissingPieces,
    PublishedDocuments,
)
from shared.contracts.enrolment import (
    Application,
    Campaign,
    KeepEntries,
    KeptEntries,
    ListMyApplications,
    MyApplications,
    RecordAuthorisations,
    RecordCourseChoices,
    ShowApplication,
    ShowEntries,
    SubmitApplication,
)
from shared.contracts.identity import (
    DetailChange,
    ListSessions,
    ListSites,
    MyAccount,
    MyFamily,
    Overtaken,
    ReadEmailLink,
    ReadResetLink,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.notifications import ListDeliveries, ListMessages, ReminderChoice
from shared.identifiers import new_id

from tests.portal import Answers
from tests.showroom import household
from tests.showroom.household import DAY, EMAIL, SITES

LINK_OVER = Rejection("link_expired", "Ce lien n'est plus valable.", status=410)


def at_home(*applications: Application, within: Campaign | None = None) -> Answers:
    """A family in a campaign, and nothing out of the ordinary."""
    now = datetime.now(UTC)
    present = within or (applications[0].campaign if applications else household.campaign())
    return {
        ListSites: SITES,
        MyFamily: household.family(),
        ListMyApplications: MyApplications(campaign=present, applications=applications),
        ListPieces: household.pieces(),
        MissingPieces: _missing(due_at=now + 45 * DAY),
        PublishedDocuments: (household.publication(),),
        FollowedCourses: _followed(),
        MyWaitingPlaces: (),
        CourseRows: (),
        RenewHolds: (),
        ListDeliveries: (household.delivery(),),
        ListMessages: (household.message(),),
        MyAccount: Account(username="nicole.test", email=EMAIL),
        ListSessions: _sessions(now),
        ReminderChoice: True,
    }


def past_the_deadline() -> Answers:
    """No piece is taken any more."""
    return {
        **at_home(household.application()),
        ListPieces: household.pieces(due_in=-DAY),
        MissingPieces: _missing(due_at=datetime.now(UTC) - DAY),
    }


def at_step(
    step: int,
    *rows: CourseRow,
    within: Campaign | None = None,
    has_authorised: bool = True,
) -> Answers:
    """Émile's draft has reached a step, and Ana's the courses, where these are the rows."""
    draft = household.application(step=step, within=within)
    if not has_authorised:
        draft = draft.model_copy(update={"authorisations": None})
    return {
        **at_home(draft, household.sibling_application(within=within)),
        ShowApplication: draft,
        CourseRows: rows,
        RecordAuthorisations: None,
        RecordCourseChoices: None,
        HoldSeats: (),
        ShowEntries: None,
        KeepEntries: None,
    }


def at_recap(*, is_lost: bool = False) -> Answers:
    """Everything was decided; one seat is held, or was."""
    draft = household.application(choices=household.choices(is_lost=is_lost))
    return {
        **at_home(draft),
        ShowApplication: draft,
        RenewHolds: () if is_lost else (household.hold(),),
        SubmitApplication: None,
        ShowEntries: None,
        KeepEntries: None,
    }


def filed(*rows: CourseRow) -> Answers:
    """The request was sent."""
    sent = household.application("submitted", 6, choices=household.choices())
    return {**at_home(sent), ShowApplication: sent, CourseRows: rows}


def declined() -> Answers:
    """The family does not wish to re-enrol Émile."""
    refusal = household.application("declined", 1)
    return {**at_home(refusal), ShowApplication: refusal}


def waiting(place: WaitingPlace) -> Answers:
    """Émile waits for a full course, or is offered its seat, and holds one in another."""
    row = household.theory(household.THURSDAY, hold=household.hold(), waiting=(place,))
    return {**at_step(5, row), MyWaitingPlaces: (place,)}


def full(slot: Slot) -> Rejection:
    """The last seat went to another family."""
    return Rejection(
        "course_full",
        "Complet : il n'y a plus de place dans %(label)s. Choisissez un autre créneau.",
        course_id=str(slot.course_id),
        follow_id=str(household.THEORY_ID),
        label=slot.label,
    )


def same_time(slot: Slot) -> Rejection:
    """Another course that Émile holds takes place then."""
    return Rejection(
        "same_time",
        "%(label)s a lieu en même temps que %(other_label)s."
        " Choisissez un autre créneau pour l'un des deux.",
        course_id=str(slot.course_id),
        follow_id=str(household.THEORY_ID),
        label=slot.label,
        other_label="Chant choral 1 (2) - LUNDI - 17.30 à 18.30",
    )


def campaign_closed() -> Rejection:
    """The campaign closed while someone was typing."""
    return Rejection(
        "campaign_closed",
        "La campagne de réinscription est close depuis le %(closes_at)s.",
        closes_at=datetime.now(UTC).isoformat(),
    )


def corrected_by_marc() -> Answers:
    """The other guardian changed Émile's address while this one was typing."""
    change = DetailChange(
        field="city",
        old_value="Meudon",
        new_value="Sèvres",
        author="Monsieur TEST Marc",
        changed_at=datetime.now(UTC),
    )
    guardians = {guardian.id: guardian for guardian in (household.NICOLE, household.MARC)}
    overtaken = Overtaken(revision=2, changes=(change,))
    refusal = Rejection(
        "details_changed",
        "Ces coordonnées ont changé pendant que vous les remplissiez : vérifiez-les, puis"
        " envoyez-les de nouveau.",
        **overtaken.model_dump(mode="json"),
    )
    return {
        UpdateStudent: refusal,
        UpdateGuardian: lambda question: guardians[question.guardian_id],
    }


def typed_before() -> Answers:
    """Something was typed at step 1 on another device, and not sent."""
    entries = ((f"eleve-{household.STUDENT_ID}-school", "Collège Jules-Ferry"),)
    typed_at = datetime.now(UTC) - timedelta(hours=1)
    return {**at_step(1), ShowEntries: KeptEntries(entries=entries, typed_at=typed_at)}


def signed_in_again() -> SignedIn:
    """A session that the showroom's browser is given, and shows no page with."""
    later = datetime.now(UTC) + timedelta(hours=1)
    return SignedIn(
        access_token="a", access_expires_at=later, refresh_token="r", refresh_expires_at=later
    )


def without(service: str, answers: Answers) -> Answers:
    """Have one service away."""
    return {
        question: ServiceUnavailable(service) if question.owner == service else answer
        for question, answer in answers.items()
    }


def link_sent() -> Answers:
    """A link was mailed, and is good."""
    later = datetime.now(UTC) + timedelta(minutes=60)
    reset = ResetLink(username="nicole.test", site_id=SITES[0].id, expires_at=later)
    email = EmailLink(email="nicole.nouvelle@familles.example", expires_at=later)
    return {ListSites: SITES, ReadResetLink: reset, ReadEmailLink: email}


def _missing(due_at: datetime) -> Missing:
    refused = MissingPiece(
        type_code="avis-2",
        name="Avis d'imposition 2026 sur les revenus 2025 responsable 2",
        owner="family",
        refusal="La page est illisible.",
    )
    return Missing(due_at=due_at, pieces=(refused,))


def _followed() -> tuple[FollowedCourse, ...]:
    return (
        FollowedCourse(
            school_year="2026-2027",
            label="FM 1.4 (12) - MERCREDI - 14.00 à 15.30",
            teacher="Mme ROUX",
            room="Salle 3",
        ),
        FollowedCourse(school_year="2026-2027", label="Trompette 2.1 (7)", teacher="", room=""),
        FollowedCourse(school_year="2025-2026", label="FM 1.3", teacher="", room=""),
        FollowedCourse(school_year="2024-2025", label="FM 1.2", teacher="", room=""),
    )


def _sessions(now: datetime) -> tuple[OpenSession, ...]:
    return tuple(
        OpenSession(
            id=new_id(),
            device=device,
            opened_at=now - 3 * DAY,
            last_seen_at=now - timedelta(minutes=5 * number),
            is_this_one=number == 0,
        )
        for number, device in enumerate(("Chrome sur Android", "Firefox sur Windows"))
    )
