"""Filings: what becomes of seats when an application is submitted, declined or withdrawn."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from courses.book import Book, Claimed, Freed, Placed
from courses.eligibility import meeting_during
from courses.requests import ClaimRequest, DeclineRequest
from courses.seats import Filing, Seat


def claim(book: Book, request: ClaimRequest) -> tuple[Seat, ...]:
    """Make a submission's holds its own, in place of the seats of the submission before (S74).

    A row whose hold is not to be had keeps the seat that it had. Nothing where the application was
    declined, or submitted anew, since.
    """
    key = (request.campaign_id, request.student_id)
    filing = book.filings.get(key, Filing())
    if not filing.is_last(request.received_at):
        return ()
    if filing.filed_at != request.received_at:
        book.file(key, filing._replace(filed_at=request.received_at))
    claimable = _claimable(book, request)
    dropped = _dropped(book, request)
    replaced = [
        seat
        for seat in _claims(book, request)
        if seat.id in dropped or claimable.get(seat.follow_id, seat).id != seat.id
    ]
    for seat in replaced:
        reason = "left out of a new request" if seat.id in dropped else "replaced by a new request"
        book.release(seat, reason)
    claimed = tuple(_claim(book, seat) for seat in claimable.values())
    given_up = _give_up(book, request)
    _tell(book, request, claimed, replaced)
    freed = [seat.course_id for seat in (*replaced, *given_up)] + _end_places(book, request)
    for course_id in freed:
        book.offer(course_id, but=request.student_id)
    return claimed


def _tell(
    book: Book, request: ClaimRequest, claimed: Sequence[Seat], replaced: Sequence[Seat]
) -> None:
    """Tell what a submission found, and which rows keep what they had for want of it."""
    rows = {seat.follow_id for seat in claimed}
    wanted = {seat_id: book.seats.get(seat_id) for seat_id in request.seat_ids}
    missing = {
        key: seat for key, seat in wanted.items() if seat is None or seat.follow_id not in rows
    }
    book.facts.append(
        Claimed(
            request.application_id,
            tuple(seat.id for seat in claimed),
            tuple(missing),
            tuple(seat.id for seat in replaced),
            request.received_at,
        )
    )
    for seat in missing.values():
        kept = (
            seat
            and book.seats_of_row(request.campaign_id, request.student_id, seat.follow_id).claimed
        )
        if seat and kept:
            book.facts.append(Placed(kept, seat.id, "family"))


def _give_up(book: Book, request: ClaimRequest) -> list[Seat]:
    """Free the holds that could not be claimed: they are told as missing."""
    named = (book.seats.get(seat_id) for seat_id in request.seat_ids)
    held = [
        seat
        for seat in named
        if seat and seat.state == "held" and seat.student_id == request.student_id
    ]
    for seat in held:
        book.release(seat, "could not be claimed")
    return held


def _end_places(book: Book, request: ClaimRequest) -> list[UUID]:
    """End what the rows that are not re-enrolled waited for; give the courses."""
    ended = [
        place
        for place in book.places.values()
        if (place.campaign_id, place.student_id) == (request.campaign_id, request.student_id)
        and place.follow_id in request.left_rows
        and place.is_live
        and place.joined_at <= request.chosen_at
    ]
    for place in ended:
        book.end_place(place, "withdrawn")
    return [place.course_id for place in ended]


def _claim(book: Book, found: Seat) -> Seat:
    seat = found._replace(state="claimed")
    if found.state == "held":
        book.put(seat)
        book.note(seat, "claimed", "submitted", None)
    elif found.state == "released":
        book.take(seat, "submitted, heard late", None)
    return seat


def _claims(book: Book, request: ClaimRequest) -> list[Seat]:
    """Give the seats of the submission before."""
    seats = book.seats_of_student(request.campaign_id, request.student_id)
    return [seat for seat in seats if seat.state == "claimed"]


def _dropped(book: Book, request: ClaimRequest) -> set[UUID]:
    """Name the seats of rows that are not re-enrolled, but those given since that was chosen."""
    return {
        seat.id
        for seat in _claims(book, request)
        if seat.follow_id in request.left_rows and seat.held_at <= request.chosen_at
    }


def _claimable(book: Book, request: ClaimRequest) -> dict[UUID, Seat]:
    """Find the seats that a submission may claim, by row.

    One that meets during what another row keeps is not; a row that is left out so keeps what it
    had, which may rule out another.
    """
    found: dict[UUID, Seat] = {}
    comes_back: Counter[UUID] = Counter()
    for seat_id in request.seat_ids:
        seat = _find(book, seat_id, request)
        if seat is None or seat.follow_id in found:
            continue
        if seat.state == "released":
            comes_back[seat.course_id] += 1
            if comes_back[seat.course_id] > book.standing(seat.course_id).left:
                continue
        found[seat.follow_id] = seat
    passed_over = _dropped(book, request).union(request.seat_ids)
    seats = book.seats_of_student(request.campaign_id, request.student_id)
    others = [seat for seat in seats if seat.id not in passed_over]
    while clashing := _clashing(book, found, others):
        del found[clashing]
    return found


def _clashing(book: Book, found: Mapping[UUID, Seat], others: Sequence[Seat]) -> UUID | None:
    """Find a row whose seat cannot be claimed because of what another has, or is to have."""
    to_have = [*found.values(), *(seat for seat in others if seat.follow_id not in found)]
    for follow_id, seat in found.items():
        course = book.standing(seat.course_id).room.course
        besides = [each for each in to_have if each.follow_id != follow_id]
        if seat.state != "claimed" and meeting_during(book, course, besides):
            return follow_id
    return None


def _find(book: Book, seat_id: UUID, request: ClaimRequest) -> Seat | None:
    """Find the seat that a submission names: its hold, or what was given in its place since.

    Whichever family of the student chose it: either may submit.
    """
    seat = book.seats.get(seat_id)
    if seat is None or (seat.campaign_id, seat.student_id) != (
        request.campaign_id,
        request.student_id,
    ):
        return None
    if seat.state != "released":
        return seat
    for later in book.seats_of_row(seat.campaign_id, seat.student_id, seat.follow_id):
        # the family was offered a seat, or the staff placed it, before this was heard
        if later is not None and later.held_at >= seat.held_at and _is_given(book, later):
            return later
    return seat


def _is_given(book: Book, seat: Seat) -> bool:
    """Tell a seat that its row was given, by an offer or the staff, from one that was chosen."""
    return seat.state == "claimed" or seat.id in book.places


def decline(book: Book, request: DeclineRequest) -> tuple[Seat, ...]:
    """Free what a student had, and waited for, when its family declined or withdrew."""
    key = (request.campaign_id, request.student_id)
    filing = book.filings.get(key, Filing())
    if filing.declined_at is None or filing.declined_at < request.received_at:
        book.file(key, filing._replace(declined_at=request.received_at))
    freed = []
    for seat in book.seats_of_student(*key):
        if seat.held_at <= request.received_at:
            book.release(seat, "declined")
            book.facts.append(Freed(seat.id))
            freed.append(seat.course_id)
    for place in list(book.places.values()):
        is_theirs = (place.campaign_id, place.student_id) == key
        if is_theirs and place.is_live and place.joined_at <= request.received_at:
            book.end_place(place, "withdrawn")
            freed.append(place.course_id)
    for course_id in freed:
        book.offer(course_id, but=request.student_id)
    return ()
