"""The benchmarks of the foundation: `python -m bench`, or some of them, as in `… ask relay`.

Each measures side by side in this one run; the last line of output is JSON. The exit code is not 0
where a check on correctness fails.
"""

import argparse
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import uvloop
from shared.observability import configure_logging
from stack.demonstration import load_demonstration
from stack.errors import StackError
from stack.running import Stack

from bench.ask import bench_ask
from bench.findings import Findings
from bench.journeys import bench_journeys
from bench.machine import describe_machine
from bench.relay import bench_relay

BENCHMARKS: Mapping[str, Callable[[Stack], Awaitable[Findings]]] = {
    "ask": bench_ask,
    "relay": bench_relay,
    "journeys": bench_journeys,
}


async def run(names: Sequence[str]) -> Findings:
    """Run the benchmarks on one stack of its own, stopped and removed at the end."""
    stack = Stack(Path(tempfile.mkdtemp(prefix="rentree-bench-")), report=print)
    findings = Findings()
    try:
        async with stack:
            await stack.start_everything()
            await load_demonstration(stack.urls, stack.keys.private)
            print(await describe_machine(stack), flush=True)
            for name in names:
                findings |= await BENCHMARKS[name](stack)
    finally:
        stack.remove()
    return findings


def main() -> int:
    """Read the command line, run, end with the line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    configure_logging("bench", "warning")
    try:
        findings = uvloop.run(run(names))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + findings.line("foundation"))
    return 0 if findings.are_right else 1


if __name__ == "__main__":
    sys.exit(main())
