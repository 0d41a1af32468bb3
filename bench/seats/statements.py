"""Two contenders in plain SQL: one that locks and counts again, one that counts as it goes.

Both write, in one statement, the rows that the service writes for a seat: the seat, its course's
counters, the ledger's line and the event. Neither checks who asks, for which student, nor whether
the course suits, as the service does; and the tables are made to suit them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from shared.contracts.courses import Hold, SeatsHeld
from shared.identifiers import new_id

from bench.seats.answers import held, told
from bench.seats.connections import Connections
from bench.seats.contender import Contender, Give
from bench.seats.school import School, Wish

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"
_COUNT_AGAIN = """
    SELECT capacity - (SELECT count(*) FROM seat WHERE course_id = $1 AND state <> 'released')
    FROM occupancy WHERE course_id = $1"""
_WRITE = """
    WITH counted AS (
        UPDATE occupancy SET taken = taken + 1, version = version + 1
        WHERE course_id = $1 {guard}
        RETURNING course_id
    ), kept AS (
        INSERT INTO seat (
            id, campaign_id, course_id, family_id, student_id, follow_id, state, held_at,
            expires_at)
        SELECT $2, $3, course_id, $4, $5, $6, 'held', $7, $8 FROM counted
    ), noted AS (
        INSERT INTO ledger (
            seat_id, course_id, student_id, change, step, reason, actor_id, happened_at)
        SELECT $2, course_id, $5, 'held', 1, 'chosen', $9, $7 FROM counted
    ), told AS (
        INSERT INTO outbox (event_id, type, subject, correlation_id, data)
        SELECT $10, $11, '', $12, $13 FROM counted
    )
    SELECT course_id FROM counted"""
_WRITE_COUNTED = _WRITE.format(guard="")
_WRITE_GUARDED = _WRITE.format(guard="AND taken < capacity AND waiting = 0")


def recounting(connections: int) -> Contender:
    """Lock the course by an advisory lock, count its seats, add one: a ticketing shop's way."""

    @asynccontextmanager
    async def opened(school: School) -> AsyncIterator[Give]:
        async with (
            school.eased(counting=True),
            Connections.opened(school.url, connections) as pool,
        ):

            async def give(wish: Wish) -> Hold | None:
                async with pool.borrowed() as connection:
                    try:
                        async with connection.transaction():
                            await connection.execute(_LOCK, str(wish.course_id))
                            if await connection.fetchval(_COUNT_AGAIN, wish.course_id) < 1:
                                return None
                            return await _written(connection, _WRITE_COUNTED, wish)
                    except asyncpg.UniqueViolationError:
                        return await _already_given(connection, wish)

            yield give

    return Contender("advisory lock, recount", opened)


def guarded(connections: int) -> Contender:
    """Add a seat by one statement, guarded by the course's capacity."""

    @asynccontextmanager
    async def opened(school: School) -> AsyncIterator[Give]:
        async with (
            school.eased(counting=False),
            Connections.opened(school.url, connections) as pool,
        ):

            async def give(wish: Wish) -> Hold | None:
                async with pool.borrowed() as connection:
                    try:
                        return await _written(connection, _WRITE_GUARDED, wish)
                    except asyncpg.UniqueViolationError:
                        return await _already_given(connection, wish)

            yield give

    return Contender("one guarded statement", opened)


async def _written(connection: asyncpg.Connection, statement: str, wish: Wish) -> Hold | None:
    now = datetime.now(UTC)
    hold = held(wish, now)
    counted = await connection.fetchval(
        statement,
        wish.course_id,
        hold.id,
        wish.command.campaign_id,
        wish.caller.family_id,
        hold.student_id,
        hold.follow_id,
        now,
        hold.expires_at,
        wish.caller.account_id,
        new_id(),
        SeatsHeld.type,
        str(hold.id),
        told(hold),
    )
    return hold if counted else None


async def _already_given(connection: asyncpg.Connection, wish: Wish) -> Hold:
    """Give the seat of the row again: it was asked for twice."""
    held_at = await connection.fetchval(
        "SELECT held_at FROM seat WHERE campaign_id = $1 AND follow_id = $2"
        " AND state <> 'released'",
        wish.command.campaign_id,
        wish.request.follow_id,
    )
    return held(wish, held_at)
