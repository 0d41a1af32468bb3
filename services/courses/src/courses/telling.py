"""Telling how many seats are left: to whoever asks, and to the gateways as it changes."""

from itertools import batched

import sqlalchemy as sa
from shared.contracts.courses import CourseSeats, SeatsChanged, SeatsLeft
from shared.db import Database, Transaction
from shared.outbox import emit
from sqlalchemy.dialects.postgresql import insert

from courses import seats
from courses.tables import course, occupancy, told

COURSES_AN_EVENT = 200
TELLER_LOCK = 0x54454C4C
"""Spells "TELL": one replica at a time tells what changed."""

_COUNTERS = (
    sa.select(occupancy)
    .join(course, course.c.id == occupancy.c.course_id)
    .where(course.c.mode == "slot")
    .order_by(occupancy.c.course_id)
)
_CHANGED = _COUNTERS.outerjoin_from(
    occupancy, told, told.c.course_id == occupancy.c.course_id
).where(told.c.version.is_distinct_from(occupancy.c.version))
_REMEMBER = insert(told).on_conflict_do_update(
    index_elements=["course_id"], set_={"version": insert(told).excluded.version}
)


async def seats_left(_: SeatsLeft, tx: Transaction) -> tuple[CourseSeats, ...]:
    """Count the seats left of every course that is chosen by its slot."""
    return await _read(tx, _COUNTERS)


async def tell_seats(database: Database) -> None:
    """Tell the counters that changed since they were last told; nothing changed, nothing written.

    Any replica may do it. However often a course changed meanwhile, it is told once, as it is.
    """
    async with database.transaction() as tx:
        if not await tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(TELLER_LOCK))):
            return
        changed = await _read(tx, _CHANGED)
        if not changed:
            return
        await emit(tx, *(SeatsChanged(courses=some) for some in batched(changed, COURSES_AN_EVENT)))
        await tx.execute(
            _REMEMBER,
            [{"course_id": each.course_id, "version": each.version} for each in changed],
        )


async def _read(
    tx: Transaction, counters: sa.Select[tuple[object, ...]]
) -> tuple[CourseSeats, ...]:
    return tuple(
        CourseSeats(
            course_id=row.course_id,
            seats_left=seats.seats_left(row.capacity, row.taken, row.waiting),
            waiting=row.waiting,
            version=row.version,
        )
        for row in await tx.execute(counters)
    )
