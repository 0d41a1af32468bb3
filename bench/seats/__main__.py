"""The benchmark of seat allocation: `python -m bench.seats`, or some of it, as in `… hot growth`.

Ways to give seats take turns on one PostgreSQL, in this one run; after each round the books must
say what the clients were answered. The last line of output is JSON; the exit code is not 0 where a
check on correctness fails. ``--quick`` measures less, to see that it works.
"""

import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from stack.running import Stack

from bench.command import run_named
from bench.findings import Findings
from bench.machine import describe_machine
from bench.seats.asked import bench_asked
from bench.seats.growth import bench_growth
from bench.seats.hot import bench_hot
from bench.seats.oversubscribed import bench_oversubscribed
from bench.seats.pace import FULL, QUICK, Pace

SCENARIOS: Mapping[str, Callable[[Stack, Pace], Awaitable[Findings]]] = {
    "hot": bench_hot,
    "oversubscribed": bench_oversubscribed,
    "growth": bench_growth,
    "asked": bench_asked,
}


async def run(names: Sequence[str], pace: Pace) -> Findings:
    """Run the scenarios on one stack of their own, stopped and removed at the end."""
    stack = Stack(
        Path(tempfile.mkdtemp(prefix="rentree-bench-")), scale={"courses": 2}, report=print
    )
    findings = Findings()
    try:
        async with stack:
            await stack.start_servers()
            print(await describe_machine(stack), flush=True)
            for name in names:
                findings |= await SCENARIOS[name](stack, pace)
                sys.stdout.flush()
    finally:
        stack.remove()
    return findings


if __name__ == "__main__":
    sys.exit(
        run_named(
            "seats", __doc__, SCENARIOS, lambda names, quick: run(names, QUICK if quick else FULL)
        )
    )
