"""Writing what a batch decided: the seats, the waiting lists, the counters, and the ledger.

Everything is written by sets, in as many statements as there are kinds of change.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from courses.allocation import Allocation
from courses.book import Rooms
from courses.seats import Place, Seat

_CHANGE_SEATS = """
UPDATE seat SET state = told.state, expires_at = told.expires_at,
    confirmed_at = CASE WHEN told.confirmed THEN coalesce(seat.confirmed_at, $5) END
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::boolean[])
    AS told (id, state, expires_at, confirmed)
WHERE seat.id = told.id
"""
_TAKE_SEATS = """
INSERT INTO seat (id, campaign_id, course_id, family_id, student_id, follow_id, state, held_at,
    expires_at, confirmed_at)
SELECT id, $1, course_id, family_id, student_id, follow_id, $2, $3, $4,
    CASE WHEN $5 THEN $3::timestamptz END
FROM unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[])
    AS told (id, course_id, family_id, student_id, follow_id)
"""
_COUNT_AND_WRITE_DOWN = """
WITH counted AS (
    UPDATE occupancy
    SET taken = told.taken, waiting = told.waiting, version = occupancy.version + 1
    FROM unnest($1::uuid[], $2::int[], $3::int[]) AS told (course_id, taken, waiting)
    WHERE occupancy.course_id = told.course_id
)
INSERT INTO ledger (seat_id, course_id, student_id, change, step, reason, actor_id, happened_at)
SELECT told.*, $11
FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::smallint[], $9::text[],
    $10::uuid[])
    AS told (seat_id, course_id, student_id, change, step, reason, actor_id)
"""
_ANSWER_PLACES = """
UPDATE place SET state = told.state, offered_until = told.offered_until
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (id, state, offered_until)
WHERE place.id = told.id
"""
_WAIT = """
INSERT INTO place (id, campaign_id, course_id, family_id, student_id, follow_id, state, joined_at,
    offered_until)
SELECT id, campaign_id, course_id, family_id, student_id, follow_id, state, joined_at,
    offered_until
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
    $8::timestamptz[], $9::timestamptz[]) WITH ORDINALITY
    AS told (id, campaign_id, course_id, family_id, student_id, follow_id, state, joined_at,
    offered_until, rank)
ORDER BY rank
"""
_FILE = """
INSERT INTO filing (campaign_id, student_id, filed_at, declined_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
ON CONFLICT (campaign_id, student_id)
DO UPDATE SET filed_at = excluded.filed_at, declined_at = excluded.declined_at
"""


async def save(
    connection: asyncpg.Connection, rooms: Rooms, allocation: Allocation, now: datetime
) -> None:
    """Write an allocation made of ``rooms``, whose locks are held."""
    # what a row had ends before what it gets begins: it has one held seat, and one claimed
    await _save_seats(connection, rooms, allocation.seats, now)
    if allocation.places:
        await _save_places(connection, rooms, allocation.places)
    if allocation.counters or allocation.ledger:
        await connection.execute(
            _COUNT_AND_WRITE_DOWN,
            list(allocation.counters),
            *_columns(allocation.counters.values(), 2),
            *_columns(allocation.ledger, 7),
            now,
        )
    if allocation.filings:
        campaign_ids, student_ids = zip(*allocation.filings, strict=True)
        instants = zip(*allocation.filings.values(), strict=True)
        await connection.execute(_FILE, campaign_ids, student_ids, *instants)


async def _save_seats(
    connection: asyncpg.Connection, rooms: Rooms, seats: Sequence[Seat], now: datetime
) -> None:
    known = [seat for seat in seats if seat.id in rooms.seats]
    # one statement looks at each row by itself: what a claim replaces has to end before
    claimed = [seat for seat in known if seat.state == "claimed"]
    others = [seat for seat in known if seat.state != "claimed"]
    for changed in filter(None, (others, claimed)):
        await connection.execute(
            _CHANGE_SEATS,
            [seat.id for seat in changed],
            [seat.state for seat in changed],
            [seat.expires_at for seat in changed],
            [seat.confirmed for seat in changed],
            now,
        )
    # what is the same for many is sent once: each value of an array costs as much as a decision
    alike: dict[tuple[object, ...], list[Seat]] = {}
    for seat in seats:
        if seat.id not in rooms.seats:
            kind = (seat.campaign_id, seat.state, seat.held_at, seat.expires_at, seat.confirmed)
            alike.setdefault(kind, []).append(seat)
    for shared, new in alike.items():
        await connection.execute(
            _TAKE_SEATS,
            *shared,
            [seat.id for seat in new],
            [seat.course_id for seat in new],
            [seat.family_id for seat in new],
            [seat.student_id for seat in new],
            [seat.follow_id for seat in new],
        )


async def _save_places(
    connection: asyncpg.Connection, rooms: Rooms, places: Sequence[Place]
) -> None:
    known = rooms.places.keys() | {place.id for room in rooms.rooms.values() for place in room.line}
    changed = [place for place in places if place.id in known]
    if changed:
        await connection.execute(
            _ANSWER_PLACES,
            [place.id for place in changed],
            [place.state for place in changed],
            [place.offered_until for place in changed],
        )
    new = [place for place in places if place.id not in known]
    if new:
        await connection.execute(_WAIT, *zip(*new, strict=True))


def _columns(rows: Collection[tuple[object, ...]], count: int) -> list[tuple[object, ...]]:
    """Turn rows into ``count`` columns, which are empty where there is no row."""
    return list(zip(*rows, strict=True)) if rows else [()] * count
