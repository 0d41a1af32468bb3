"""`ask` round trips against a bare aiohttp client calling a bare Litestar route.

The bare side posts the same question and gets the same bytes, from the same HTTP server in a
process of its own; it checks no token and reads neither the question nor the answer. A third side
asks courses itself, which finds that answer in PostgreSQL, in a transaction: what it takes beyond
the second is the database's.
"""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os import environ, getpid

import aiohttp
from shared.ask import Services
from shared.callers import Caller, TokenSigner
from shared.contracts.courses import FollowedCourse, FollowedCourses
from shared.identifiers import imported_id, new_id
from shared.observability import correlated
from stack.probes import answers
from stack.process import Process, Program
from stack.remembered import free_port
from stack.running import Stack

from bench.answering import BARE_PATH, READY_PATH
from bench.findings import Findings, table
from bench.processor import Clock, clock, process_id, tree_clock
from bench.round_trips import A_ROUND, AT_ONCE, RoundTrips
from bench.rounds import Round, processor_of, ratio, side_by_side, typical

ROUNDS = 5

_QUESTION = FollowedCourses(student_id=imported_id("student", "MEU-F00001-E1"))
_GUARDIAN = Caller(
    account_id=new_id(),
    session_id=new_id(),
    role="family",
    name="Madame TEST Nicole",
    site_id=imported_id("site", "MEU"),
    family_id=imported_id("family", "MEU-F00001"),
)

_CLIENT = {"client": clock(getpid())}

type Answer = tuple[FollowedCourse, ...]


async def bench_ask(stack: Stack) -> Findings:
    """Measure, beside a stack that runs with the demonstration territory."""
    token = TokenSigner.from_file(stack.keys.private).sign(
        _GUARDIAN, datetime.now(UTC), timedelta(minutes=10)
    )
    async with Services(stack.urls) as services:
        answer = await services.ask(_QUESTION, token=token)
    courses = {
        "server": clock(process_id(stack.process("courses"))),
        "PostgreSQL": tree_clock(process_id(stack.process("postgresql"))),
    }
    content = FollowedCourses.answer.dump_json(answer)
    async with (
        serving(stack, "bare", content) as bare_server,
        serving(stack, "ask", content) as ask_server,
        _bare_side(bare_server, content) as bare,
        _asking_side(ask_server.url, token, answer, ask_server.clocks) as ours,
        _asking_side(stack.urls["courses"][0], token, answer, courses) as with_database,
    ):
        results = await side_by_side(
            {
                "bare": bare.run,
                "ask": ours.run,
                "ask, in a transaction": with_database.run,
            },
            ROUNDS,
        )
    print(_report(results, len(content)))
    return Findings(
        ratios=_ratios(results["ask"], results["bare"], "ask")
        | _ratios(results["ask, in a transaction"], results["bare"], "ask_in_transaction"),
        checks={"asks_answered_right": not bare.wrong + ours.wrong + with_database.wrong},
    )


@dataclass(frozen=True, slots=True)
class AnsweringServer:
    """Where a process of bench.answering listens, and what it has used."""

    url: str
    clocks: Mapping[str, Clock]


@asynccontextmanager
async def serving(stack: Stack, name: str, content: bytes) -> AsyncIterator[AnsweringServer]:
    """Run a process of bench.answering, which gives ``content``: an answer to followed courses."""
    port = free_port(())
    url = f"http://127.0.0.1:{port}"

    async def is_ready() -> bool:
        return await answers(url + READY_PATH)

    told = {
        "RENTREE_HOST": "127.0.0.1",
        "RENTREE_PORT": str(port),
        "RENTREE_ANSWER": content.decode(),
    }
    process = Process(
        Program(
            name=f"answering-{name}",
            command=(sys.executable, "-m", "bench.answering"),
            environment={**environ, **stack.variables("courses"), **told},
            log=stack.logs / f"answering-{name}.log",
            is_ready=is_ready,
        ),
        report=print,
    )
    process.start()
    try:
        await process.wait_ready()
        yield AnsweringServer(url, {"server": clock(process_id(process))})
    finally:
        await process.stop()


@asynccontextmanager
async def _bare_side(server: AnsweringServer, content: bytes) -> AsyncIterator[RoundTrips[bytes]]:
    """Post the question as it is, take the bytes as they come."""
    url, body = server.url + BARE_PATH, _QUESTION.model_dump_json().encode()
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as client:

        async def call() -> bytes:
            async with client.post(url, data=body) as response:
                return await response.read()

        yield RoundTrips(call, content, {**_CLIENT, **server.clocks})


@asynccontextmanager
async def _asking_side(
    url: str, token: str, answer: Answer, clocks: Mapping[str, Clock]
) -> AsyncIterator[RoundTrips[Answer]]:
    """Ask as the gateway does."""
    async with Services({"courses": [url]}) as services:

        async def call() -> Answer:
            with correlated(None):
                return await services.ask(_QUESTION, token=token)

        yield RoundTrips(call, answer, {**_CLIENT, **clocks})


def _ratios(ours: Sequence[Round], bare: Sequence[Round], name: str) -> dict[str, float]:
    return {
        f"{name}_vs_bare": ratio(ours, bare, lambda each: each.per_second),
        f"{name}_p99_vs_bare": ratio(ours, bare, lambda each: each.p99_ms),
        f"{name}_processor_vs_bare": ratio(ours, bare, lambda each: each.total_processor_ms),
    }


def _report(results: Mapping[str, Sequence[Round]], size: int) -> str:
    processes = ("client", "server", "PostgreSQL")
    rows = [
        (
            name,
            typical(rounds, lambda each: each.per_second),
            typical(rounds, lambda each: each.p50_ms),
            typical(rounds, lambda each: each.p99_ms),
            *(typical(rounds, processor_of(process)) for process in processes),
        )
        for name, rounds in results.items()
    ]
    return table(
        f"ask: {AT_ONCE} at once, {ROUNDS} rounds of {A_ROUND}, an answer of {size} bytes",
        ["", "round trips/s", "p50 ms", "p99 ms", *(f"{name} CPU ms" for name in processes)],
        rows,
    )
