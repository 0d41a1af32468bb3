"""Asking a service: other replicas, busy ones, dead ones, and who may ask."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from courses.app import service as courses_service
from prometheus_client import REGISTRY
from shared.ask import Services, ServiceUnavailable
from shared.callers import TokenSigner
from shared.contract import CsvLine, Problem, Rejection
from shared.contracts.courses import CourseRows, ImportCourses
from shared.contracts.identity import ListSites
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.keys import key_pair
from stack.remembered import free_port
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running

type Answer = Callable[[], Awaitable[tuple[int, bytes]]]
type Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[str]:
    """A replica that does what the test says with each connection, then hangs up."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def read_question(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    await reader.readexactly(length)


def reply(status: int, body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


@asynccontextmanager
async def standing_in(answer: Answer) -> AsyncIterator[str]:
    """A replica that answers every request as the test says; an empty body hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_question(reader)
        status, body = await answer()
        if body:
            writer.write(reply(status, body, b"connection: close"))
            await writer.drain()

    async with listening(handle) as url:
        yield url


def problem(code: str, status: int) -> bytes:
    return (
        Problem(type="about:blank", title=code, status=status, detail="…", code=code)
        .model_dump_json()
        .encode()
    )


async def no_sites() -> tuple[int, bytes]:
    return 200, b"[]"


async def hang_up() -> tuple[int, bytes]:
    return 200, b""


async def busy() -> tuple[int, bytes]:
    return 503, problem("busy", 503)


def nobody() -> str:
    return f"http://127.0.0.1:{free_port(())}"


@pytest.mark.parametrize("first", [hang_up, busy], ids=["dies mid-way", "is busy"])
async def test_a_replica_that_fails_is_replaced_by_another(first: Answer) -> None:
    async with (
        standing_in(first) as failing,
        standing_in(no_sites) as well,
        Services({"identity": [failing, well]}) as services,
    ):
        for _ in range(4):
            assert await services.ask(ListSites()) == ()


async def test_an_absent_replica_is_replaced_by_another() -> None:
    async with (
        standing_in(no_sites) as well,
        Services({"identity": [nobody(), well]}) as services,
    ):
        for _ in range(4):
            assert await services.ask(ListSites()) == ()


async def test_no_replica_at_all_is_unavailable_and_nothing_was_recorded() -> None:
    async with Services({"identity": [nobody(), nobody()]}) as services:
        with pytest.raises(ServiceUnavailable) as absent:
            await services.ask(ListSites())
    assert not absent.value.maybe_recorded


async def test_a_replica_that_lets_nobody_in_has_recorded_nothing() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as crowded,
        socket.create_connection(crowded.getsockname()),
    ):
        url = f"http://127.0.0.1:{crowded.getsockname()[1]}"
        async with Services({"identity": [url, nobody()]}) as services:
            with pytest.raises(ServiceUnavailable) as absent:
                await services.ask(ListSites())
    assert not absent.value.maybe_recorded


async def test_a_lost_reply_says_that_it_may_have_been_recorded() -> None:
    async with standing_in(hang_up) as failing, Services({"identity": [failing]}) as services:
        with pytest.raises(ServiceUnavailable) as lost:
            await services.ask(ListSites())
    assert lost.value.maybe_recorded


async def test_a_refusal_is_an_answer_and_is_not_repeated() -> None:
    asked = 0

    async def refuse() -> tuple[int, bytes]:
        nonlocal asked
        asked += 1
        return 409, problem("course_full", 409)

    async with standing_in(refuse) as url, Services({"identity": [url]}) as services:
        with pytest.raises(Rejection, match="course_full"):
            await services.ask(ListSites())
    assert asked == 1


async def test_one_connection_carries_many_asks() -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await read_question(reader)
            writer.write(reply(200, b"[]"))

    async with listening(handle) as url, Services({"identity": [url]}) as services:
        for _ in range(5):
            assert await services.ask(ListSites()) == ()
    assert connections == 1


@pytest.mark.parametrize("start", [b"HTTP/1.1 2", reply(200, b"[]")[:-1]])
async def test_a_reply_cut_short_is_lost(start: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_question(reader)
        writer.write(start)

    async with listening(handle) as url, Services({"identity": [url]}) as services:
        with pytest.raises(ServiceUnavailable) as lost:
            await services.ask(ListSites())
    assert lost.value.maybe_recorded


async def test_a_reply_too_late_is_never_taken_for_the_next_one() -> None:
    waiting = asyncio.Event()
    asked = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while True:
            await read_question(reader)
            asked += 1
            if asked <= 2:
                await waiting.wait()
            writer.write(reply(200, b"[]" if asked > 2 else b"late"))

    async with (
        listening(handle) as url,
        Services({"identity": [url]}, timeout_seconds=0.2) as services,
    ):
        with pytest.raises(ServiceUnavailable) as late:
            await services.ask(ListSites())
        assert late.value.maybe_recorded
        waiting.set()
        for _ in range(3):
            assert await services.ask(ListSites()) == ()


async def test_a_name_is_tried_at_each_of_its_addresses() -> None:
    async with standing_in(no_sites) as url:
        named = url.replace("127.0.0.1", "localhost")
        async with Services({"identity": [named]}) as services:
            for _ in range(8):
                assert await services.ask(ListSites()) == ()


async def test_a_token_cannot_smuggle_a_header() -> None:
    async with standing_in(no_sites) as url, Services({"identity": [url]}) as services:
        with pytest.raises(ValueError, match="header"):
            await services.ask(ListSites(), token="x\r\nx-other: y")


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    class Narrow(ServiceSettings):
        asks_in_flight: int = 2

    async with running(servers, courses_service, Narrow) as replica:
        yield replica


@pytest.mark.servers
async def test_beyond_its_bound_a_service_says_busy_at_once(
    courses: Running[ServiceSettings],
) -> None:
    import_nothing = ImportCourses(lines=())
    outcomes: list[Any] = await asyncio.gather(
        *(courses.ask(import_nothing, operator()) for _ in range(200)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, ServiceUnavailable)]
    assert refused
    assert not any(outcome.maybe_recorded for outcome in refused)
    assert {outcome.retry_after for outcome in refused} == {1}
    assert len(refused) < len(outcomes)


@pytest.mark.servers
async def test_a_text_that_the_database_cannot_hold_is_refused_as_wrong(
    courses: Running[ServiceSettings],
) -> None:
    line = CsvLine(number=2, cells={"code": "A\x00B"})
    with pytest.raises(Rejection, match="invalid"):
        await courses.ask(ImportCourses(lines=(line,)), operator())


@pytest.mark.servers
@pytest.mark.parametrize("token", [None, "", "x.y.z"], ids=["none", "empty", "forged"])
async def test_a_service_checks_the_token_itself(
    courses: Running[ServiceSettings], token: str | None
) -> None:
    with pytest.raises(Rejection, match="not_signed_in"):
        await courses.services.ask(
            CourseRows(campaign_id=new_id(), student_id=new_id()), token=token
        )


@pytest.mark.servers
async def test_a_token_signed_by_another_key_is_refused(
    courses: Running[ServiceSettings], tmp_path: Path
) -> None:
    forged = Running(
        courses.service,
        courses.settings,
        courses.replica,
        courses.services,
        TokenSigner.from_file(key_pair(tmp_path).private),
    )
    with pytest.raises(Rejection, match="not_signed_in"):
        await forged.ask(CourseRows(campaign_id=new_id(), student_id=new_id()), family_caller())


@pytest.mark.servers
@pytest.mark.parametrize(
    ("question", "status"),
    [
        (b"POST /ask/courses.import_courses HTTP/1.1\r\ncontent-length: 10000001", 413),
        (b"POST /ask/courses.import_courses HTTP/1.1\r\ncontent-length: 0", 422),
        (b"GET /ask/courses.import_courses HTTP/1.1", 405),
        (b"POST /ask/courses.of_nobody HTTP/1.1\r\ncontent-length: 0", 404),
    ],
    ids=["too large", "empty", "not posted", "unknown"],
)
async def test_what_is_not_a_question_is_refused(
    courses: Running[ServiceSettings], question: bytes, status: int
) -> None:
    token = courses.token_for(operator()).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", courses.settings.port)
    writer.write(question + b"\r\nhost: courses\r\nauthorization: Bearer " + token + b"\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"%d" % status
    writer.close()


@pytest.mark.servers
async def test_a_refusal_is_problem_details_with_the_correlation_id(
    courses: Running[ServiceSettings],
) -> None:
    url = f"http://127.0.0.1:{courses.settings.port}/ask/{CourseRows.name}"
    async with (
        aiohttp.ClientSession(headers={"x-correlation-id": "click-1"}) as client,
        client.post(url) as response,
    ):
        told = Problem.model_validate_json(await response.read())
    assert response.content_type == "application/problem+json"
    assert (response.status, told.status) == (401, 401)
    assert (told.code, told.correlation_id) == ("not_signed_in", "click-1")


@pytest.mark.servers
async def test_a_question_of_no_announced_length_is_read_to_its_end(
    courses: Running[ServiceSettings],
) -> None:
    token = courses.token_for(operator()).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", courses.settings.port)
    writer.write(
        b"POST /ask/courses.import_courses HTTP/1.1\r\nhost: courses\r\n"
        b"authorization: Bearer " + token + b"\r\ntransfer-encoding: chunked\r\n\r\n"
        b'9\r\n{"lines":\r\n3\r\n[]}\r\n0\r\n\r\n'
    )
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()


@pytest.mark.servers
async def test_asks_are_counted_by_outcome(courses: Running[ServiceSettings]) -> None:
    def answered() -> float:
        labels = {"ask": "courses.import_courses", "outcome": "answered"}
        return REGISTRY.get_sample_value("rentree_ask_seconds_count", labels) or 0

    before = answered()
    await courses.ask(ImportCourses(lines=()), operator())
    assert answered() == before + 1
    assert REGISTRY.get_sample_value("rentree_asks_in_flight") == 0
