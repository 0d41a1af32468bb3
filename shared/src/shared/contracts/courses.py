"""What courses answers and tells: the catalogue, who follows what, seats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from shared.contract import Command, Contract, Event, ImportFile, Query

type CourseMode = Literal["slot", "level", "teacher", "reduced_schedule"]
type HoldState = Literal["held", "claimed"]


def _all_different[Identifiers: Sequence[UUID]](values: Identifiers) -> Identifiers:
    if len(set(values)) != len(values):
        message = "given twice"
        raise ValueError(message)
    return values


class Slot(Contract):
    """A group on offer for next year, with the seats left; none left is "Complet".

    ``label`` reads "FM 2.1 (33) - JEUDI - 17.00 à 18.30" (S61).
    """

    course_id: UUID
    label: str
    teacher: str
    room: str
    seats_left: int = Field(ge=0)


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


class CourseRow(Contract):
    """A course followed this year and what next year offers for it (S60, S62).

    ``mode`` "slot" offers ``slots``; the three others are re-enrolled by the checkbox alone.
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
    same act. Refused, and then nothing changes: ``course_full`` (with ``facts["course_id"]`` and
    ``facts["label"]``), ``campaign_not_open``, ``campaign_closed``, ``wrong_level``,
    ``wrong_site``, ``same_time``, ``already_claimed``, ``hold_ended`` (its identifier served
    before), ``not_found``.
    """

    campaign_id: UUID
    requests: Annotated[tuple[SeatRequest, ...], Field(min_length=1, max_length=20)]
    give_back: Annotated[tuple[UUID, ...], Field(max_length=20)] = ()

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


class ImportCourses(ImportFile):
    """``cours.csv``: one group of one school year a line. Times are empty where there are none."""


class ImportEnrolments(ImportFile):
    """``inscriptions.csv``: eleve;cours;annee;niveau_propose."""


class SeatsHeld(Event):
    """Seats were held, or swapped: ``replaced_hold_ids`` are no more."""

    campaign_id: UUID
    family_id: UUID
    holds: tuple[Hold, ...]
    replaced_hold_ids: tuple[UUID, ...] = ()


class SeatsReleased(Event):
    """Holds ended without a claim: expired, given back, or the family declined."""

    hold_ids: tuple[UUID, ...]


class SeatsClaimed(Event, about="application_id"):
    """A submitted application's holds became claims. ``missing_hold_ids`` could not: their seat
    had gone, and the secretariat places the student.
    """

    application_id: UUID
    hold_ids: tuple[UUID, ...]
    missing_hold_ids: tuple[UUID, ...] = ()


class StudentDisciplines(Contract):
    """The disciplines that a student follows in a school year."""

    student_id: UUID
    school_year: str
    disciplines: tuple[str, ...]


class DisciplinesRecorded(Event):
    """Who follows which disciplines was imported or changed: up to 500 students."""

    students: tuple[StudentDisciplines, ...]
