"""200 courses and four wishes for each of their seats: most answers are that a course is full."""

import asyncio
from itertools import pairwise

import asyncpg
from stack.running import Stack

from bench.findings import Findings
from bench.rounds import ratio, side_by_side
from bench.seats.orm import locking_objects
from bench.seats.ours import OURS
from bench.seats.pace import Pace
from bench.seats.pools import at_its_best, describe
from bench.seats.reports import by_clients, per_second, side_report
from bench.seats.school import School
from bench.seats.statements import guarded, recounting
from bench.seats.trials import Trials, clocks_of

_COURSES, _DEMAND = 200, 4
_CLIENTS = 128
_OTHER_CLIENTS = (1, 32, 512)
_FEW_SEATS = 2
_LOOKS, _REFUSED = 5, 1000
_POSITION = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


async def bench_oversubscribed(stack: Stack, pace: Pace) -> Findings:
    """Have every contender answer all wishes; then look at what refusals alone write."""
    trials = await _trials(stack, "bench_oversubscribed", pace.seats_a_course)
    tried = [
        await at_its_best(trials, each, pace.seconds)
        for each in (locking_objects, recounting, guarded)
    ]
    print(describe(tried))
    objects, recount, guard = (each.contender for each in tried)
    results = await side_by_side(
        {each.name: trials.side(each, _CLIENTS) for each in (recount, guard, OURS)}, pace.rounds
    )
    results[objects.name] = [await trials.run(objects, _CLIENTS)]
    print(side_report(f"{_COURSES} courses, {_DEMAND} wishes a seat, {_CLIENTS} clients", results))

    few = await _trials(stack, "bench_oversubscribed_few", _FEW_SEATS)
    rates = {_CLIENTS: results} | {
        clients: {
            each.name: [await few.run(each, clients)] for each in (objects, recount, guard, OURS)
        }
        for clients in _OTHER_CLIENTS
    }
    print(by_clients("attempts per second by number of clients", rates))

    written = await _written_by_refusals(trials)
    print(f"\n  bytes of WAL written by {_LOOKS} crowds of refusals: {written}")
    return Findings(
        ratios={
            "oversubscribed_vs_recount": ratio(
                results[OURS.name], results[recount.name], per_second
            )
        },
        checks={
            "oversubscribed_books": trials.are_right and few.are_right,
            "refusals_write_nothing": min(written) == 0,
        },
    )


async def _trials(stack: Stack, name: str, capacity: int) -> Trials:
    students = _COURSES * _DEMAND * capacity
    school = await School.found(
        stack,
        name,
        courses=_COURSES,
        capacity=capacity,
        students=students,
        families=students,
    )
    return Trials(school, clocks_of(stack))


async def _written_by_refusals(trials: Trials) -> list[int]:
    """Fill every course, then have crowds refused, and measure what PostgreSQL writes meanwhile.

    The first crowd teaches that the courses are full. Now and then PostgreSQL writes of its own
    accord: refusals write nothing where it wrote nothing during one of the crowds.
    """
    await trials.run(OURS, _CLIENTS)
    connection = await asyncpg.connect(trials.school.url)
    try:
        seated = {row[0] for row in await connection.fetch("SELECT student_id FROM seat")}
        refused = [wish for wish in trials.wishes if wish.request.student_id not in seated]
        positions = []
        async with OURS.opened(trials.school) as give:
            for _ in range(_LOOKS + 1):
                given = await asyncio.gather(*map(give, refused[:_REFUSED]))
                if any(given):
                    trials.wrong.append("a seat was given in a full course")
                positions.append(await connection.fetchval(_POSITION))
    finally:
        await connection.close()
    return [after - before for before, after in pairwise(positions)]
