"""Filings: what becomes of seats when an application is submitted, declined or withdrawn."""

from uuid import UUID

from courses.book import Book, Claimed, Freed
from courses.eligibility import meeting_during
from courses.requests import ClaimRequest, DeclineRequest
from courses.seats import Filing, Seat


def claim(book: Book, request: ClaimRequest) -> tuple[Seat, ...]:
    """Make a submission's holds its own; nothing where the application was declined since."""
    key = (request.campaign_id, request.student_id)
    filing = book.filings.get(key, Filing())
    if filing.declined_at is not None and filing.declined_at >= request.received_at:
        return ()
    if filing.filed_at is None or filing.filed_at < request.received_at:
        book.file(key, filing._replace(filed_at=request.received_at))
    claimed: list[Seat] = []
    missing: list[UUID] = []
    for seat_id in request.seat_ids:
        found = _claimable(book, seat_id, request)
        if found is None:
            missing.append(seat_id)
            continue
        seat = found._replace(state="claimed")
        claimed.append(seat)
        if found.state == "held":
            book.put(seat)
            book.note(seat, "claimed", "submitted", None)
        elif found.state == "released":
            book.take(seat, "submitted, heard late", None)
    seat_ids = tuple(seat.id for seat in claimed)
    book.facts.append(Claimed(request.application_id, seat_ids, tuple(missing)))
    return tuple(claimed)


def _claimable(book: Book, seat_id: UUID, request: ClaimRequest) -> Seat | None:
    """Find the seat that a submission may claim: its hold, or what replaced it by an offer.

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
    present = book.seat_of_row(seat.campaign_id, seat.student_id, seat.follow_id)
    if present is None:
        return seat if _may_come_back(book, seat) else None
    # the family was offered a seat, or the staff placed it, before this was heard
    return present if present.state == "claimed" or present.id in book.places else None


def _may_come_back(book: Book, seat: Seat) -> bool:
    """Tell whether a released seat is still there for its student, who may have another since."""
    standing = book.standing(seat.course_id)
    others = book.seats_of_student(seat.campaign_id, seat.student_id)
    return standing.left > 0 and meeting_during(book, standing.room.course, others) is None


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
