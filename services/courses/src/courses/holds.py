"""Holds: how a family takes seats, changes its mind, keeps them longer, and gives them back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from shared.contract import Rejection

from courses.book import Book, Freed, Kept, RowSeats, Standing
from courses.eligibility import (
    prospects,
    refuse_off_offer,
    refuse_same_time,
    require_open,
    require_own_row,
)
from courses.requests import ExpireRequest, HoldRequest, ReleaseRequest, RenewRequest, Wish
from courses.seats import HOLD, MARGIN, Course, Row, Seat, renewed


class _Act:
    """One family's act while it is decided: the seats it gives up, and those it is granted.

    A seat that it gives up serves one of its own wishes at most, before anyone else's; one of
    ``kept`` only that of the row that has it. A claimed seat is not given up: it serves its own row
    alone, and that of one of ``rows`` is not what it is to keep.
    """

    def __init__(
        self,
        book: Book,
        leaving: dict[UUID, Seat],
        kept: frozenset[UUID],
        rows: Collection[UUID],
    ) -> None:
        self.leaving = leaving
        self.kept = kept
        self.rows = rows
        self.granted: list[Seat] = []
        self._book = book
        self._unused = dict(leaving)
        self._taken: dict[UUID, int] = {}

    def has_seat(self, standing: Standing, present: RowSeats) -> bool:
        """Tell whether a row may have a seat in a course: its own, one left, or one given up."""
        course_id = standing.room.course.id
        claimed, held = present
        if claimed is not None and claimed.course_id == course_id:
            return True
        if held is not None and held.course_id == course_id and held.id in self._unused:
            del self._unused[held.id]
            return True
        taken = self._taken.get(course_id, 0) if self._taken else 0
        if standing.left > taken:
            self._taken[course_id] = taken + 1
            return True
        if standing.taken > standing.room.capacity:
            return False
        for seat in self._unused.values():
            if seat.course_id == course_id and seat.id not in self.kept:
                del self._unused[seat.id]
                return True
        return False

    def has_passed_on(self, seat: Seat) -> bool:
        """Tell whether a seat went to another row than its own."""
        return seat.id in self.leaving and seat.id not in self._unused

    def seats_of(self, campaign_id: UUID, student_id: UUID) -> list[Seat]:
        """Give what the student would have besides: what stays, and what this act granted."""
        staying = [
            seat
            for seat in self._book.seats_of_student(campaign_id, student_id)
            if seat.id not in self.leaving
            and not (seat.state == "claimed" and seat.follow_id in self.rows)
        ]
        granted = [seat for seat in self.granted if seat.student_id == student_id]
        return [*prospects(staying), *granted]


def hold(book: Book, request: HoldRequest) -> tuple[Seat, ...]:
    """Grant every wish of a family, or none."""
    campaign = require_open(book, request.campaign_id, request.site_id)
    rows = [
        require_own_row(book, wish.follow_id, wish.student_id, campaign, request.family_id)
        for wish in request.wishes
    ]
    leaving = _leaving(book, request)
    changing = request.left_rows.union(row.follow_id for row in rows)
    act = _Act(book, leaving, _first_wished(book, request), changing)
    while (deprived := _grant(book, act, request, rows)) is not None:
        act = _Act(book, leaving, act.kept | {deprived.id}, changing)
    _record(book, act, request.actor_id)
    return tuple(act.granted)


def _first_wished(book: Book, request: HoldRequest) -> frozenset[UUID]:
    """Find the seats that their own row wishes before any other."""
    if len(request.wishes) == 1:
        return frozenset()
    seats = [
        (book.seats_of_row(request.campaign_id, wish.student_id, wish.follow_id).held, wish)
        for wish in request.wishes
    ]
    return frozenset(
        seat.id for seat, wish in seats if seat and seat.course_id == wish.course_ids[0]
    )


def _grant(book: Book, act: _Act, request: HoldRequest, rows: Sequence[Row]) -> Seat | None:
    """Grant an act its wishes, in their order; gives the seat of a row that is left without any
    because a sibling's wish was given its own.
    """
    for wish, row in zip(request.wishes, rows, strict=True):
        present = book.seats_of_row(request.campaign_id, wish.student_id, wish.follow_id)
        claimed, held = present
        named = _named_before(book, wish, request)
        course = _choose(book, act, wish, row, present, named)
        if course is None:
            if held and held.course_id in wish.course_ids and act.has_passed_on(held):
                return held
            raise _full(book.standing(wish.course_ids[-1]).room.course, wish)
        refuse_same_time(
            book, course, wish.follow_id, act.seats_of(request.campaign_id, wish.student_id)
        )
        if claimed is not None and claimed.course_id == course.id:
            act.granted.append(claimed)
        elif held is not None and held.course_id == course.id:
            act.granted.append(renewed(held, book.now))
        else:
            act.granted.append(_new_seat(request, wish, course, book.now))
    return None


def release(book: Book, request: ReleaseRequest) -> tuple[Seat, ...]:
    """Free a held seat; one already released stays so."""
    seat = _own_seat(book, request.seat_id, request.family_id)
    if seat.state == "claimed":
        raise _already_claimed(seat)
    if seat.state == "held":
        _free(book, seat, "given back", request.actor_id)
    return ()


def renew(book: Book, request: RenewRequest) -> tuple[Seat, ...]:
    """Prolong the holds that still are, and give them."""
    seats = [_own_seat(book, seat_id, request.family_id) for seat_id in request.seat_ids]
    live = [
        renewed(seat, book.now) if seat.state == "held" else seat
        for seat in seats
        if seat.state != "released"
    ]
    for seat in live:
        book.put(seat)
    prolonged = tuple(seat for seat in live if seat not in seats)
    if prolonged:
        book.facts.append(Kept(prolonged, ()))
    return tuple(live)


def expire(book: Book, request: ExpireRequest) -> tuple[Seat, ...]:
    """End the holds and offers whose margin is over; a renewed one goes on."""
    over = book.now - MARGIN
    for seat_id in request.seat_ids:
        seat = book.seats.get(seat_id)
        if seat is not None and seat.state == "held" and seat.expires_at < over:
            _free(book, seat, "expired", None)
    for place_id in request.place_ids:
        place = book.places.get(place_id)
        if place is None or place.state != "offered" or place.offered_until is None:
            continue
        if place.offered_until < over:
            book.end_place(place, "expired")
            book.offer(place.course_id, but=place.student_id)
    return ()


def _leaving(book: Book, request: HoldRequest) -> dict[UUID, Seat]:
    """Find the seats that the act may give up; raises ``already_claimed`` for a claimed one."""
    rows = [
        book.seats_of_row(request.campaign_id, wish.student_id, wish.follow_id).held
        for wish in request.wishes
    ]
    given_back = [_own_seat(book, seat_id, request.family_id) for seat_id in request.give_back]
    leaving = {}
    for seat in [*rows, *given_back]:
        if seat is None or seat.state == "released":
            continue
        if seat.state == "claimed":
            raise _already_claimed(seat)
        leaving[seat.id] = seat
    return leaving


def _already_claimed(seat: Seat) -> Rejection:
    return Rejection(
        "already_claimed",
        "Cette place fait partie d'une demande déjà transmise : elle ne se rend qu'avec une"
        " demande modifiée, ou retirée.",
        follow_id=str(seat.follow_id),
    )


def _named_before(book: Book, wish: Wish, request: HoldRequest) -> Seat | None:
    """Give the seat that the wish's identifier names already, where it is a repeat.

    An identifier serves one hold of one family: once it ended, another choice needs a new one.
    """
    seat = book.seats.get(wish.hold_id)
    if seat is None:
        return None
    if seat.family_id != request.family_id:
        raise Rejection.not_found()
    if seat.state == "released":
        raise Rejection("hold_ended", "Cette place n'est plus retenue. Choisissez à nouveau.")
    named = (seat.campaign_id, seat.follow_id)
    if named != (request.campaign_id, wish.follow_id) or seat.course_id not in wish.course_ids:
        raise Rejection("hold_id_reused", "Cette demande de place a déjà servi : recommencez.")
    return seat


def _choose(
    book: Book, act: _Act, wish: Wish, row: Row, present: RowSeats, named: Seat | None
) -> Course | None:
    """Choose the first course with a seat, none where all are full; a repeat gets its own again,
    whatever was freed since.
    """
    course_ids = wish.course_ids if named is None else (named.course_id,)
    for course_id in course_ids:
        standing = book.standing(course_id)
        refuse_off_offer(row, standing.room.course)
        if act.has_seat(standing, present):
            return standing.room.course
    return None


def _full(course: Course, wish: Wish) -> Rejection:
    return Rejection(
        "course_full",
        "Complet : il n'y a plus de place dans %(label)s. Choisissez un autre créneau.",
        course_id=str(course.id),
        follow_id=str(wish.follow_id),
        label=course.label,
    )


def _new_seat(request: HoldRequest, wish: Wish, course: Course, now: datetime) -> Seat:
    return Seat(
        wish.hold_id,
        request.campaign_id,
        course.id,
        request.family_id,
        wish.student_id,
        wish.follow_id,
        "held",
        now,
        now + HOLD,
    )


def _record(book: Book, act: _Act, actor_id: UUID) -> None:
    """Write the act: what is kept is renewed, what is given up freed, then what is new taken."""
    granted = {seat.id for seat in act.granted}
    given_up = [seat for seat in act.leaving.values() if seat.id not in granted]
    held = tuple(seat for seat in act.granted if seat.state == "held")
    for seat in given_up:
        book.release(seat, "changed", actor_id)
    for seat in held:
        if seat.id in act.leaving:
            book.put(seat)
        else:
            book.take(seat, "chosen", actor_id)
    if held:
        book.facts.append(Kept(held, tuple(seat.id for seat in given_up)))
    else:
        book.facts.extend(Freed(seat.id) for seat in given_up)
    for seat in given_up:
        book.offer(seat.course_id, but=seat.student_id)


def _free(book: Book, seat: Seat, reason: str, actor_id: UUID | None) -> None:
    book.release(seat, reason, actor_id)
    book.facts.append(Freed(seat.id))
    book.offer(seat.course_id, but=seat.student_id)


def _own_seat(book: Book, seat_id: UUID, family_id: UUID) -> Seat:
    seat = book.seats.get(seat_id)
    if seat is None or seat.family_id != family_id:
        raise Rejection.not_found()
    return seat
