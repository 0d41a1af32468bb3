"""Seats: who may hold which, decided without a server.

A seat is *held* for a while when a family chooses a slot, *claimed* once its application is
submitted, *released* when the hold ends without one. Held and claimed seats never exceed a
course's capacity (S67).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID

from shared.contract import Rejection

HOLD = timedelta(minutes=20)
"""How long a hold lasts, as shown (S63)."""
HOLD_AT_MOST = timedelta(minutes=60)
"""How long activity may renew a hold, from its beginning (S63)."""
MARGIN = timedelta(minutes=5)
"""How long past its shown end a seat is kept: a submission in time always finds it."""


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
class Room:
    """A course of next year as the allocation sees it; ``taken`` counts held and claimed seats."""

    course_id: UUID
    site_id: UUID
    school_year: str
    curriculum: str
    level: str
    label: str
    teacher: str
    place: str
    slot: Slot | None
    capacity: int
    taken: int

    @property
    def seats_left(self) -> int:
        """Free seats; none where the capacity was lowered under what is taken."""
        return max(0, self.capacity - self.taken)


@dataclass(frozen=True, slots=True)
class Row:
    """What a student may choose for one course followed: next year's groups of these three."""

    follow_id: UUID
    student_id: UUID
    site_id: UUID
    school_year: str
    curriculum: str
    next_level: str


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat held or claimed."""

    id: UUID
    course_id: UUID
    student_id: UUID
    follow_id: UUID
    claimed: bool
    held_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Wish:
    """A seat asked for: the first free of ``course_ids``, in the family's order."""

    hold_id: UUID
    row: Row
    course_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one family gets, all of it or nothing: seats to keep, and those given up for them."""

    granted: tuple[Seat, ...]
    replaced: tuple[Seat, ...]


def renewed(seat: Seat, now: datetime) -> Seat:
    """Prolong a hold at its family's activity, within :data:`HOLD_AT_MOST`."""
    until = min(now + HOLD, seat.held_at + HOLD_AT_MOST)
    return replace(seat, expires_at=max(seat.expires_at, until))


def allocate(
    wishes: Sequence[Wish],
    rooms: Mapping[UUID, Room],
    kept: Sequence[Seat],
    now: datetime,
    give_back: Collection[UUID] = (),
) -> Allocation:
    """Decide what one family gets for its wishes: every one granted, or a Rejection.

    - Each wish takes the first of its courses that has a seat left; a seat that the same act
      frees counts as free, and one that it takes as taken.
    - A row that already has a seat in the course it would get keeps that seat, renewed; in
      another, the old seat is given up in the same act.
    - A repeat of the request that gave a row its seat gives that seat again.
    - The seats of ``give_back`` are given up in the same act, and make room for its wishes.
    - Refused, and then nothing changes: a course that is not on offer for the row
      (``wrong_site``, ``wrong_level``), one that meets during another seat of the same student
      (``same_time``), a row whose seat is already claimed (``already_claimed``), no seat left in
      any (``course_full``, naming the last one tried), an identifier that already names this
      row's seat in another course (``hold_id_reused``).

    ``kept`` holds every live seat of the students concerned.
    """
    rows = {wish.row.follow_id for wish in wishes}
    leaving = [seat for seat in kept if seat.id in give_back or seat.follow_id in rows]
    staying = [seat for seat in kept if seat not in leaving]
    former = {seat.follow_id: seat for seat in leaving}
    left = {room.course_id: room.seats_left for room in rooms.values()}
    for seat in former.values():
        if seat.claimed:
            raise Rejection(
                "already_claimed",
                "La place de ce cours est déjà attribuée. Contactez le conservatoire pour changer.",
            )
        if seat.course_id in left:
            left[seat.course_id] += 1
    granted: list[Seat] = []
    for wish in wishes:
        present = former.get(wish.row.follow_id)
        if present is not None and present.id == wish.hold_id:
            room = _same_again(present, wish, rooms)
        else:
            room = _first_with_a_seat(wish, rooms, left)
        _refuse_same_time(wish.row.student_id, room, rooms, [*staying, *granted])
        left[room.course_id] -= 1
        if present is not None and present.course_id == room.course_id:
            granted.append(renewed(present, now))
        else:
            granted.append(
                Seat(
                    id=wish.hold_id,
                    course_id=room.course_id,
                    student_id=wish.row.student_id,
                    follow_id=wish.row.follow_id,
                    claimed=False,
                    held_at=now,
                    expires_at=now + HOLD,
                )
            )
    remaining = {seat.id for seat in granted}
    replaced = tuple(seat for seat in former.values() if seat.id not in remaining)
    return Allocation(tuple(granted), replaced)


def _same_again(present: Seat, wish: Wish, rooms: Mapping[UUID, Room]) -> Room:
    """A repeat of the request that gave this seat gets it again, whatever was freed since."""
    if present.course_id not in wish.course_ids:
        raise Rejection("hold_id_reused", "Cette demande de place a déjà servi : recommencez.")
    return rooms[present.course_id]


def _first_with_a_seat(wish: Wish, rooms: Mapping[UUID, Room], left: Mapping[UUID, int]) -> Room:
    for course_id in wish.course_ids:
        room = rooms.get(course_id)
        if room is None:
            raise Rejection.not_found()
        _refuse_off_offer(wish.row, room)
        if left[course_id] > 0:
            return room
    full = rooms[wish.course_ids[-1]]
    raise Rejection(
        "course_full",
        f"Complet : il n'y a plus de place dans {full.label}. Choisissez un autre créneau.",
        course_id=str(full.course_id),
        follow_id=str(wish.row.follow_id),
        label=full.label,
    )


def _refuse_off_offer(row: Row, room: Room) -> None:
    if room.site_id != row.site_id:
        raise Rejection("wrong_site", "Ce cours a lieu dans un autre conservatoire.")
    offered = (row.school_year, row.curriculum, row.next_level)
    if (room.school_year, room.curriculum, room.level) != offered or room.slot is None:
        raise Rejection(
            "wrong_level", f"{room.label} n'est pas au niveau proposé pour l'année prochaine."
        )


def _refuse_same_time(
    student_id: UUID, room: Room, rooms: Mapping[UUID, Room], seats: Sequence[Seat]
) -> None:
    for seat in seats:
        other = rooms[seat.course_id]
        if (
            seat.student_id == student_id
            and room.slot is not None
            and other.slot is not None
            and room.slot.meets_during(other.slot)
        ):
            raise Rejection(
                "same_time",
                f"{room.label} a lieu en même temps que {other.label}."
                " Choisissez un autre créneau pour l'un des deux.",
                course_id=str(room.course_id),
            )
