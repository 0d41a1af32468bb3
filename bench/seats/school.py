"""A conservatoire in a database of its own: courses, students, and what each of them wishes."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import time
from hashlib import md5
from pathlib import Path
from random import Random
from uuid import UUID

import asyncpg
import courses
from courses.catalogue import course_label
from shared.callers import Caller
from shared.contracts.courses import HoldSeats, SeatRequest
from shared.identifiers import new_id
from stack.running import Stack

from shared import migrations

_SEED = 2027
_GROUPS_A_LEVEL = 10
_WEEKDAY, _STARTS_AT, _ENDS_AT = "JEUDI", time(17), time(18, 30)

_LAST_COURSE = """
    INSERT INTO course (
        id, site_id, code, school_year, discipline, curriculum, level, cycle, group_number,
        reduced_schedule, teacher, room, capacity, mode)
    VALUES (
        md5('last')::uuid, md5('site')::uuid, 'LAST', '2026-2027', 'Formation musicale', 'FM', '',
        '1', '1', false, 'M. ESSAI', 'Salle 1', 0, 'slot')"""
_COURSES = """
    INSERT INTO course (
        id, site_id, code, school_year, discipline, curriculum, level, cycle, group_number,
        reduced_schedule, weekday, starts_at, ends_at, teacher, room, capacity, mode)
    SELECT
        md5('course-' || n)::uuid, md5('site')::uuid, 'C' || n, '2027-2028', 'Formation musicale',
        'FM', (n / $2)::text, '1', n::text, false, $3, $4, $5, 'M. ESSAI', 'Salle 1', $6, 'slot'
    FROM generate_series(0, $1::integer - 1) n"""
_CAMPAIGN = """
    INSERT INTO campaign (id, site_id, school_year, opens_at, closes_at)
    VALUES (
        md5('campaign')::uuid, md5('site')::uuid, '2027-2028',
        now() - interval '1 day', now() + interval '1 day')"""
_FAMILIES = """
    INSERT INTO family (id, site_id, revision)
    SELECT md5('family-' || n)::uuid, md5('site')::uuid, 1
    FROM generate_series(0, $1::integer - 1) n"""
_STUDENTS = """
    INSERT INTO student (id, family_id)
    SELECT md5('student-' || n)::uuid, md5('family-' || n % $2)::uuid
    FROM generate_series(0, $1::integer - 1) n"""
_FOLLOWS = """
    INSERT INTO follow (id, student_id, course_id, course_code, school_year, proposed_level)
    SELECT
        md5('follow-' || n)::uuid, md5('student-' || n)::uuid, md5('last')::uuid, 'LAST',
        '2026-2027', (n % $2 / $3)::text
    FROM generate_series(0, $1::integer - 1) n"""
_EMPTY = "TRUNCATE seat, place, ledger, outbox, told, occupancy RESTART IDENTITY"
_SILENCE = "ALTER TABLE outbox DISABLE TRIGGER wake_relay"
_NOTIFY = "ALTER TABLE outbox ENABLE TRIGGER wake_relay"
_INDEX = "CREATE INDEX seat_course_idx ON seat (course_id) WHERE state <> 'released'"
_COUNTERS = """
    INSERT INTO occupancy (course_id, capacity)
    SELECT id, capacity FROM course WHERE school_year = '2027-2028'"""


@dataclass(frozen=True, slots=True)
class Wish:
    """One student's wish for a seat in one course, as the command that asks for it."""

    command: HoldSeats
    caller: Caller
    label: str

    @property
    def request(self) -> SeatRequest:
        """The one seat that is asked for."""
        return self.command.requests[0]

    @property
    def course_id(self) -> UUID:
        """The one course where it is."""
        return self.request.course_ids[0]


@dataclass(frozen=True, slots=True)
class School:
    """Courses of one capacity, and the students who come.

    Student number n wishes for the course of number n modulo their count, and belongs to the
    family of number n modulo theirs.
    """

    url: str
    courses: int
    capacity: int
    students: int
    families: int

    @classmethod
    async def found(
        cls, stack: Stack, name: str, *, courses: int, capacity: int, students: int, families: int
    ) -> "School":
        """Make the database ``name``, with the tables of courses, and fill it."""
        await stack.postgresql.provide([name])
        school = cls(stack.postgresql.url(name), courses, capacity, students, families)
        await school.fill()
        return school

    async def fill(self) -> None:
        """Write the catalogue, the campaign and the families into the school's database."""
        await migrations.upgrade(self.url, Path(courses.__file__).parents[2] / "migrations")
        times = _WEEKDAY, _STARTS_AT, _ENDS_AT
        await self._run(
            (_LAST_COURSE,),
            (_COURSES, self.courses, _GROUPS_A_LEVEL, *times, self.capacity),
            (_CAMPAIGN,),
            (_FAMILIES, self.families),
            (_STUDENTS, self.students, self.families),
            (_FOLLOWS, self.students, self.courses, _GROUPS_A_LEVEL),
            ("VACUUM (ANALYZE)",),
        )
        await self.empty()

    async def empty(self) -> None:
        """Make the tables of seats new: no seat was ever taken."""
        await self._run((_EMPTY,), (_COUNTERS,))

    async def vacuum(self) -> None:
        """Let the planner know what is in the tables now, as autovacuum would."""
        await self._run(("VACUUM (ANALYZE) seat, place, ledger, occupancy",))

    @asynccontextmanager
    async def eased(self, *, counting: bool) -> AsyncIterator[None]:
        """Suit the tables to transactions of one seat, for a while.

        They do without the notification that wakes the relay, which makes commits wait for each
        other; and where seats are counted, they have an index to count them by.
        """
        await self._run((_SILENCE,), *([(_INDEX,)] if counting else []))
        try:
            yield
        finally:
            await self._run((_NOTIFY,), ("DROP INDEX IF EXISTS seat_course_idx",))

    def wishes(self) -> list[Wish]:
        """Give every student's wish, in a random order that is always the same."""
        families = [_caller(number) for number in range(self.families)]
        wishes = [
            self._wish(number, families[number % self.families]) for number in range(self.students)
        ]
        Random(_SEED).shuffle(wishes)
        return wishes

    def _wish(self, number: int, caller: Caller) -> Wish:
        course = number % self.courses
        level = str(course // _GROUPS_A_LEVEL)
        request = SeatRequest(
            hold_id=new_id(),
            student_id=_identifier("student", number),
            follow_id=_identifier("follow", number),
            course_ids=(_identifier("course", course),),
        )
        return Wish(
            command=HoldSeats(campaign_id=CAMPAIGN_ID, requests=(request,)),
            caller=caller,
            label=course_label("FM", level, str(course), _WEEKDAY, _STARTS_AT, _ENDS_AT),
        )

    async def _run(self, *statements: Iterable[object]) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement, *arguments in statements:
                await connection.execute(statement, *arguments)
        finally:
            await connection.close()


def _caller(number: int) -> Caller:
    return Caller(
        account_id=new_id(),
        session_id=new_id(),
        role="family",
        name="Madame TEST Nicole",
        site_id=_SITE_ID,
        family_id=_identifier("family", number),
    )


def _hashed(name: str) -> UUID:
    """Give the identifier that PostgreSQL makes of the same name."""
    return UUID(md5(name.encode()).hexdigest())


def _identifier(kind: str, number: int) -> UUID:
    return _hashed(f"{kind}-{number}")


CAMPAIGN_ID = _hashed("campaign")
_SITE_ID = _hashed("site")
