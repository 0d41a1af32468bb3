"""What courses answers and tells: the catalogue, who follows what, seats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.contract import Command, Contract, Event, ImportFile, Query

type CourseMode = Literal["slot", "level", "teacher", "reduced_schedule"]
type HoldState = Literal["held", "claimed"]
type PlaceState = Literal["waiting", "offered"]
type Decider = Literal["family", "staff"]
type OfferEnd = Literal["accepted", "refused", "expired", "withdrawn"]
type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


def _all_different[Identifiers: Sequence[UUID]](values: Identifiers) -> Identifiers:
    if len(set(values)) != len(values):
        message = "given twice"
        raise ValueError(message)
    return values


class Slot(Contract):
    """A group on offer for next year, with the seats left; none left is "Complet".

    ``label`` reads "FM 2.1 (33) - JEUDI - 17.00 à 18.30" (S61). ``waiting`` counts its waiting
    list: where somebody waits, no seat is left for others.
    """

    course_id: UUID
    label: str
    teacher: str
    room: str
    seats_left: int = Field(ge=0)
    waiting: int = Field(default=0, ge=0)


class Hold(Contract):
    """A seat kept for a student. ``expires_at`` is the shown end; a margin follows it, so that a
    submission in time always finds its seat.
    """

    id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    label: str
    state: HoldState
    expires_at: datetime


class WaitingPlace(Contract):
    """A student's place on the waiting list of a full course (S66).

    ``rank`` is 1 for the next to be offered a seat. Once a seat is "offered", it is kept for them
    until ``offered_until``, their rank is 0, and the present seat of the row stays theirs until
    they accept.
    """

    id: UUID
    campaign_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    label: str
    state: PlaceState
    rank: int = Field(ge=0)
    joined_at: datetime
    offered_until: datetime | None = None


class CourseRow(Contract):
    """A course followed this year and what next year offers for it (S60, S62).

    ``mode`` "slot" offers ``slots``; the three others are re-enrolled by the checkbox alone.
    ``hold`` is the seat chosen last; where a request was submitted, ``claimed`` is its seat, which
    stays until another request is (S74).
    """

    follow_id: UUID
    curriculum: str
    course: str
    cycle: str
    reduced_schedule: bool
    active: bool
    mode: CourseMode
    next_level: str
    slots: tuple[Slot, ...] = ()
    hold: Hold | None = None
    claimed: Hold | None = None
    waiting: tuple[WaitingPlace, ...] = ()


class CourseRows(Query[tuple[CourseRow, ...]]):
    """The rows of step 4 for one student of the caller's family, in one campaign."""

    campaign_id: UUID
    student_id: UUID


class FollowedCourse(Contract):
    """A course that a student follows or followed (S15).

    Of a year older than the catalogue only the code is known, and is the label.
    """

    school_year: str
    label: str
    teacher: str
    room: str


class FollowedCourses(Query[tuple[FollowedCourse, ...]]):
    """Every course of a student, the latest school year first."""

    student_id: UUID


class SeatRequest(Contract):
    """A seat wished for one row: up to three slots, the first one free is held (S63).

    ``hold_id`` is minted by the caller; repeating the same request gives the same answer.
    """

    hold_id: UUID
    student_id: UUID
    follow_id: UUID
    course_ids: Annotated[
        tuple[UUID, ...], Field(min_length=1, max_length=3), AfterValidator(_all_different)
    ]


class HoldSeats(Command[tuple[Hold, ...]]):
    """Hold seats for one or several students of a family, all or nothing (S63 to S65).

    A row that already holds a seat swaps it, and the holds of ``give_back`` are released, in the
    same act. The seat of a submitted request stays beside the one held, which replaces it once the
    modified request is submitted (S74); wished again, it is answered as it is, and those of
    ``left_rows``, not to be re-enrolled any more, keep nobody from their hours. Refused, and then
    nothing changes: ``course_full`` (with ``facts["course_id"]`` and ``facts["label"]``),
    ``campaign_not_open``, ``campaign_closed``, ``wrong_level``, ``wrong_site``, ``same_time``,
    ``already_claimed`` (a claimed seat given back), ``hold_ended`` (its identifier served before),
    ``not_found``.
    """

    campaign_id: UUID
    requests: Annotated[tuple[SeatRequest, ...], Field(min_length=1, max_length=20)]
    give_back: Annotated[tuple[UUID, ...], Field(max_length=20)] = ()
    left_rows: Annotated[tuple[UUID, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _each_row_and_hold_once(self) -> "HoldSeats":
        _all_different([request.follow_id for request in self.requests])
        _all_different([request.hold_id for request in self.requests])
        return self


class ReleaseSeat(Command[None]):
    """Give a held seat back; one already released stays so. A claimed seat is refused:
    ``already_claimed``.
    """

    hold_id: UUID


class RenewHolds(Command[tuple[Hold, ...]]):
    """Prolong holds of the caller's family at its activity: 20 minutes from now, within 60 from
    their beginning (S63). Answers those that still are; one that ended is left out.
    """

    hold_ids: Annotated[
        tuple[UUID, ...], Field(min_length=1, max_length=20), AfterValidator(_all_different)
    ]


class JoinWaitingList(Command[WaitingPlace]):
    """Wait for a seat in a full course, keeping the present one meanwhile (S66).

    ``place_id`` is minted by the caller; a row that waits for that course already is answered its
    present place. Refused: ``course_not_full``, ``already_held`` (the row has a seat there),
    ``place_ended`` (the identifier served before), ``wrong_level``, ``wrong_site``,
    ``campaign_not_open``, ``campaign_closed``, ``not_found``.
    """

    place_id: UUID
    campaign_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID


class LeaveWaitingList(Command[None]):
    """Wait no longer, or refuse the seat offered: it goes to the next. Repeating is harmless."""

    place_id: UUID


class AcceptOffer(Command[Hold]):
    """Take the seat offered, and give up the row's present one, in one act (S66).

    The seat is held, or claimed at once where the student's application was submitted. The
    answered hold has the identifier of the place: repeating gives it again. Refused:
    ``offer_ended`` (expired, refused or left), ``not_offered`` (still waiting), ``same_time``,
    ``campaign_closed`` (the application was not submitted in time), ``not_found``.
    """

    place_id: UUID


class MyWaitingPlaces(Query[tuple[WaitingPlace, ...]]):
    """Every place of the caller's family on waiting lists, offers first."""


class ConfirmSeat(Command[Hold]):
    """Confirm a claimed seat (staff of the site, or operator), for the record: who had which seat
    when, and why. Repeating changes nothing. Refused: ``not_claimed``, ``not_found``.
    """

    hold_id: UUID
    reason: Reason


class PlaceStudent(Command[Hold]):
    """Place a student's row in a course (staff of the site, or operator): claimed at once, the
    row's former seat given up in the same act. A campaign that closed does not prevent it.

    ``hold_id`` is minted by the caller. Refused: ``course_full`` (also where families wait: the
    next of them is offered it first), ``wrong_level``, ``wrong_site``, ``same_time``,
    ``hold_ended``, ``hold_id_reused``, ``not_found``.
    """

    hold_id: UUID
    campaign_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    reason: Reason


class CourseSeats(Contract):
    """The seats of a course at one moment; of two, the higher ``version`` is the later."""

    course_id: UUID
    seats_left: int = Field(ge=0)
    waiting: int = Field(ge=0)
    version: int = Field(ge=0)


class SeatsLeft(Query[tuple[CourseSeats, ...]]):
    """The seats of every course that is chosen by its slot. Asked without a token: it names
    nobody.
    """


class ImportCourses(ImportFile):
    """``cours.csv``: one group of one school year a line. Times are empty where there are none."""


class ImportEnrolments(ImportFile):
    """``inscriptions.csv``: eleve;cours;annee;niveau_propose."""


class SeatsHeld(Event):
    """Seats were held, renewed, or swapped: ``replaced_hold_ids`` are no more.

    One event tells what was decided together, of one family or of many.
    """

    campaign_id: UUID
    holds: tuple[Hold, ...]
    replaced_hold_ids: tuple[UUID, ...] = ()


class SeatsReleased(Event):
    """Seats were freed: holds that expired or were given back, and any seat, claimed ones too, of
    a family that declined or withdrew.
    """

    hold_ids: tuple[UUID, ...]


class SeatsClaimed(Event, about="application_id"):
    """A submitted application's holds became claims. ``missing_hold_ids`` could not: their seat
    had gone, and the secretariat places the student; a row that had one by the request before
    keeps it, as :class:`SeatPlaced` tells.

    ``replaced_hold_ids`` are seats of the request before, freed in the same act (S74), and
    ``received_at`` is when this one was received.
    """

    application_id: UUID
    hold_ids: tuple[UUID, ...]
    missing_hold_ids: tuple[UUID, ...] = ()
    replaced_hold_ids: tuple[UUID, ...] = ()
    received_at: datetime | None = None


class SeatPlaced(Event, about="student_id"):
    """A row's seat is another one: an offer was accepted, or the staff placed the student; or its
    claimed seat stays, because the one wished in its place had gone.

    ``hold`` replaces ``replaced_hold_id``, where the row had a seat.
    """

    campaign_id: UUID
    family_id: UUID
    student_id: UUID
    hold: Hold
    replaced_hold_id: UUID | None = None
    decided_by: Decider


class SeatConfirmed(Event, about="hold_id"):
    """The staff confirmed a claimed seat; the ledger of courses says why."""

    hold_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    label: str = ""


class SeatOffered(Event, about="place_id"):
    """A freed seat is offered to the next of a waiting list, until ``offered_until``."""

    place_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    label: str
    offered_until: datetime


class OfferEnded(Event, about="place_id"):
    """What became of an offer; unless it was accepted, the seat goes to the next."""

    place_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID
    course_id: UUID
    label: str
    end: OfferEnd


class SeatsChanged(Event):
    """How many seats are left, in the courses where that changed: told a few times a second."""

    courses: tuple[CourseSeats, ...]


class StudentDisciplines(Contract):
    """The disciplines that a student follows in a school year."""

    student_id: UUID
    school_year: str
    disciplines: tuple[str, ...]


class DisciplinesRecorded(Event):
    """Who follows which disciplines was imported or changed: up to 500 students."""

    students: tuple[StudentDisciplines, ...]
