"""What may be asked of seats: one value a request, and what each needs to be decided.

They come from commands, reactions and chores alike, and all are decided by
:func:`courses.allocation.allocate`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


@dataclass(slots=True)
class Scope:
    """What a batch concerns: its students are locked, and its courses; the rest is read.

    ``wished`` courses only matter while they have a seat left, ``courses`` always.
    ``named_seats`` and ``named_places`` come without their student and course, which are looked up
    first. ``waiting_students`` are those whose places and filings count besides their seats.
    """

    students: set[UUID] = field(default_factory=set)
    follows: set[UUID] = field(default_factory=set)
    campaigns: set[UUID] = field(default_factory=set)
    wished: set[UUID] = field(default_factory=set)
    courses: set[UUID] = field(default_factory=set)
    seats: set[UUID] = field(default_factory=set)
    named_seats: set[UUID] = field(default_factory=set)
    named_places: set[UUID] = field(default_factory=set)
    waiting_students: set[UUID] = field(default_factory=set)

    @property
    def only_wishes(self) -> bool:
        """Tell whether nothing is asked but seats, and nothing is given back for them."""
        others = (self.courses, self.named_seats, self.named_places, self.waiting_students)
        return bool(self.wished) and not any(others)


class Wish(NamedTuple):
    """A seat asked for: the first free of ``course_ids``, in the family's order."""

    hold_id: UUID
    student_id: UUID
    follow_id: UUID
    course_ids: tuple[UUID, ...]


class HoldRequest(NamedTuple):
    """A family's wishes, all granted or none; the seats of ``give_back`` are given up for them, and
    ``left_rows`` are not to be re-enrolled any more.
    """

    campaign_id: UUID
    family_id: UUID
    site_id: UUID | None
    actor_id: UUID
    wishes: tuple[Wish, ...]
    give_back: tuple[UUID, ...] = ()
    left_rows: frozenset[UUID] = frozenset()

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.campaigns.add(self.campaign_id)
        scope.named_seats.update(self.give_back)
        for wish in self.wishes:
            scope.seats.add(wish.hold_id)
            scope.students.add(wish.student_id)
            scope.follows.add(wish.follow_id)
            scope.wished.update(wish.course_ids)


class ReleaseRequest(NamedTuple):
    """A family gives a held seat back."""

    seat_id: UUID
    family_id: UUID
    actor_id: UUID

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_seats.add(self.seat_id)


class RenewRequest(NamedTuple):
    """A family is active: its holds last longer."""

    seat_ids: tuple[UUID, ...]
    family_id: UUID

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_seats.update(self.seat_ids)


class JoinRequest(NamedTuple):
    """A row waits for a seat in a full course."""

    place_id: UUID
    campaign_id: UUID
    family_id: UUID
    site_id: UUID | None
    student_id: UUID
    follow_id: UUID
    course_id: UUID

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.campaigns.add(self.campaign_id)
        scope.students.add(self.student_id)
        scope.waiting_students.add(self.student_id)
        scope.follows.add(self.follow_id)
        scope.courses.add(self.course_id)
        scope.named_places.add(self.place_id)


class LeaveRequest(NamedTuple):
    """A family waits no longer, or refuses what it was offered."""

    place_id: UUID
    family_id: UUID
    actor_id: UUID

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_places.add(self.place_id)


class AcceptRequest(NamedTuple):
    """A family takes the seat that it was offered."""

    place_id: UUID
    family_id: UUID
    site_id: UUID | None
    actor_id: UUID

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_places.add(self.place_id)
        scope.seats.add(self.place_id)


class ClaimRequest(NamedTuple):
    """A submitted application turns its holds into claims; ``left_rows`` are not re-enrolled, by
    what was chosen at ``chosen_at``.
    """

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    seat_ids: tuple[UUID, ...]
    left_rows: frozenset[UUID]
    chosen_at: datetime
    received_at: datetime

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.students.add(self.student_id)
        scope.waiting_students.add(self.student_id)
        scope.named_seats.update(self.seat_ids)


class DeclineRequest(NamedTuple):
    """A family does not re-enrol a student, or withdraws: what it had until then is freed."""

    campaign_id: UUID
    student_id: UUID
    received_at: datetime

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.students.add(self.student_id)
        scope.waiting_students.add(self.student_id)


class ExpireRequest(NamedTuple):
    """Some holds and offers look expired; those that are indeed come to their end."""

    seat_ids: tuple[UUID, ...]
    place_ids: tuple[UUID, ...]

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_seats.update(self.seat_ids)
        scope.named_places.update(self.place_ids)


class OfferRequest(NamedTuple):
    """Some courses may have more seats than before: those who wait come first."""

    course_ids: tuple[UUID, ...]

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.courses.update(self.course_ids)


class PlaceRequest(NamedTuple):
    """The staff of ``site_id``, or an operator where it is none, places a student."""

    seat_id: UUID
    campaign_id: UUID
    site_id: UUID | None
    actor_id: UUID
    student_id: UUID
    follow_id: UUID
    course_id: UUID
    reason: str

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.campaigns.add(self.campaign_id)
        scope.seats.add(self.seat_id)
        scope.students.add(self.student_id)
        scope.follows.add(self.follow_id)
        scope.courses.add(self.course_id)


class ConfirmRequest(NamedTuple):
    """The staff of ``site_id``, or an operator where it is none, confirms a claimed seat."""

    seat_id: UUID
    site_id: UUID | None
    actor_id: UUID
    reason: str

    def concern(self, scope: Scope) -> None:
        """Add to the scope of a batch."""
        scope.named_seats.add(self.seat_id)


type Request = (
    HoldRequest
    | ReleaseRequest
    | RenewRequest
    | JoinRequest
    | LeaveRequest
    | AcceptRequest
    | ClaimRequest
    | DeclineRequest
    | ExpireRequest
    | OfferRequest
    | PlaceRequest
    | ConfirmRequest
)


def concern(requests: Iterable[Request]) -> Scope:
    """Give what some requests concern together."""
    scope = Scope()
    for request in requests:
        request.concern(scope)
    return scope
