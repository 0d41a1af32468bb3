"""What courses is asked to do: seats held, kept and given back, waiting lists, placements."""

from datetime import UTC, datetime

import sqlalchemy as sa
from shared.broker import BrokerLink
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import (
    AcceptOffer,
    ConfirmSeat,
    Hold,
    HoldSeats,
    JoinWaitingList,
    LeaveWaitingList,
    PlaceStudent,
    ReleaseSeat,
    RenewHolds,
    WaitingPlace,
)
from shared.db import Database

from courses.allocator import Allocator
from courses.queries import read_waiting_places
from courses.requests import (
    AcceptRequest,
    ConfirmRequest,
    ExpireRequest,
    HoldRequest,
    JoinRequest,
    LeaveRequest,
    PlaceRequest,
    ReleaseRequest,
    RenewRequest,
    Wish,
)
from courses.seats import MARGIN
from courses.tables import place, seat

_SWEEP = 500
_SUBMISSIONS = "courses.claim_seats"


async def hold_seats(command: HoldSeats, caller: Caller, allocator: Allocator) -> tuple[Hold, ...]:
    """Hold what a family wishes, all of it or nothing."""
    return await allocator.decide(
        HoldRequest(
            campaign_id=command.campaign_id,
            family_id=caller.family(),
            site_id=caller.site_id,
            actor_id=caller.account_id,
            wishes=tuple(
                Wish(each.hold_id, each.student_id, each.follow_id, each.course_ids)
                for each in command.requests
            ),
            give_back=command.give_back,
            left_rows=frozenset(command.left_rows),
        )
    )


async def release_seat(command: ReleaseSeat, caller: Caller, allocator: Allocator) -> None:
    """Give a held seat back."""
    await allocator.decide(ReleaseRequest(command.hold_id, caller.family(), caller.account_id))


async def renew_holds(
    command: RenewHolds, caller: Caller, allocator: Allocator
) -> tuple[Hold, ...]:
    """Keep holds longer, while their family is active."""
    return await allocator.decide(RenewRequest(command.hold_ids, caller.family()))


async def join_waiting_list(
    command: JoinWaitingList, caller: Caller, allocator: Allocator, database: Database
) -> WaitingPlace:
    """Wait for a seat in a full course."""
    await allocator.decide(
        JoinRequest(
            place_id=command.place_id,
            campaign_id=command.campaign_id,
            family_id=caller.family(),
            site_id=caller.site_id,
            student_id=command.student_id,
            follow_id=command.follow_id,
            course_id=command.course_id,
        )
    )
    async with database.transaction() as tx:
        # whichever family of the student joined first
        places = await read_waiting_places(
            tx,
            place.c.student_id == command.student_id,
            place.c.campaign_id == command.campaign_id,
            place.c.follow_id == command.follow_id,
            place.c.course_id == command.course_id,
        )
    if places:
        return places[0]
    # it was offered and ended, or left from another tab, before we could look
    raise Rejection("place_ended", "Vous n'êtes plus sur cette liste d'attente : recommencez.")


async def leave_waiting_list(
    command: LeaveWaitingList, caller: Caller, allocator: Allocator
) -> None:
    """Wait no longer, or refuse what was offered."""
    await allocator.decide(LeaveRequest(command.place_id, caller.family(), caller.account_id))


async def accept_offer(command: AcceptOffer, caller: Caller, allocator: Allocator) -> Hold:
    """Take the seat that was offered, in place of the present one."""
    (hold,) = await allocator.decide(
        AcceptRequest(command.place_id, caller.family(), caller.site_id, caller.account_id)
    )
    return hold


async def confirm_seat(command: ConfirmSeat, caller: Caller, allocator: Allocator) -> Hold:
    """Confirm a claimed seat, for the record."""
    (hold,) = await allocator.decide(
        ConfirmRequest(command.hold_id, caller.staff_site(), caller.account_id, command.reason)
    )
    return hold


async def place_student(command: PlaceStudent, caller: Caller, allocator: Allocator) -> Hold:
    """Place a student's row in a course, for a reason."""
    (hold,) = await allocator.decide(
        PlaceRequest(
            seat_id=command.hold_id,
            campaign_id=command.campaign_id,
            site_id=caller.staff_site(),
            actor_id=caller.account_id,
            student_id=command.student_id,
            follow_id=command.follow_id,
            course_id=command.course_id,
            reason=command.reason,
        )
    )
    return hold


async def release_expired_holds(database: Database, link: BrokerLink, allocator: Allocator) -> None:
    """End the holds and the offers whose time is over, margin included. Any replica may do it.

    Not while submissions are ready to be heard, nor while the broker is away and they might be: a
    family that validated in time keeps its seat. A submission that waits to be tried again is not
    seen here: its seat is taken back where one is left.
    """
    if await link.waiting(_SUBMISSIONS):
        return
    over = datetime.now(UTC) - MARGIN
    async with database.transaction() as tx:
        seat_ids = await tx.scalars(
            sa.select(seat.c.id)
            .where(seat.c.state == "held", seat.c.expires_at < over)
            .order_by(seat.c.expires_at)
            .limit(_SWEEP)
        )
        place_ids = await tx.scalars(
            sa.select(place.c.id)
            .where(place.c.state == "offered", place.c.offered_until < over)
            .order_by(place.c.offered_until)
            .limit(_SWEEP)
        )
        expired = ExpireRequest(tuple(seat_ids), tuple(place_ids))
    if expired.seat_ids or expired.place_ids:
        await allocator.decide(expired)
