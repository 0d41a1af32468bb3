"""The ceiling: the same rows, written in batches by one connection with no logic and no lock.

What it writes is made beforehand: it measures the driver, the statement and the commit.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import asyncpg
from shared.contracts.courses import Hold, SeatsHeld
from shared.identifiers import new_id

from bench.seats.answers import held, told
from bench.seats.school import CAMPAIGN_ID, School, Wish

type Rows = tuple[object, ...]
"""One batch, as the arguments of the statement that writes it."""

type Write = Callable[[Rows], Awaitable[None]]

_WRITE = """
    WITH counted AS (
        UPDATE occupancy SET taken = taken + given, version = version + 1
        FROM unnest($1::uuid[], $2::integer[]) AS granted (course, given)
        WHERE course_id = course
    ), kept AS (
        INSERT INTO seat (
            id, campaign_id, course_id, family_id, student_id, follow_id, state, held_at,
            expires_at)
        SELECT id, $3, course_id, family_id, student_id, follow_id, 'held', $4, $5
        FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[])
            AS seats (id, course_id, family_id, student_id, follow_id)
    ), noted AS (
        INSERT INTO ledger (
            seat_id, course_id, student_id, change, step, reason, actor_id, happened_at)
        SELECT id, course_id, student_id, 'held', 1, 'chosen', actor_id, $4
        FROM unnest($6::uuid[], $7::uuid[], $9::uuid[], $11::uuid[])
            AS seats (id, course_id, student_id, actor_id)
    )
    INSERT INTO outbox (event_id, type, subject, correlation_id, data)
    VALUES ($12, $13, '', $14, $15)"""


@asynccontextmanager
async def writing(school: School) -> AsyncIterator[Write]:
    """Open the connection that writes batches."""
    connection = await asyncpg.connect(school.url)
    try:

        async def write(rows: Rows) -> None:
            await connection.execute(_WRITE, *rows)

        yield write
    finally:
        await connection.close()


def batched(wishes: Sequence[Wish], size: int) -> tuple[list[Rows], list[Hold]]:
    """Make whole batches of wishes, each one granted; give their rows, and their answers."""
    now = datetime.now(UTC)
    starts = range(0, len(wishes) - size + 1, size)
    holds = [held(wish, now) for wish in wishes[: len(starts) * size]]
    rows = [
        _rows(wishes[start : start + size], holds[start : start + size], now) for start in starts
    ]
    return rows, holds


def _rows(wishes: Sequence[Wish], holds: Sequence[Hold], now: datetime) -> Rows:
    given = Counter(hold.course_id for hold in holds)
    return (
        list(given),
        list(given.values()),
        CAMPAIGN_ID,
        now,
        holds[0].expires_at,
        [hold.id for hold in holds],
        [hold.course_id for hold in holds],
        [wish.caller.family_id for wish in wishes],
        [hold.student_id for hold in holds],
        [hold.follow_id for hold in holds],
        [wish.caller.account_id for wish in wishes],
        new_id(),
        SeatsHeld.type,
        str(holds[0].id),
        told(*holds),
    )
