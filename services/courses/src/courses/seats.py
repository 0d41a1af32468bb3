"""Seats: the values that an allocation is about, and the durations that rule them.

A seat is *held* for a while when a family chooses a slot, *claimed* once its application is
submitted, *released* when it ends. A row whose seat is claimed may hold another one, which replaces
it when a new request is submitted. On a full course a row has a *place* on the waiting list; a
freed seat is *offered* to the next of them, and counts as taken meanwhile.

Seats and places are named tuples: thousands a second are made of them.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

HOLD = timedelta(minutes=20)
"""How long a hold lasts, as shown (S63)."""
HOLD_AT_MOST = timedelta(minutes=60)
"""How long activity may renew a hold, from its beginning (S63)."""
MARGIN = timedelta(minutes=5)
"""How long past its shown end a seat is kept: a submission in time always finds it."""
OFFER = timedelta(hours=24)
"""How long a freed seat is offered to one family before it goes to the next (S66)."""

type SeatState = Literal["held", "claimed", "released"]
type PlaceState = Literal["waiting", "offered", "accepted", "refused", "expired", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Slot:
    """When a group meets, in the territory's own time."""

    weekday: str
    starts_at: time
    ends_at: time

    def meets_during(self, other: "Slot") -> bool:
        """Tell whether one person could not attend both."""
        return (
            self.weekday == other.weekday
            and self.starts_at < other.ends_at
            and other.starts_at < self.ends_at
        )


@dataclass(frozen=True, slots=True)
class Course:
    """A group as the catalogue describes it: ``is_chosen`` where families choose its slot.

    ``next_year`` is the school year after its own.
    """

    id: UUID
    site_id: UUID
    school_year: str
    next_year: str
    curriculum: str
    level: str
    label: str
    is_chosen: bool
    slot: Slot | None


class Place(NamedTuple):
    """A row's place on the waiting list of a full course."""

    id: UUID
    campaign_id: UUID
    course_id: UUID
    family_id: UUID
    student_id: UUID
    follow_id: UUID
    state: PlaceState
    joined_at: datetime
    offered_until: datetime | None

    @property
    def is_live(self) -> bool:
        """Tell whether the row still waits, or has an offer to answer."""
        return self.state in ("waiting", "offered")


class Room(NamedTuple):
    """A course with its counters: ``taken`` counts seats held, claimed and offered, ``waiting``
    who waits without an offer; ``line`` are the first of those, in order.
    """

    course: Course
    capacity: int
    taken: int
    waiting: int = 0
    line: tuple[Place, ...] = ()


def seats_left(capacity: int, taken: int, waiting: int) -> int:
    """Count the seats that anyone may take: what is free is for those who wait, before all."""
    return max(0, capacity - taken - waiting)


class Row(NamedTuple):
    """What a student may choose for one course followed: next year's groups of these three."""

    follow_id: UUID
    student_id: UUID
    family_ids: tuple[UUID, ...]
    site_id: UUID
    school_year: str
    curriculum: str
    next_level: str


class Seat(NamedTuple):
    """A seat of a row, and what became of it."""

    id: UUID
    campaign_id: UUID
    course_id: UUID
    family_id: UUID
    student_id: UUID
    follow_id: UUID
    state: SeatState
    held_at: datetime
    expires_at: datetime
    confirmed: bool = False


class Filing(NamedTuple):
    """When a student's application was last submitted, and last declined."""

    filed_at: datetime | None = None
    declined_at: datetime | None = None

    @property
    def is_filed(self) -> bool:
        """Tell whether a submission stands."""
        if self.filed_at is None:
            return False
        return self.declined_at is None or self.declined_at < self.filed_at

    def is_last(self, submitted_at: datetime) -> bool:
        """Tell whether nothing later is known than a submission of that instant."""
        if self.declined_at is not None and self.declined_at >= submitted_at:
            return False
        return self.filed_at is None or self.filed_at <= submitted_at


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of a site: for which school year, and when it is open, to the second (S24)."""

    id: UUID
    site_id: UUID
    school_year: str
    opens_at: datetime
    closes_at: datetime


def renewed(seat: Seat, now: datetime) -> Seat:
    """Prolong a hold at its family's activity, within :data:`HOLD_AT_MOST`."""
    until = min(now + HOLD, seat.held_at + HOLD_AT_MOST)
    return seat._replace(expires_at=until) if until > seat.expires_at else seat
