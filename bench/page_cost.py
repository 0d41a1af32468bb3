"""What each page costs a gateway: `python -m bench.page_cost`, or some, as in `… etape-1 etape-4`.

The pages are those of the tests' showroom that are read, not sent. They are asked of the gateway
in this process while its services answer from a table: what is measured is the gateway's own CPU,
without the HTTP server's. The last line of output is JSON; the exit code is not 0 where a page
costs more than is wanted.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

import uvloop
from gateway.people import ACCESS_COOKIE
from litestar.types import HTTPReceiveMessage, HTTPScope, Message
from shared.observability import configure_logging

from bench.findings import table
from bench.machine import machine
from tests.portal import Portal
from tests.showroom.exhibits import EXHIBITS
from tests.showroom.household import CALLER
from tests.showroom.room import Exhibit

WANTED_MS = 15.0
"""At the median, for any page."""
TURNS, QUICK_TURNS = 60, 5
_WARM_UP = 5

READ = {name: exhibit for name, exhibit in EXHIBITS.items() if not exhibit.acts}


async def run(names: Sequence[str], turns: int) -> dict[str, list[float]]:
    """Ask for each page in turn, again and again; give what each answer took, in ms of CPU."""
    portal = Portal(Path(tempfile.mkdtemp(prefix="rentree-bench-")))
    token = portal.token_for(CALLER)
    answers = {name: READ[name].answers() for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(_WARM_UP + turns):
        gc.collect()
        for name in names:
            portal.reset(answers[name])
            scope, answered = _scope(READ[name], token), _Answered()
            started = time.process_time()
            await portal.app(scope, _nothing_more, answered)
            spent_ms = (time.process_time() - started) * 1000
            if answered.leads_elsewhere:
                taken.pop(name, None)
            elif answered.status != READ[name].status:
                raise RuntimeError(f"{name} is answered {answered.status}")
            elif turn >= _WARM_UP:
                taken[name].append(spent_ms)
    return taken


def _scope(exhibit: Exhibit, token: str) -> HTTPScope:
    """Make the request of a browser that reads a page."""
    path, _, query = exhibit.path.partition("?")
    cookies = [f"langue={exhibit.language}"]
    if exhibit.signed_in:
        cookies.append(f"{ACCESS_COOKIE}={token}")
    scope: dict[str, object] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"portal.example"), (b"cookie", "; ".join(cookies).encode())],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
        "state": {},
    }
    return scope  # type: ignore[return-value]


async def _nothing_more() -> HTTPReceiveMessage:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Answered:
    """Hears an answer, and keeps nothing of it but its status."""

    status = 0

    @property
    def leads_elsewhere(self) -> bool:
        """Whether the browser is sent to another page, which is measured by its own name."""
        return 300 <= self.status < 400

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]


def report(taken: Mapping[str, Sequence[float]]) -> str:
    """Lay out the dearest pages first."""
    rows = [
        (name, median(times), quantiles(times, n=10)[-1], min(times))
        for name, times in sorted(taken.items(), key=lambda each: -median(each[1]))
    ]
    return table("CPU of a page, in ms", ("page", "median", "9th decile", "least"), rows)


def main() -> int:
    """Read the command line, measure, end with the line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.page_cost", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PAGE", help="pages of tests/showroom")
    parser.add_argument("--quick", action="store_true", help="measure less")
    given = parser.parse_args()
    names = given.names or list(READ)
    if unknown := set(names) - set(READ):
        parser.error(f"no such page: {', '.join(sorted(unknown))}")
    configure_logging("bench", "critical")
    taken = uvloop.run(run(names, QUICK_TURNS if given.quick else TURNS))
    medians = {name: round(median(times), 2) for name, times in taken.items()}
    checks = {"within_15_ms": max(medians.values()) <= WANTED_MS}
    print(report(taken))
    line = {"bench": "pages", "page_ms_cpu_median": medians, "machine": machine(), "checks": checks}
    print("\n" + json.dumps(line))
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
