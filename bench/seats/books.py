"""The books after a round: the database must say what the clients were answered, and no more."""

from collections import Counter
from uuid import UUID

import asyncpg

from bench.seats.clients import Answers
from bench.seats.school import School

_SEATS = """
    SELECT id, student_id, follow_id, course_id FROM seat WHERE state <> 'released'"""
_COURSES_AMISS = """
    WITH seats AS (
        SELECT course_id, count(*) AS live FROM seat WHERE state <> 'released' GROUP BY course_id
    ), lines AS (
        SELECT course_id, sum(step) AS steps FROM ledger GROUP BY course_id
    )
    SELECT course_id
    FROM occupancy LEFT JOIN seats USING (course_id) LEFT JOIN lines USING (course_id)
    WHERE taken > capacity OR taken <> coalesce(live, 0) OR taken <> coalesce(steps, 0)"""
_NOT_FULL = "SELECT course_id FROM occupancy WHERE taken < capacity"
_TOLD = """
    SELECT (hold ->> 'id')::uuid
    FROM outbox, jsonb_array_elements(data::jsonb -> 'holds') AS hold
    WHERE type = 'courses.seats_held.v1'"""


_SEATS_AN_EVENT = """
    SELECT (SELECT count(*) FROM seat)::float
        / (SELECT count(*) FROM outbox WHERE type = 'courses.seats_held.v1')"""


async def seats_an_event(school: School) -> float:
    """Give how many seats were told together: the size of a batch, where one event tells one."""
    connection = await asyncpg.connect(school.url)
    try:
        return float(await connection.fetchval(_SEATS_AN_EVENT))
    finally:
        await connection.close()


async def what_is_wrong(
    school: School, answers: Answers, heard: Counter[UUID] | None = None
) -> list[str]:
    """Compare a school's database with what was answered; give what differs, in words.

    What was told waits in the outbox, unless it was relayed and ``heard``.
    """
    connection = await asyncpg.connect(school.url)
    try:
        seats = Counter(tuple(row) for row in await connection.fetch(_SEATS))
        amiss = await connection.fetch(_COURSES_AMISS)
        not_full = {row[0] for row in await connection.fetch(_NOT_FULL)}
        waiting = Counter(row[0] for row in await connection.fetch(_TOLD))
    finally:
        await connection.close()
    answered = Counter(
        (hold.id, wish.request.student_id, wish.request.follow_id, hold.course_id)
        for wish, hold in answers.holds
    )
    wished = {wish.course_id for wish in answers.refused}
    told = waiting if heard is None else heard
    holds = Counter(hold.id for _, hold in answers.holds)
    elsewhere = [wish for wish, hold in answers.holds if hold.course_id != wish.course_id]
    findings = {
        "courses miscounted or above capacity": len(amiss),
        "seats answered that are not there": (answered - seats).total(),
        "seats there that were not answered": (seats - answered).total(),
        "seats in another course than wished for": len(elsewhere),
        "courses refused though they have seats left": len(wished & not_full),
        "seats not told once": (told - holds).total() + (holds - told).total(),
    }
    return [f"{count} {what}" for what, count in findings.items() if count]
