"""The command line that benchmarks of several scenarios share."""

import argparse
import sys
from collections.abc import Callable, Collection, Coroutine, Sequence

import uvloop
from shared.observability import configure_logging
from stack.errors import StackError

from bench.findings import Findings

type Run = Callable[[Sequence[str], bool], Coroutine[None, None, Findings]]
"""Runs the scenarios of these names, and less of each where the second argument says so."""


def run_named(bench: str, description: str | None, scenarios: Collection[str], run: Run) -> int:
    """Read the command line, run, end with the line of JSON; gives the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{bench}", description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(scenarios))
    parser.add_argument("--quick", action="store_true", help="measure less")
    given = parser.parse_args()
    names = given.names or list(scenarios)
    if unknown := set(names) - set(scenarios):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    configure_logging("bench", "warning")
    try:
        findings = uvloop.run(run(names, given.quick))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n" + findings.line(bench))
    return 0 if findings.are_right else 1
