"""Asking a service: other replicas, busy ones, dead ones, and who may ask."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from courses.app import service as courses_service
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


@asynccontextmanager
async def standing_in(answer: Answer) -> AsyncIterator[str]:
    """A replica that answers every request as the test says; an empty body hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        status, body = await answer()
        if body:
            writer.write(
                b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
                % (status, len(body), body)
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


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
