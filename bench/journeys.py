"""Whole journeys through the gateway: virtual families, each with the forms of the real pages.

They sign in first, all of them: a password costs processor time by design, and is counted apart.
Then each goes from its home page through the six steps to its receipt, a fixed number of families
at once. A journey's processor time includes what follows it: the claimed seat and the mail.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from os import getpid

import aiohttp
from stack.running import Stack
from stack.topology import PACKAGES

from bench.books import close_books, settle
from bench.crowd import guardians_of_one_slot
from bench.findings import Findings, table
from bench.processor import Clock, clock, process_id, tree_clock
from bench.rounds import Round, Stopwatch
from bench.visitor import LostOnTheWay, Visitor

FAMILIES = 80
AT_ONCE = 16

_FAMILIES_THEMSELVES = "families (this process)"


async def bench_journeys(stack: Stack) -> Findings:
    """Send families of the demonstration territory through a stack that runs with it."""
    clocks = _clocks(stack)
    async with AsyncExitStack() as browsers:
        visitors = [
            await browsers.enter_async_context(
                Visitor.before(stack.public_url, guardian, taste=number)
            )
            for number, guardian in enumerate(guardians_of_one_slot(FAMILIES))
        ]
        stopwatch = Stopwatch(clocks)
        arrived, waits = await _in_turn(visitors, _sign_in)
        signed_in = stopwatch.stop(FAMILIES, waits)

        stopwatch, alone = Stopwatch(clocks), Stopwatch({})
        filed, waits = await _in_turn(arrived, Visitor.re_enrol)
        travelled = alone.stop(FAMILIES, waits)
        await settle(stack, len(filed))
        settled = stopwatch.stop(FAMILIES)
    books = await close_books(stack, FAMILIES, filed)
    if len(filed) == FAMILIES:  # of fewer, the figures of one would not be of one
        print(_report(signed_in, travelled, settled))
    print(table("books", ["", "expected", "found"], [(e.name, e.expected, e.found) for e in books]))
    return Findings(checks={entry.name: entry.is_right for entry in books})


async def _sign_in(visitor: Visitor) -> Visitor:
    await visitor.sign_in()
    return visitor


async def _in_turn[Result](
    visitors: Sequence[Visitor], act: Callable[[Visitor], Awaitable[Result]]
) -> tuple[list[Result], list[float]]:
    """Have all visitors act, so many at once; give the results, and how long each took.

    One that gets lost is told of and left out: the books will miss it.
    """
    results: list[Result] = []
    waits: list[float] = []
    left = iter(visitors)

    async def act_in_turn() -> None:
        for visitor in left:
            started = time.perf_counter()
            try:
                results.append(await act(visitor))
            except (LostOnTheWay, aiohttp.ClientError, TimeoutError) as lost:
                print(f"{visitor.guardian.username} got lost: {lost!r}")
            else:
                waits.append(time.perf_counter() - started)

    await asyncio.gather(*(act_in_turn() for _ in range(AT_ONCE)))
    return results, waits


def _clocks(stack: Stack) -> Mapping[str, Clock]:
    """Give every process of the stack that a journey makes work, and the families' own."""
    alone = (*reversed(PACKAGES), "balancer", "smtp")
    return {
        **{name: clock(process_id(stack.process(name))) for name in alone},
        **{
            name: tree_clock(process_id(stack.process(name))) for name in ("postgresql", "rabbitmq")
        },
        _FAMILIES_THEMSELVES: clock(getpid()),
    }


def _report(signed_in: Round, travelled: Round, settled: Round) -> str:
    processes = [
        (name, spent, settled.processor_ms[name], _share(settled.processor_ms[name], settled))
        for name, spent in signed_in.processor_ms.items()
    ]
    return table(
        f"journeys: {FAMILIES} families, {AT_ONCE} at once; then CPU ms of one, by process",
        ["", "sign-in", "journey", "share"],
        [
            ("per second", signed_in.per_second, travelled.per_second, ""),
            ("p50 ms", signed_in.p50_ms, travelled.p50_ms, ""),
            ("p99 ms", signed_in.p99_ms, travelled.p99_ms, ""),
            *processes,
            ("all processes", signed_in.total_processor_ms, settled.total_processor_ms, ""),
        ],
    )


def _share(spent: float, settled: Round) -> str:
    return f"{spent / settled.total_processor_ms:.0%}"
