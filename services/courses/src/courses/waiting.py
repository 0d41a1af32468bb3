"""Waiting lists: how a row joins and leaves one, and answers an offer (S66)."""

from uuid import UUID

from shared.contract import Rejection

from courses.book import Book
from courses.eligibility import (
    other_rows,
    refuse_off_offer,
    refuse_same_time,
    require_open,
    require_own_row,
)
from courses.requests import AcceptRequest, JoinRequest, LeaveRequest, OfferRequest
from courses.seats import HOLD, MARGIN, Filing, Place, Seat


def join(book: Book, request: JoinRequest) -> tuple[Seat, ...]:
    """Put a row at the end of a full course's list; one that is in it keeps its place."""
    campaign = require_open(book, request.campaign_id, request.site_id)
    row = require_own_row(book, request.follow_id, request.student_id, campaign, request.family_id)
    standing = book.standing(request.course_id)
    course = standing.room.course
    refuse_off_offer(row, course)
    same = book.places.get(request.place_id)
    if same is not None and same.family_id != request.family_id:
        raise Rejection.not_found()
    if book.place_of_row(request.campaign_id, request.follow_id, request.course_id) is not None:
        return ()
    if same is not None:
        raise Rejection(
            "place_ended", "Cette demande de liste d'attente a déjà servi : recommencez."
        )
    present = book.seats_of_row(request.campaign_id, request.student_id, request.follow_id)
    if present.has(request.course_id):
        raise Rejection(
            "already_held", "Vous avez déjà une place dans %(label)s.", label=course.label
        )
    if standing.left:
        raise Rejection(
            "course_not_full",
            "Une place s'est libérée dans %(label)s : choisissez ce créneau.",
            course_id=str(request.course_id),
            follow_id=str(request.follow_id),
            label=course.label,
        )
    place = Place(
        id=request.place_id,
        campaign_id=request.campaign_id,
        course_id=request.course_id,
        family_id=request.family_id,
        student_id=request.student_id,
        follow_id=request.follow_id,
        state="waiting",
        joined_at=book.now,
        offered_until=None,
    )
    book.wait(place)
    book.offer(request.course_id)
    return ()


def leave(book: Book, request: LeaveRequest) -> tuple[Seat, ...]:
    """Wait no longer, or refuse an offer; what ended already stays as it is."""
    place = _own_place(book, request.place_id, request.family_id)
    if not place.is_live:
        return ()
    book.end_place(place, "withdrawn" if place.state == "waiting" else "refused", request.actor_id)
    book.offer(place.course_id, but=place.student_id)
    return ()


def accept(book: Book, request: AcceptRequest) -> tuple[Seat, ...]:
    """Give a row the seat that it was offered, in place of its present one."""
    place = _own_place(book, request.place_id, request.family_id)
    had = book.seats.get(place.id)
    if had is not None:
        return (_accepted_before(place, had),)
    if place.state == "waiting":
        raise Rejection(
            "not_offered", "Aucune place ne vous est encore proposée : vous gardez votre rang."
        )
    if place.state != "offered" or _is_over(place, book):
        raise Rejection(
            "offer_ended",
            "Cette proposition est terminée : la place est allée à la famille suivante."
            " Si vous aviez une autre place, vous la gardez.",
        )
    present = book.seats_of_row(place.campaign_id, place.student_id, place.follow_id)
    course = book.standing(place.course_id).room.course
    others = other_rows(book, place.campaign_id, place.student_id, place.follow_id)
    refuse_same_time(book, course, place.follow_id, others)
    filing = book.filings.get((place.campaign_id, place.student_id), Filing())
    is_claimed = filing.is_filed or present.claimed is not None
    if not is_claimed:
        # a draft can only use a seat while it can be submitted
        require_open(book, place.campaign_id, request.site_id)
    seat = Seat(
        id=place.id,
        campaign_id=place.campaign_id,
        course_id=place.course_id,
        family_id=place.family_id,
        student_id=place.student_id,
        follow_id=place.follow_id,
        state="claimed" if is_claimed else "held",
        held_at=book.now,
        expires_at=book.now + HOLD,
    )
    book.end_place(place, "accepted", request.actor_id)
    former = [each for each in present if each is not None]
    for each in former:
        book.release(each, "changed for an offer", request.actor_id)
    book.take(seat, "offer accepted", request.actor_id, offered=True)
    book.tell_placed(seat, former, "family")
    return (seat,)


def offer(book: Book, request: OfferRequest) -> tuple[Seat, ...]:
    """Offer the seats of courses that may have more of them now."""
    for course_id in request.course_ids:
        book.offer(course_id)
    return ()


def _own_place(book: Book, place_id: UUID, family_id: UUID) -> Place:
    place = book.places.get(place_id)
    if place is None or place.family_id != family_id:
        raise Rejection.not_found()
    return place


def _accepted_before(place: Place, had: Seat) -> Seat:
    """Answer a repeat by the seat that it gave, unless a hold took the place's identifier first."""
    if place.state != "accepted":
        raise Rejection("hold_id_reused", "Cette demande de place a déjà servi : recommencez.")
    if had.state == "released":
        raise Rejection("offer_ended", "Cette place n'est plus retenue. Choisissez à nouveau.")
    return had


def _is_over(place: Place, book: Book) -> bool:
    return place.offered_until is None or place.offered_until + MARGIN < book.now
