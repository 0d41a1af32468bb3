"""The book of a batch: what was read, changed by one request after the other.

Whatever a request changed is undone where it is refused half-way: all or nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.courses import Decider, OfferEnd

from courses.seats import (
    OFFER,
    Campaign,
    Filing,
    Place,
    Room,
    Row,
    Seat,
    seats_left,
)

type Key = tuple[UUID, UUID]
type Change = Literal["offered", "held", "claimed", "confirmed", "released"]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a batch was read from the database, under its locks.

    ``seats`` holds every live seat of the students concerned and whatever is named by a request;
    ``places`` the named places and the live ones of students who wait.
    """

    rooms: Mapping[UUID, Room]
    rows: Mapping[UUID, Row] = field(default_factory=dict)
    campaigns: Mapping[UUID, Campaign] = field(default_factory=dict)
    seats: Mapping[UUID, Seat] = field(default_factory=dict)
    places: Mapping[UUID, Place] = field(default_factory=dict)
    filings: Mapping[Key, Filing] = field(default_factory=dict)


class LedgerLine(NamedTuple):
    """Who had which seat when, and why; ``step`` is what it adds to the course's taken seats."""

    seat_id: UUID
    course_id: UUID
    student_id: UUID
    change: Change
    step: Literal[-1, 0, 1]
    reason: str
    actor_id: UUID | None


class RowSeats(NamedTuple):
    """The live seats of a row: the one of its submitted application, and the one chosen to replace
    it, or to be its first.
    """

    claimed: Seat | None = None
    held: Seat | None = None

    def has(self, course_id: UUID) -> bool:
        """Tell whether one of them is in a course."""
        return any(seat is not None and seat.course_id == course_id for seat in self)


class Kept(NamedTuple):
    """Seats held or renewed in one act, and those that they replace."""

    seats: tuple[Seat, ...]
    replaced_ids: tuple[UUID, ...]


class Freed(NamedTuple):
    """A seat that ended without a claim."""

    seat_id: UUID


class Claimed(NamedTuple):
    """What a submission found: seats now its own, wanted ones that had gone, and those of the
    submission before, which it has no use for.
    """

    application_id: UUID
    seat_ids: tuple[UUID, ...]
    missing_ids: tuple[UUID, ...]
    replaced_ids: tuple[UUID, ...]
    received_at: datetime


class Placed(NamedTuple):
    """A row's seat was decided otherwise than by a hold; it may replace another."""

    seat: Seat
    replaced_id: UUID | None
    decided_by: Decider


class Confirmed(NamedTuple):
    """The staff confirmed a claimed seat."""

    seat: Seat


class Offered(NamedTuple):
    """A freed seat is offered to the next of a waiting list."""

    place: Place


class Ended(NamedTuple):
    """What became of an offer."""

    place: Place
    end: OfferEnd


type Fact = Kept | Freed | Claimed | Placed | Confirmed | Offered | Ended
"""What a batch has to tell, and what events are made of."""


class Mark(NamedTuple):
    """Where a book stood."""

    undo: int
    ledger: int
    facts: int


_ABSENT: Final = object()
_NO_SEATS: Final = RowSeats()


class Standing:
    """Where a course stands in a batch: its counters as the requests before left them.

    ``line`` are those who wait, in order; some of them may have been offered a seat meanwhile.
    """

    __slots__ = ("line", "room", "taken", "waiting")

    def __init__(self, room: Room) -> None:
        self.room = room
        self.taken = room.taken
        self.waiting = room.waiting
        self.line = room.line

    @property
    def left(self) -> int:
        """Count the seats that anyone may take now."""
        return seats_left(self.room.capacity, self.taken, self.waiting)


class Book:
    """The state of a batch while it is decided."""

    def __init__(self, rooms: Rooms, now: datetime) -> None:
        self.now = now
        self.rows = rooms.rows
        self.campaigns = rooms.campaigns
        self.standings = {key: Standing(room) for key, room in rooms.rooms.items()}
        self.seats = dict(rooms.seats)
        self.places = dict(rooms.places)
        self.filings = dict(rooms.filings)
        self.ledger: list[LedgerLine] = []
        self.facts: list[Fact] = []
        for room in rooms.rooms.values():
            self.places.update((place.id, place) for place in room.line)
        self._read, self._places_read = rooms, dict(self.places)
        self._live: dict[UUID, tuple[Seat, ...]] = {}
        for seat in rooms.seats.values():
            if seat.state != "released":
                self._live[seat.student_id] = (*self._live.get(seat.student_id, ()), seat)
        self._waits = {_wait(place): place.id for place in rooms.places.values() if place.is_live}
        self._undo: list[tuple[dict[Any, Any] | Standing, Any, Any]] = []

    def mark(self) -> Mark:
        """Give where the book stands, for :meth:`undo`."""
        return Mark(len(self._undo), len(self.ledger), len(self.facts))

    def undo(self, mark: Mark) -> None:
        """Take back whatever was changed since ``mark``."""
        for changed, key, former in reversed(self._undo[mark.undo :]):
            if isinstance(changed, Standing):
                setattr(changed, key, former)
            elif former is _ABSENT:
                del changed[key]
            else:
                changed[key] = former
        del self._undo[mark.undo :]
        del self.ledger[mark.ledger :]
        del self.facts[mark.facts :]

    def changed_seats(self) -> tuple[Seat, ...]:
        """Give the seats that are new or not as they were read."""
        read = self._read.seats
        return tuple(seat for key, seat in self.seats.items() if read.get(key) is not seat)

    def changed_places(self) -> tuple[Place, ...]:
        """Give the places that are new or not as they were read."""
        return tuple(
            place for key, place in self.places.items() if self._places_read.get(key) is not place
        )

    def changed_counters(self) -> dict[UUID, tuple[int, int]]:
        """Give the seats taken and the length of the waiting list, where they changed."""
        return {
            course_id: (now.taken, now.waiting)
            for course_id, now in self.standings.items()
            if (now.taken, now.waiting) != (now.room.taken, now.room.waiting)
        }

    def changed_filings(self) -> dict[Key, Filing]:
        """Give the filings that are new or not as they were read."""
        read = self._read.filings
        return {key: each for key, each in self.filings.items() if read.get(key) is not each}

    def standing(self, course_id: UUID) -> Standing:
        """Give where a course stands; raises the Rejection ``not_found``."""
        standing = self.standings.get(course_id)
        if standing is None:
            raise Rejection.not_found()
        return standing

    def seats_of_student(self, campaign_id: UUID, student_id: UUID) -> list[Seat]:
        """Give the live seats of a student."""
        seats = self._live.get(student_id, ())
        return [seat for seat in seats if seat.campaign_id == campaign_id]

    def seats_of_row(self, campaign_id: UUID, student_id: UUID, follow_id: UUID) -> RowSeats:
        """Give the live seats of a student's row."""
        live = self._live.get(student_id)
        if not live:
            return _NO_SEATS
        claimed = held = None
        for seat in live:
            if (seat.campaign_id, seat.follow_id) != (campaign_id, follow_id):
                continue
            if seat.state == "claimed":
                claimed = seat
            else:
                held = seat
        return RowSeats(claimed, held)

    def place_of_row(self, campaign_id: UUID, follow_id: UUID, course_id: UUID) -> Place | None:
        """Give the live place of a row on a course's waiting list."""
        place_id = self._waits.get((campaign_id, follow_id, course_id))
        place = None if place_id is None else self.places[place_id]
        return place if place and place.is_live else None

    def take(
        self, seat: Seat, reason: str, actor_id: UUID | None, *, offered: bool = False
    ) -> None:
        """Give a row its seat; an offered one counts as taken already."""
        self.put(seat)
        if not offered:
            standing = self.standings[seat.course_id]
            self._count(standing, "taken", standing.taken + 1)
        change: Change = "claimed" if seat.state == "claimed" else "held"
        step: Literal[0, 1] = 0 if offered else 1
        self.ledger.append(
            LedgerLine(seat.id, seat.course_id, seat.student_id, change, step, reason, actor_id)
        )

    def put(self, seat: Seat) -> None:
        """Keep a seat as it is now; the counters stay as they are."""
        self._set(self.seats, seat.id, seat)
        live = self._live.get(seat.student_id, ())
        if live:
            live = tuple(each for each in live if each.id != seat.id)
        self._set(self._live, seat.student_id, live if seat.state == "released" else (*live, seat))

    def note(self, seat: Seat, change: Change, reason: str, actor_id: UUID | None) -> None:
        """Write a change in the ledger that takes and frees nothing."""
        self.ledger.append(
            LedgerLine(seat.id, seat.course_id, seat.student_id, change, 0, reason, actor_id)
        )

    def release(self, seat: Seat, reason: str, actor_id: UUID | None = None) -> None:
        """Free a seat; whoever waits for it is offered it by :meth:`offer`."""
        self.put(seat._replace(state="released"))
        self._free(seat.id, seat.course_id, seat.student_id, reason, actor_id)

    def wait(self, place: Place) -> None:
        """Put a row at the end of a waiting list."""
        self._set(self.places, place.id, place)
        self._set(self._waits, _wait(place), place.id)
        standing = self.standings[place.course_id]
        self._count(standing, "waiting", standing.waiting + 1)
        self._undo.append((standing, "line", standing.line))
        standing.line = (*standing.line, place)

    def end_place(self, place: Place, end: OfferEnd, actor_id: UUID | None = None) -> None:
        """End a place: who waits leaves the line, what was offered is free unless accepted."""
        self._set(self.places, place.id, place._replace(state=end))
        if place.state == "waiting":
            standing = self.standings[place.course_id]
            self._count(standing, "waiting", standing.waiting - 1)
            return
        self.facts.append(Ended(place, end))
        if end != "accepted":
            reason = f"offer {end}"
            self._free(place.id, place.course_id, place.student_id, reason, actor_id)

    def offer(self, course_id: UUID, *, but: UUID | None = None) -> None:
        """Offer the free seats of a course to those who wait, in order.

        Not to the student ``but``, who has just freed one.
        """
        standing = self.standings[course_id]
        for place in standing.line:
            if standing.taken >= standing.room.capacity or not standing.waiting:
                return
            if self.places[place.id].state != "waiting" or place.student_id == but:
                continue
            offered = place._replace(state="offered", offered_until=self.now + OFFER)
            self._set(self.places, place.id, offered)
            self._count(standing, "waiting", standing.waiting - 1)
            self._count(standing, "taken", standing.taken + 1)
            self.ledger.append(
                LedgerLine(
                    place.id, course_id, place.student_id, "offered", 1, "next in line", None
                )
            )
            self.facts.append(Offered(offered))

    def tell_placed(self, seat: Seat, former: Sequence[Seat], decided_by: Decider) -> None:
        """Tell that a row has a seat in place of ``former``, its claimed one first; what these free
        goes to those who wait.
        """
        replaced_id = former[0].id if former else None
        self.facts.append(Placed(seat, replaced_id, decided_by))
        self.facts.extend(Freed(each.id) for each in former[1:])
        for each in former:
            if each.course_id != seat.course_id:
                self.offer(each.course_id, but=each.student_id)

    def file(self, key: Key, filing: Filing) -> None:
        """Keep when an application was submitted or declined."""
        self._set(self.filings, key, filing)

    def _free(
        self, seat_id: UUID, course_id: UUID, student_id: UUID, reason: str, actor_id: UUID | None
    ) -> None:
        standing = self.standings[course_id]
        self._count(standing, "taken", standing.taken - 1)
        self.ledger.append(
            LedgerLine(seat_id, course_id, student_id, "released", -1, reason, actor_id)
        )

    def _count(self, standing: Standing, counter: Literal["taken", "waiting"], value: int) -> None:
        self._undo.append((standing, counter, getattr(standing, counter)))
        setattr(standing, counter, value)

    def _set[K, V](self, mapping: dict[K, V], key: K, value: V) -> None:
        self._undo.append((mapping, key, mapping.get(key, _ABSENT)))
        mapping[key] = value


def _wait(place: Place) -> tuple[UUID, UUID, UUID]:
    return place.campaign_id, place.follow_id, place.course_id
