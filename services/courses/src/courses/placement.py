"""Placement: what the staff decides of seats, with its reason (S84)."""

from uuid import UUID

from shared.contract import Rejection

from courses.book import Book, Confirmed
from courses.eligibility import (
    other_rows,
    refuse_off_offer,
    refuse_same_time,
    require_campaign,
    require_row,
)
from courses.requests import ConfirmRequest, PlaceRequest
from courses.seats import Seat


def place(book: Book, request: PlaceRequest) -> tuple[Seat, ...]:
    """Give a row a seat left in a course, claimed at once, in place of whatever it had."""
    campaign = require_campaign(book, request.campaign_id, request.site_id)
    row = require_row(book, request.follow_id, request.student_id, campaign)
    standing = book.standing(request.course_id)
    course = standing.room.course
    if not row.family_ids:
        raise Rejection.not_found()
    refuse_off_offer(row, course)
    same = book.seats.get(request.seat_id)
    if same is not None:
        return (_again(same, request),)
    present = book.seats_of_row(request.campaign_id, request.student_id, request.follow_id)
    if not present.has(request.course_id) and not standing.left:
        raise Rejection(
            "course_full",
            "Complet : il n'y a plus de place dans %(label)s, ou des familles"
            " attendent et passent d'abord.",
            course_id=str(request.course_id),
            follow_id=str(request.follow_id),
            label=course.label,
        )
    refuse_same_time(
        book,
        course,
        request.follow_id,
        other_rows(book, request.campaign_id, request.student_id, request.follow_id),
    )
    former = [seat for seat in present if seat is not None]
    seat = Seat(
        id=request.seat_id,
        campaign_id=request.campaign_id,
        course_id=request.course_id,
        family_id=former[0].family_id if former else row.family_ids[0],
        student_id=request.student_id,
        follow_id=request.follow_id,
        state="claimed",
        held_at=book.now,
        expires_at=book.now,
        confirmed=True,
    )
    reason = f"placed: {request.reason}"
    for each in former:
        book.release(each, reason, request.actor_id)
    book.take(seat, reason, request.actor_id)
    book.tell_placed(seat, former, "staff")
    return (seat,)


def confirm(book: Book, request: ConfirmRequest) -> tuple[Seat, ...]:
    """Confirm a claimed seat, once."""
    seat = book.seats.get(request.seat_id)
    if seat is None or not _is_of_site(book, seat, request.site_id):
        raise Rejection.not_found()
    if seat.state != "claimed":
        raise Rejection(
            "not_claimed", "Cette place ne fait pas encore, ou plus, partie d'une demande."
        )
    if seat.confirmed:
        return (seat,)
    confirmed = seat._replace(confirmed=True)
    book.put(confirmed)
    book.note(confirmed, "confirmed", request.reason, request.actor_id)
    book.facts.append(Confirmed(confirmed))
    return (confirmed,)


def _again(seat: Seat, request: PlaceRequest) -> Seat:
    """Answer a repeat by the seat that it gave."""
    if seat.state == "released":
        raise Rejection("hold_ended", "Cette place n'est plus gardée. Choisissez à nouveau.")
    if (seat.follow_id, seat.course_id) != (request.follow_id, request.course_id):
        raise Rejection("hold_id_reused", "Cette demande de place a déjà servi : recommencez.")
    return seat


def _is_of_site(book: Book, seat: Seat, site_id: UUID | None) -> bool:
    return site_id is None or book.standing(seat.course_id).room.course.site_id == site_id
