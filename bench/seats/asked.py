"""Seats through `ask`: two replicas of courses against two bare HTTP servers.

The bare side posts the same bytes, from this same process, and gets an answer of the same length;
it reads neither. Everyone wishes for the same hot course. Each client is one guardian with many
students, whose token the replicas have seen; the replicas relay their events meanwhile.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from statistics import mean

import aiohttp
from shared.ask import Services
from shared.callers import TokenSigner
from shared.contract import Rejection
from shared.contracts.courses import FollowedCourse, FollowedCourses, Hold, HoldSeats
from shared.observability import correlated
from stack.running import Stack

from bench.answering import BARE_PATH
from bench.ask import AnsweringServer, serving
from bench.findings import Findings
from bench.processor import Clock, clock, process_id, tree_clock
from bench.rounds import Round, ratio, side_by_side
from bench.seats.answers import held
from bench.seats.books import what_is_wrong
from bench.seats.clients import Answers, crowd
from bench.seats.contender import Give
from bench.seats.heard import Heard
from bench.seats.pace import Pace
from bench.seats.reports import per_second, side_report
from bench.seats.school import School, Wish
from bench.seats.trials import clocks_of

_CLIENTS, _REPLICAS = 128, 2
_TOKEN_LIFE = timedelta(minutes=15)
_BARE, _OURS = f"bare, {_REPLICAS} servers", f"ours by ask, {_REPLICAS} replicas"


async def bench_asked(stack: Stack, pace: Pace) -> Findings:
    """Measure both sides with 128 clients; the stack has two replicas of courses."""
    school = await School.found(
        stack,
        "courses",
        courses=1,
        capacity=pace.students,
        students=pace.students,
        families=_CLIENTS,
    )
    await stack.start("courses")
    wishes = school.wishes()
    wrong: list[str] = []
    async with (
        _bare_servers(stack, wishes[0]) as servers,
        _posting(servers, wishes) as post,
        _asking(stack, wishes) as ask,
        Heard.at(stack) as heard,
    ):

        async def post_bare() -> Round:
            clocks = _clocks(stack, [each.clocks["server"] for each in servers])
            return await _crowd(post, wishes, Answers(), pace, clocks)

        async def ask_ours() -> Round:
            await school.empty()
            answers = Answers()
            measured = await _crowd(ask, wishes, answers, pace, _clocks(stack, _replicas(stack)))
            told = await heard.holds(len(answers.holds))
            wrong.extend(await what_is_wrong(school, answers, told))
            return measured

        results = await side_by_side({_BARE: post_bare, _OURS: ask_ours}, pace.rounds)
    print(side_report(f"one hot course by HTTP, {_CLIENTS} clients", results))
    print(
        f"  seats decided together: {mean(heard.sizes):.0f} on average, {max(heard.sizes)} at most"
    )
    for each in wrong:
        print(f"  WRONG: {_OURS}: {each}")
    return Findings(
        ratios={"ask_vs_bare_http": ratio(results[_OURS], results[_BARE], per_second)},
        checks={"ask_books": not wrong},
    )


async def _crowd(
    give: Give, wishes: Sequence[Wish], answers: Answers, pace: Pace, clocks: Mapping[str, Clock]
) -> Round:
    return await crowd(give, wishes, answers, clients=_CLIENTS, seconds=pace.seconds, clocks=clocks)


@asynccontextmanager
async def _bare_servers(stack: Stack, wish: Wish) -> AsyncIterator[list[AnsweringServer]]:
    """Run as many bare servers as there are replicas, whose answer is as long as a hold's."""
    length = len(HoldSeats.answer.dump_json((held(wish, datetime.now(UTC)),)))
    unpadded = FollowedCourse(school_year="", label="", teacher="", room="")
    padding = length - len(FollowedCourses.answer.dump_json((unpadded,)))
    padded = unpadded.model_copy(update={"label": "x" * padding})
    content = FollowedCourses.answer.dump_json((padded,))
    async with AsyncExitStack() as running:
        yield [
            await running.enter_async_context(serving(stack, f"bare-{number}", content))
            for number in range(_REPLICAS)
        ]


@asynccontextmanager
async def _posting(
    servers: Sequence[AnsweringServer], wishes: Sequence[Wish]
) -> AsyncIterator[Give]:
    """Post what is asked as it is, and take the bytes as they come: no seat is given."""
    turn = cycle([each.url + BARE_PATH for each in servers])
    bodies = {each.request.hold_id: each.command.model_dump_json().encode() for each in wishes}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers={"content-type": "application/json"}
    ) as client:

        async def give(wish: Wish) -> None:
            async with client.post(next(turn), data=bodies[wish.request.hold_id]) as response:
                await response.read()

        yield give


@asynccontextmanager
async def _asking(stack: Stack, wishes: Sequence[Wish]) -> AsyncIterator[Give]:
    """Ask as the gateway does."""
    signer = TokenSigner.from_file(stack.keys.private)
    now = datetime.now(UTC)
    callers = {each.caller.account_id: each.caller for each in wishes}
    tokens = {key: signer.sign(each, now, _TOKEN_LIFE) for key, each in callers.items()}
    async with Services(stack.urls) as services:

        async def give(wish: Wish) -> Hold | None:
            with correlated(None):
                try:
                    (hold,) = await services.ask(wish.command, token=tokens[wish.caller.account_id])
                except Rejection as rejection:
                    if rejection.code != "course_full":
                        raise
                    return None
            return hold

        yield give


def _replicas(stack: Stack) -> list[Clock]:
    return [
        clock(process_id(stack.process("courses", number))) for number in range(1, _REPLICAS + 1)
    ]


def _clocks(stack: Stack, servers: Sequence[Clock]) -> dict[str, Clock]:
    return {
        **clocks_of(stack),
        "servers": lambda: sum(each() for each in servers),
        "RabbitMQ": tree_clock(process_id(stack.process("rabbitmq"))),
    }
