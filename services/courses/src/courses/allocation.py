"""The allocation: who gets which seat, decided for a whole batch without a server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contract import Rejection

from courses import filings, holds, placement, waiting
from courses.book import Book, Fact, Key, LedgerLine, Rooms
from courses.requests import (
    AcceptRequest,
    ClaimRequest,
    ConfirmRequest,
    DeclineRequest,
    ExpireRequest,
    HoldRequest,
    JoinRequest,
    LeaveRequest,
    OfferRequest,
    PlaceRequest,
    ReleaseRequest,
    RenewRequest,
    Request,
)
from courses.seats import Filing, Place, Seat

type Answer = tuple[Seat, ...] | Rejection
"""The seats that a request concerned as they are now, or why it is refused."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a batch decided: an answer a request, and everything that changes with them.

    ``counters`` gives the seats taken and the length of the waiting list of each course where
    they changed.
    """

    answers: tuple[Answer, ...]
    seats: tuple[Seat, ...]
    places: tuple[Place, ...]
    counters: Mapping[UUID, tuple[int, int]]
    filings: Mapping[Key, Filing]
    ledger: tuple[LedgerLine, ...]
    facts: tuple[Fact, ...]

    @property
    def changes(self) -> bool:
        """Tell whether anything is to be written or told."""
        return bool(self.seats or self.places or self.filings or self.ledger or self.facts)


def allocate(requests: Sequence[Request], rooms: Rooms, now: datetime) -> Allocation:
    """Decide ``requests`` in their order, given ``rooms`` as they are; nothing else counts.

    Of every request:

    - It is granted whole or refused whole, with a Rejection as its answer; what is refused
      changes nothing, and those after it are decided as if it had not been made.
    - Repeated, it gives its first answer again, in the same batch or a later one; but a hold is
      known again by the identifiers of the seats it made: one that was answered by a seat its row
      had before is decided anew, and so is whatever was refused.
    - No course's taken seats (held, claimed and offered) ever pass its capacity. One whose capacity
      was lowered under what is taken gives no seat until enough are freed.

    :class:`HoldRequest`, a family's wishes for one or several children (S63 to S65):

    - Each wish takes the first of its courses with a seat left. Left for anyone are the free seats
      beyond those of who waits: a course with a waiting list is full for all others.
    - A row that has a seat in the course it would get keeps that seat, renewed; in another one, the
      old seat is given up in the same act, and so are the seats of ``give_back``. What the act
      gives up makes room for its own wishes first, then for the waiting list; a row's own seat only
      where that row does not wish it first, and is not left without.
    - A claimed seat is not given up: its row holds another beside it until a new request is
      submitted, or no other where it wishes its claimed one again (S74).
    - Refused: a campaign that does not exist for the family's site (``not_found``), is not open yet
      or no more (``campaign_not_open``, ``campaign_closed``); another family's student, row, seat,
      and a row of another site or school year than the campaign's (``not_found``); a course that is
      not on offer for the row (``wrong_site``, ``wrong_level``), or meets during another seat that
      the student is to keep (``same_time``); a claimed seat given back (``already_claimed``); no
      seat left in any (``course_full``, naming the last one tried); an identifier that already
      names this row's seat in another course (``hold_id_reused``) or a seat that ended
      (``hold_ended``).

    :class:`ReleaseRequest` frees a held seat, :class:`RenewRequest` prolongs holds,
    :class:`ExpireRequest` ends those whose margin is over.

    :class:`ClaimRequest` makes an application's holds its own, unless it was declined, or submitted
    anew, since. In the same act each frees the seat that its row had by a former submission, and so
    does a row that is re-enrolled no more (S74). A hold that was released before the word of its
    submission came is taken back where a seat is left, unless its row was given another since;
    otherwise it is missing, and its row keeps what it had. :class:`DeclineRequest` frees what a
    student had and waited for at that instant; a later change of mind stays.

    Waiting lists (S66): a row joins a full course's list at its end and keeps its present seat. A
    freed seat is offered to the next in line for 24 hours, not to the student who freed it.
    Accepted, it replaces the row's present seat in one act, claimed where that one was or the
    application is filed; a draft that can no longer be submitted is refused (``campaign_closed``).
    Refused or expired, it goes to the next. :class:`OfferRequest` offers seats where a capacity was
    raised.

    Staff place a row in a course with a seat left, whatever it had before, and confirm claims: the
    ledger says why.
    """
    book = Book(rooms, now)
    answers = tuple(_answer(book, request) for request in requests)
    return Allocation(
        answers=answers,
        seats=book.changed_seats(),
        places=book.changed_places(),
        counters=book.changed_counters(),
        filings=book.changed_filings(),
        ledger=tuple(book.ledger),
        facts=tuple(book.facts),
    )


def _answer(book: Book, request: Request) -> Answer:
    mark = book.mark()
    try:
        return _RULES[type(request)](book, request)
    except Rejection as rejection:
        book.undo(mark)
        # a kept traceback is a cycle: a rush of refusals would be the garbage collector's
        return rejection.with_traceback(None)


_RULES: Mapping[type[Any], Callable[[Book, Any], Answer]] = {
    AcceptRequest: waiting.accept,
    ClaimRequest: filings.claim,
    ConfirmRequest: placement.confirm,
    DeclineRequest: filings.decline,
    ExpireRequest: holds.expire,
    HoldRequest: holds.hold,
    JoinRequest: waiting.join,
    LeaveRequest: waiting.leave,
    OfferRequest: waiting.offer,
    PlaceRequest: placement.place,
    ReleaseRequest: holds.release,
    RenewRequest: holds.renew,
}
