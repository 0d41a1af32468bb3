"""One hot course, with a seat for everybody: what limits a course that all wish for at once."""

import time
from collections.abc import Sequence
from statistics import median

import asyncpg
from stack.running import Stack

from bench.findings import Findings
from bench.rounds import Round, Side, ratio, side_by_side, typical
from bench.seats.books import seats_an_event
from bench.seats.contender import Contender
from bench.seats.orm import locking_objects
from bench.seats.ours import OURS
from bench.seats.pace import Pace
from bench.seats.pools import at_its_best, describe
from bench.seats.reports import by_clients, per_second, side_report
from bench.seats.school import School
from bench.seats.statements import guarded, recounting
from bench.seats.trials import State, Trials, clocks_of

_CLIENTS = 128
_OTHER_CLIENTS = (1, 32, 512)
_COMMITS = 300
_CEILING = "ceiling"


async def bench_hot(stack: Stack, pace: Pace) -> Findings:
    """Measure every contender and the ceiling with 128 clients, then with fewer and more."""
    school = await School.found(
        stack,
        "bench_hot",
        courses=1,
        capacity=pace.students,
        students=pace.students,
        families=pace.students,
    )
    trials = Trials(school, clocks_of(stack), pace.seconds)
    tried = [
        await at_its_best(trials, each, pace.seconds / 2)
        for each in (locking_objects, recounting, guarded)
    ]
    print(describe(tried))
    contenders = [*(each.contender for each in tried), OURS]
    _, recount, _ = (each.contender.name for each in tried)

    commit_ms = await _commit_ms(school)
    results = await _side_by_side(trials, contenders, pace.rounds)
    print(
        side_report(
            f"one hot course, {_CLIENTS} clients; a small commit takes {commit_ms:.2f} ms", results
        )
    )
    rates = {_CLIENTS: results} | {
        clients: await _once(trials, contenders, clients) for clients in _OTHER_CLIENTS
    }
    print(by_clients("one hot course: claims per second by number of clients", rates))
    steadiness, steady = await _steadiness(trials, pace.rounds)
    print(steadiness)

    ours = results[OURS.name]
    return Findings(
        ratios={
            "hot_vs_recount": ratio(ours, results[recount], per_second),
            "hot_vs_ceiling": ratio(ours, results[_CEILING], per_second),
            "hot_p99_vs_commit": typical(ours, lambda each: each.p99_ms) / commit_ms,
            "hot_vs_recount_128_connections": typical(ours, per_second) / tried[1].rates[128],
        },
        checks={"hot_books": trials.are_right, "hot_is_steady": steady},
    )


async def _side_by_side(
    trials: Trials, contenders: Sequence[Contender], rounds: int
) -> dict[str, list[Round]]:
    """Measure all in turn, the ceiling with the batches that ours makes of as many clients."""
    await trials.run(OURS, _CLIENTS)
    size = round(await seats_an_event(trials.school))
    sides = {each.name: trials.side(each, _CLIENTS) for each in contenders}
    return await side_by_side({**sides, _CEILING: trials.ceiling(size)}, rounds)


async def _once(
    trials: Trials, contenders: Sequence[Contender], clients: int
) -> dict[str, list[Round]]:
    """Measure each once; ours comes last, and says how large its batches were."""
    results = {each.name: [await trials.run(each, clients)] for each in contenders}
    size = round(await seats_an_event(trials.school))
    return {**results, _CEILING: [await trials.write(size)]}


async def _steadiness(trials: Trials, rounds: int) -> tuple[str, bool]:
    """Look whether ours collapses where its plans were made for tables in another state.

    What a claim costs in processor time tells it: the rate is the machine's as well.
    """
    states: tuple[State, ...] = ("new", "vacuumed", "full")
    sides: dict[str, Side] = {state: trials.side(OURS, _CLIENTS, state) for state in states}
    results = await side_by_side(sides, rounds)
    costs = [typical(results[state], lambda each: each.total_processor_ms) for state in states]
    return side_report("ours, on tables in other states", results), max(costs) < 2 * costs[0]


async def _commit_ms(school: School) -> float:
    """Measure one small transaction, alone."""
    connection = await asyncpg.connect(school.url)
    waits = []
    try:
        for _ in range(_COMMITS):
            started = time.perf_counter()
            await connection.execute("UPDATE occupancy SET version = version + 1")
            waits.append(time.perf_counter() - started)
    finally:
        await connection.close()
    return 1000 * median(waits)
