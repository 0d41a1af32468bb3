"""What courses is asked to do: hold seats, give them back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from shared.broker import BrokerLink
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import Hold, HoldSeats, ReleaseSeat, SeatsHeld, SeatsReleased
from shared.db import Database, Transaction
from shared.outbox import emit

from courses.ledger import (
    end_holds,
    lock_courses,
    read_live_seats,
    read_rooms,
    write_allocation,
)
from courses.queries import as_hold, read_rows, require_own_student
from courses.seats import MARGIN, Wish, allocate
from courses.tables import campaign, seat, student

_SWEEP = 500
_SUBMISSIONS = "courses.claim_seats"


async def hold_seats(command: HoldSeats, caller: Caller, tx: Transaction) -> tuple[Hold, ...]:
    """Hold what a family wishes, all of it or nothing."""
    now = datetime.now(UTC)
    family_id = caller.family()
    student_ids = {request.student_id for request in command.requests}
    await require_own_student(tx, caller, *student_ids)
    school_year = await _open_school_year(tx, command.campaign_id, caller, now)
    rows = await read_rows(tx, [request.follow_id for request in command.requests], school_year)
    wishes = []
    for request in command.requests:
        row = rows.get(request.follow_id)
        if row is None or row.student_id != request.student_id:
            raise Rejection.not_found()
        wishes.append(Wish(request.hold_id, row, request.course_ids))
    await _refuse_used(tx, family_id, [wish.hold_id for wish in wishes])
    student_ids |= await _students_giving_back(tx, family_id, command.give_back)

    # two tabs of one family decide one after the other
    await tx.execute(
        sa.select(student.c.id)
        .where(student.c.id.in_(student_ids), student.c.family_id == family_id)
        .order_by(student.c.id)
        .with_for_update()
    )
    kept = await read_live_seats(tx, command.campaign_id, student_ids)
    course_ids = {course_id for wish in wishes for course_id in wish.course_ids}
    course_ids |= {seat.course_id for seat in kept}
    await lock_courses(tx, course_ids)
    kept = await read_live_seats(tx, command.campaign_id, student_ids)
    rooms = await read_rooms(tx, course_ids)
    allocation = allocate(wishes, rooms, kept, now, command.give_back)
    await write_allocation(tx, command.campaign_id, family_id, allocation, now)
    holds = tuple(as_hold(granted, rooms[granted.course_id]) for granted in allocation.granted)
    await emit(
        tx,
        SeatsHeld(
            campaign_id=command.campaign_id,
            family_id=family_id,
            holds=holds,
            replaced_hold_ids=tuple(old.id for old in allocation.replaced),
        ),
    )
    return holds


async def release_seat(command: ReleaseSeat, caller: Caller, tx: Transaction) -> None:
    """Give a held seat back."""
    found = (
        await tx.execute(
            sa.select(seat.c.course_id).where(
                seat.c.id == command.hold_id, seat.c.family_id == caller.family()
            )
        )
    ).one_or_none()
    if found is None:
        raise Rejection.not_found()
    await lock_courses(tx, [found.course_id])
    released = await end_holds(tx, [command.hold_id], "released", datetime.now(UTC))
    if released:
        await emit(tx, SeatsReleased(hold_ids=tuple(released)))
        return
    state = await tx.scalar(sa.select(seat.c.state).where(seat.c.id == command.hold_id))
    if state == "claimed":
        raise Rejection(
            "already_claimed",
            "Cette place fait partie d'une demande déjà transmise. Contactez le conservatoire.",
        )


async def release_expired_holds(database: Database, link: BrokerLink) -> None:
    """Give back the seats of holds that ended, margin included. Any replica may do it.

    Not while submissions wait to be heard, nor while the broker is away and they might: a family
    that validated in time keeps its seat, however late the word of it comes.
    """
    if await link.waiting(_SUBMISSIONS):
        return
    now = datetime.now(UTC)
    expired = seat.c.state == "held", seat.c.expires_at < now - MARGIN
    async with database.transaction() as tx:
        candidates = (
            await tx.execute(sa.select(seat.c.id, seat.c.course_id).where(*expired).limit(_SWEEP))
        ).all()
        if not candidates:
            return
        await lock_courses(tx, [row.course_id for row in candidates])
        still = await tx.scalars(
            sa.select(seat.c.id).where(seat.c.id.in_([row.id for row in candidates]), *expired)
        )
        released = await end_holds(tx, list(still), "released", now)
        if released:
            await emit(tx, SeatsReleased(hold_ids=tuple(released)))


async def _open_school_year(
    tx: Transaction, campaign_id: UUID, caller: Caller, now: datetime
) -> str:
    """Give the school year of a campaign that is open now, to the second (S24)."""
    found = (
        await tx.execute(
            sa.select(campaign).where(
                campaign.c.id == campaign_id, campaign.c.site_id == caller.site_id
            )
        )
    ).one_or_none()
    if found is None:
        raise Rejection.not_found()
    if now < found.opens_at:
        raise Rejection(
            "campaign_not_open", "La campagne de réinscription n'est pas encore ouverte."
        )
    if now >= found.closes_at:
        raise Rejection("campaign_closed", "La campagne de réinscription est terminée.")
    return str(found.school_year)


async def _students_giving_back(
    tx: Transaction, family_id: UUID, hold_ids: Sequence[UUID]
) -> set[UUID]:
    """Give whose holds are given back; another family's do not exist."""
    given_back = await tx.execute(
        sa.select(seat.c.family_id, seat.c.student_id).where(seat.c.id.in_(hold_ids))
    )
    student_ids = set()
    for former in given_back:
        if former.family_id != family_id:
            raise Rejection.not_found()
        student_ids.add(former.student_id)
    return student_ids


async def _refuse_used(tx: Transaction, family_id: UUID, hold_ids: list[UUID]) -> None:
    """An identifier serves one hold of one family: once ended, another choice needs a new one."""
    used = await tx.execute(
        sa.select(seat.c.family_id, seat.c.state).where(seat.c.id.in_(hold_ids))
    )
    for former in used:
        if former.family_id != family_id:
            raise Rejection.not_found()
        if former.state == "released":
            raise Rejection("hold_ended", "Cette place n'est plus retenue. Choisissez à nouveau.")
