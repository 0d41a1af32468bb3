"""Live seats: thousands of open streams on one gateway process, while the seats of every course
change. `python -m bench.streams` ends with a line of JSON; the exit code is not 0 where a stream
was not told the truth in the end, or the targets are missed.

A change is a committed transaction on courses' counters; a stream knows of it once it has received
that version of the course, or a later one. In between lie courses' telling, the outbox, its relay,
RabbitMQ, the board of the gateway and the stream. Who reads the streams runs on the same machine.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import asyncpg
import uvloop
from gateway.live import STREAM_PATH
from shared.identifiers import new_id
from shared.observability import configure_logging
from shared.server import allow_connections
from stack.running import Stack
from yarl import URL

from bench.findings import Findings, table
from bench.machine import describe_machine
from bench.processor import clock, process_id

STREAMS = 2_000
COURSES = 200
FOLLOWED = 10
SECONDS = 15.0
CHANGES_A_SECOND = 400
MIB_AT_MOST = 200
SECONDS_AT_MOST = 1.0

_TICK_SECONDS = 0.05
_CAPACITY = 30
_TOLD = re.compile(rb'"course_id":"([0-9a-f-]{36})","seats_left":(\d+),"waiting":0,"version":(\d+)')
_HEADERS = (
    "host: reinscription.example\r\n"
    "user-agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Mobile Safari/537.36\r\n"
    "accept: text/event-stream\r\naccept-language: fr-FR,fr;q=0.9\r\n"
    "accept-encoding: gzip, deflate, br, zstd\r\ncache-control: no-cache\r\n"
    f"referer: https://reinscription.example/dossiers/{new_id()}/cours\r\n"
    f"cookie: rentree_csrf={'c' * 128}; rentree_access={'a' * 600}; rentree_refresh={'r' * 64}\r\n"
)
"""What a browser sends: a gateway that kept it for each stream would be heavier."""


@dataclass(slots=True)
class Truth:
    """The counters as last committed, and when each version of them was."""

    taken: dict[UUID, int]
    versions: dict[UUID, int]
    committed_at: dict[tuple[UUID, int], float] = field(default_factory=dict)

    @classmethod
    async def create(cls, connection: asyncpg.Connection) -> "Truth":
        """Give the empty catalogue courses whose slot is chosen."""
        course_ids = [new_id() for _ in range(COURSES)]
        await connection.execute(
            "INSERT INTO course (id, site_id, code, school_year, discipline, curriculum, level,"
            " cycle, group_number, reduced_schedule, teacher, room, capacity, mode)"
            " SELECT id, id, id, '2027-2028', '', 'FM', '2.1', '2', '1', false, '', '', $2, 'slot'"
            " FROM unnest($1::uuid[]) AS id",
            course_ids,
            _CAPACITY,
        )
        await connection.execute(
            "INSERT INTO occupancy (course_id, capacity)"
            " SELECT id, $2 FROM unnest($1::uuid[]) AS id",
            course_ids,
            _CAPACITY,
        )
        return cls(dict.fromkeys(course_ids, 0), dict.fromkeys(course_ids, 0))

    async def change(self, connection: asyncpg.Connection, count: int) -> None:
        """Have as many courses change, in one transaction."""
        changed = random.sample(list(self.taken), count)
        taken = [random.randint(0, _CAPACITY) for _ in changed]
        rows = await connection.fetch(
            "UPDATE occupancy SET taken = new.taken, version = version + 1"
            " FROM unnest($1::uuid[], $2::int[]) AS new (id, taken)"
            " WHERE course_id = new.id RETURNING course_id, occupancy.taken, version",
            changed,
            taken,
        )
        now = time.perf_counter()
        for row in rows:
            course_id = row["course_id"]
            self.taken[course_id], self.versions[course_id] = row["taken"], row["version"]
            self.committed_at[course_id, row["version"]] = now


class Reader(asyncio.Protocol):
    """One browser: what it knows of each course, and how late it learnt it."""

    def __init__(self, course_ids: Sequence[UUID], truth: Truth) -> None:
        self.known: dict[UUID, tuple[int, int]] = {}
        self.delays: list[float] = []
        self.messages = 0
        self._course_ids = course_ids
        self._truth = truth
        self._transport: asyncio.Transport | None = None

    def ask(self, transport: asyncio.Transport) -> None:
        """Ask for the stream."""
        self._transport = transport
        asked = "&".join(f"cours={each}" for each in self._course_ids)
        transport.write(f"GET {STREAM_PATH}?{asked} HTTP/1.1\r\n{_HEADERS}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Learn: a message is small, and comes whole."""
        now = time.perf_counter()
        self.messages += 1
        for course, left, version in _TOLD.findall(data):
            course_id = UUID(course.decode())
            before, _ = self.known.get(course_id, (int(version), 0))
            for each in range(before + 1, int(version) + 1):
                self.delays.append(now - self._truth.committed_at[course_id, each])
            self.known[course_id] = int(version), int(left)

    def knows(self) -> bool:
        """Whether it was told of all its courses."""
        return len(self.known) == len(self._course_ids)

    def is_right(self) -> bool:
        """Whether what it knows is how it stands."""
        return all(
            self.known[each] == (self._truth.versions[each], _CAPACITY - self._truth.taken[each])
            for each in self._course_ids
        )

    def close(self) -> None:
        """Go."""
        if self._transport is not None:
            self._transport.close()


async def bench_streams(stack: Stack, streams: int) -> Findings:
    """Measure, on a stack whose courses and gateway run."""
    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    truth = await Truth.create(connection)
    gateway = process_id(stack.process("gateway"))
    alone = _resident_mib(gateway)
    readers = await _open(URL(stack.urls["gateway"][0]).port or 0, truth, streams)
    opened = _resident_mib(gateway)
    used, started = clock(gateway), time.perf_counter()
    before, sent = used(), sum(reader.messages for reader in readers)
    while time.perf_counter() < started + SECONDS:
        await truth.change(connection, int(CHANGES_A_SECOND * _TICK_SECONDS))
        await asyncio.sleep(_TICK_SECONDS)
    seconds = time.perf_counter() - started
    processor, messages = used() - before, sum(reader.messages for reader in readers) - sent
    await asyncio.sleep(2 * SECONDS_AT_MOST)
    busy = _resident_mib(gateway)
    delays = [delay for reader in readers for delay in reader.delays]
    p99 = quantiles(delays, n=100)[98]
    print(
        table(
            f"live seats: {streams} streams of {FOLLOWED} courses on one gateway process,"
            f" {len(truth.committed_at) / seconds:.0f} changes/s of {COURSES} courses",
            ["MiB alone", "opened", "busy", "p50 ms", "p99 ms", "worst ms", "messages/s", "CPU"],
            [
                (
                    *(f"{mib:.0f}" for mib in (alone, opened, busy)),
                    *(f"{1000 * each:.0f}" for each in (median(delays), p99, max(delays))),
                    f"{messages / seconds:.0f}",
                    f"{processor / seconds:.0%}",
                )
            ],
        )
    )
    right = all(reader.is_right() for reader in readers)
    for reader in readers:
        reader.close()
    await connection.close()
    return Findings(
        ratios={"memory_vs_200_mib": busy / MIB_AT_MOST, "p99_vs_one_second": p99},
        checks={
            "every_stream_ends_with_the_truth": right,
            "within_200_mib": busy < MIB_AT_MOST,
            "within_one_second": p99 < SECONDS_AT_MOST,
        },
    )


async def _open(port: int, truth: Truth, streams: int) -> list[Reader]:
    """Open every stream, of the groups of one level each, and wait until all were told."""
    course_ids = list(truth.taken)
    loop, readers = asyncio.get_running_loop(), []
    for number in range(streams):
        first = number * FOLLOWED % COURSES
        open_one = partial(Reader, course_ids[first : first + FOLLOWED], truth)
        transport, reader = await loop.create_connection(open_one, "127.0.0.1", port)
        reader.ask(transport)
        readers.append(reader)
    async with asyncio.timeout(30):
        while not all(reader.knows() for reader in readers):
            await asyncio.sleep(0.1)
    return readers


def _resident_mib(pid: int) -> float:
    """Read how much memory a process has in use."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


async def run(streams: int) -> Findings:
    """Run on a stack of its own, stopped and removed at the end."""
    stack = Stack(Path(tempfile.mkdtemp(prefix="rentree-bench-")), report=print)
    try:
        async with stack:
            await stack.start_servers()
            await stack.start("courses", "gateway")
            print(await describe_machine(stack), flush=True)
            return await bench_streams(stack, streams)
    finally:
        stack.remove()


def main() -> int:
    """Read the command line, run, end with the line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=STREAMS)
    streams: int = parser.parse_args().streams
    configure_logging("bench", "warning")
    allow_connections()
    findings = uvloop.run(run(streams))
    print("\n" + findings.line("streams"))
    return 0 if findings.are_right else 1


if __name__ == "__main__":
    sys.exit(main())
