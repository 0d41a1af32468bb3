"""Reading what a batch is decided upon, under the locks that keep it true.

The locks are taken in one order, the same everywhere: first the students of the batch, in the
order of their numbers, then its courses, in the order of their identifiers. A student's seats
change under both locks, a waiting list under its course's. Each reading is a new statement, which
sees what the former holders of those locks committed.

A course remembered as full is looked at without its lock first: still full, and nothing of the
batch in it to free, it stays unlocked. Where a batch wishes for nothing else it is decided without
a transaction, and keeps no lock; it is the rush's common case, and refusals write nothing.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from courses.book import Key, Rooms
from courses.known_courses import KnownCourses
from courses.requests import Scope
from courses.seats import Filing, Place, Room, Row, Seat, seats_left

_LINE_READ = 1000
"""How many of a waiting list are read at most; what is freed beyond waits for the next change."""

_LOOK_UP = """
SELECT id, student_id, course_id, campaign_id FROM seat WHERE id = ANY($1)
UNION ALL
SELECT id, student_id, course_id, campaign_id FROM place WHERE id = ANY($2)
"""
_LOCK_STUDENTS = """
SELECT count(*), (SELECT number FROM edition) AS edition
FROM (SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS number) AS locked
"""
_SEATS = """
SELECT id, campaign_id, course_id, family_id, student_id, follow_id, state, held_at, expires_at,
       confirmed_at IS NOT NULL
FROM seat WHERE student_id = ANY($1) AND state <> 'released'
UNION ALL
SELECT id, campaign_id, course_id, family_id, student_id, follow_id, state, held_at, expires_at,
       confirmed_at IS NOT NULL
FROM seat WHERE id = ANY($2)
"""
_ROWS = """
SELECT follow.id, follow.student_id, follow.course_id, follow.proposed_level, student.family_id
FROM follow LEFT JOIN student ON student.id = follow.student_id
WHERE follow.id = ANY($1) AND follow.course_id IS NOT NULL
ORDER BY follow.id, student.family_id
"""
_FILINGS = """
SELECT campaign_id, student_id, filed_at, declined_at FROM filing WHERE student_id = ANY($1)
"""
_LOOK_AT_COURSES = """
SELECT course_id, capacity, taken, waiting FROM occupancy WHERE course_id = ANY($1)
"""
_LOCK_COURSES = """
SELECT course_id, capacity, taken, waiting FROM occupancy WHERE course_id = ANY($1)
ORDER BY course_id FOR UPDATE
"""
_PLACES = """
SELECT id, campaign_id, course_id, family_id, student_id, follow_id, state, joined_at,
       offered_until
FROM place WHERE id = ANY($1) OR student_id = ANY($2)
"""
_LINES = """
SELECT line.* FROM unnest($1::uuid[]) AS wanted (course_id)
CROSS JOIN LATERAL (
    SELECT id, campaign_id, place.course_id, family_id, student_id, follow_id, state, joined_at,
           offered_until
    FROM place WHERE place.course_id = wanted.course_id AND state = 'waiting'
    ORDER BY position LIMIT $2
) AS line
"""


async def lock_and_read(connection: asyncpg.Connection, scope: Scope, known: KnownCourses) -> Rooms:
    """Lock the students and courses of a scope, and read what counts for them."""
    if scope.named_seats or scope.named_places:
        # whose these are, and where, never changes: it may be read before any lock
        found: set[UUID] = set()
        for named_id, student_id, course_id, campaign_id in await connection.fetch(
            _LOOK_UP, scope.named_seats, scope.named_places
        ):
            found.add(named_id)
            scope.students.add(student_id)
            scope.courses.add(course_id)
            scope.campaigns.add(campaign_id)
        # one that another replica makes from here on would come without its locks
        scope.named_seats &= found
        scope.named_places &= found
    await _lock_students(connection, scope, known)
    seats = await _read_seats(connection, scope)
    rows = await _read_rows(connection, scope.follows, known)
    campaigns = await known.campaigns(connection, scope.campaigns)
    filings = await _read_filings(connection, scope)
    if scope.waiting_students:
        theirs = await connection.fetch(_PLACES, [], scope.waiting_students)
        scope.named_places.update(row[0] for row in theirs)
        scope.courses.update(row[2] for row in theirs)
    scope.courses.update(seat.course_id for seat in seats.values())
    rooms = await _lock_courses(connection, scope, known)
    rooms = await _read_lines(connection, rooms, scope.courses)
    places = await _read_places(connection, scope)
    return Rooms(rooms, rows, campaigns, seats, places, filings)


async def look(connection: asyncpg.Connection, scope: Scope, known: KnownCourses) -> Rooms | None:
    """Read without keeping a lock what only wishes for full courses; nothing where one has a seat
    left.

    It shows one moment after the requests came, which is enough to refuse. The counters are read
    before the seats: a twin that took the last seat meanwhile is seen, and has its seat again.
    """
    # a wish may be repeated because its replica fell, and its seat still on the way to the disk
    await _lock_students(connection, scope, known)
    counters = await connection.fetch(_LOOK_AT_COURSES, scope.wished)
    if not all(map(_is_full, counters)):
        return None
    seats = await _read_seats(connection, scope)
    rows = await _read_rows(connection, scope.follows, known)
    campaigns = await known.campaigns(connection, scope.campaigns)
    held = {seat.course_id for seat in seats.values()} - scope.wished
    if held:
        counters += await connection.fetch(_LOOK_AT_COURSES, held)
    return Rooms(await _describe(connection, counters, known), rows, campaigns, seats)


async def _lock_students(connection: asyncpg.Connection, scope: Scope, known: KnownCourses) -> None:
    """Lock students until the transaction ends: without one, wait until nobody else does.

    The catalogue's edition comes along, to spare a statement.
    """
    locked = await connection.fetchrow(_LOCK_STUDENTS, sorted(map(_lock_number, scope.students)))
    known.keep_only(locked["edition"])


async def _read_seats(connection: asyncpg.Connection, scope: Scope) -> dict[UUID, Seat]:
    found = await connection.fetch(_SEATS, scope.students, scope.seats | scope.named_seats)
    return {row[0]: Seat._make(row) for row in found}


async def _read_places(connection: asyncpg.Connection, scope: Scope) -> dict[UUID, Place]:
    if not scope.named_places:
        return {}
    found = await connection.fetch(_PLACES, scope.named_places, [])
    return {row[0]: Place._make(row) for row in found}


async def _read_rows(
    connection: asyncpg.Connection, follow_ids: Collection[UUID], known: KnownCourses
) -> dict[UUID, Row]:
    """Read what some courses followed lead to the year after, and whose they are."""
    rows: dict[UUID, Row] = {}
    if not follow_ids:
        return rows
    found = await connection.fetch(_ROWS, follow_ids)
    courses = await known.courses(connection, {row["course_id"] for row in found})
    for follow_id, student_id, course_id, next_level, family_id in found:
        course = courses[course_id]
        if not course.is_chosen:
            continue
        row = rows.get(follow_id)
        families = row.family_ids if row else ()
        if family_id is not None:
            families = (*families, family_id)
        rows[follow_id] = Row(
            follow_id,
            student_id,
            families,
            course.site_id,
            course.next_year,
            course.curriculum,
            next_level,
        )
    return rows


async def _read_filings(connection: asyncpg.Connection, scope: Scope) -> dict[Key, Filing]:
    """Read which applications were submitted or declined, where that may count."""
    student_ids = scope.students if scope.named_places else scope.waiting_students
    if not student_ids:
        return {}
    found = await connection.fetch(_FILINGS, student_ids)
    return {(row[0], row[1]): Filing(row[2], row[3]) for row in found}


async def _lock_courses(
    connection: asyncpg.Connection, scope: Scope, known: KnownCourses
) -> dict[UUID, Room]:
    """Lock courses, but for those that are full and where nothing can be freed."""
    found: list[asyncpg.Record] = []
    probably_full = (scope.wished & known.full) - scope.courses
    if probably_full:
        looked_at = await connection.fetch(_LOOK_AT_COURSES, probably_full)
        found = [row for row in looked_at if _is_full(row)]
    to_lock = (scope.courses | scope.wished) - {row["course_id"] for row in found}
    if to_lock:
        found += await connection.fetch(_LOCK_COURSES, to_lock)
    for row in found:
        (known.full.add if _is_full(row) else known.full.discard)(row["course_id"])
    return await _describe(connection, found, known)


async def _describe(
    connection: asyncpg.Connection, counters: Sequence[asyncpg.Record], known: KnownCourses
) -> dict[UUID, Room]:
    courses = await known.courses(connection, [row["course_id"] for row in counters])
    return {
        course_id: Room(courses[course_id], capacity, taken, waiting)
        for course_id, capacity, taken, waiting in counters
    }


def _is_full(counters: asyncpg.Record) -> bool:
    return not seats_left(counters["capacity"], counters["taken"], counters["waiting"])


async def _read_lines(
    connection: asyncpg.Connection, rooms: dict[UUID, Room], course_ids: Collection[UUID]
) -> dict[UUID, Room]:
    """Read the waiting lists of courses that have one: only those where a seat may be freed."""
    waited_for = [
        course_id for course_id in course_ids if course_id in rooms and rooms[course_id].waiting
    ]
    if not waited_for:
        return rooms
    lines: dict[UUID, list[Place]] = {course_id: [] for course_id in waited_for}
    for row in await connection.fetch(_LINES, waited_for, _LINE_READ):
        place = Place._make(row)
        lines[place.course_id].append(place)
    return rooms | {
        course_id: rooms[course_id]._replace(line=tuple(line)) for course_id, line in lines.items()
    }


def _lock_number(student_id: UUID) -> int:
    """Give the number of a student's lock: two students may share one, which is harmless.

    It is below zero, whatever identifier is asked for: the others are the service's own locks.
    """
    return ~(int.from_bytes(student_id.bytes[8:]) >> 1)
