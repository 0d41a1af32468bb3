from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from gateway.pages.file_limit import FileLimit
from gateway.store import StoreDoor
from shared.ask import ServiceUnavailable
from shared.contract import Rejection

from tests.deposits import a_ticket


async def test_no_more_than_8_mib_of_a_refused_form_is_read() -> None:
    mebibyte, passed = 1024 * 1024, 0

    async def sends_without_end() -> Any:
        nonlocal passed
        passed += 1
        return {"type": "http.request", "body": bytes(mebibyte), "more_body": True}

    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def page(*_: object) -> None:
        raise AssertionError

    heavy: Any = {
        "type": "http",
        "method": "POST",
        "path": "/dossiers/1/documents/domicile",
        "query_string": b"",
        "server": ("testserver.local", 80),
        "headers": [(b"content-length", str(100 * mebibyte).encode())],
    }
    await FileLimit(page)(heavy, sends_without_end, send)
    assert said[0]["status"] == 303
    assert passed == 8


@asynccontextmanager
async def a_store(status: int, received: dict[str, str]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        for name, value in (await request.post()).items():
            received[name] = (
                value.file.read().decode() if isinstance(value, web.FileField) else str(value)
            )
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/rentree", take)
    async with TestServer(application) as server:
        yield str(server.make_url("/rentree"))


async def test_the_store_gets_the_tickets_fields_before_the_file() -> None:
    received: dict[str, str] = {}
    async with a_store(204, received) as url:
        await StoreDoor(url).send(a_ticket(url), "quittance.pdf", BytesIO(b"%PDF"))
    assert list(received.items()) == [
        ("key", "incoming/1"),
        ("Content-Type", "application/pdf"),
        ("file", "%PDF"),
    ]


async def test_the_store_may_be_reached_otherwise_than_by_browsers() -> None:
    received: dict[str, str] = {}
    async with a_store(204, received) as url:
        here = url.removesuffix("/rentree")
        await StoreDoor(here).send(a_ticket(), "quittance.pdf", BytesIO(b"%PDF"))
    assert received["file"] == "%PDF"


@pytest.mark.parametrize(("status", "error"), [(403, Rejection), (500, ServiceUnavailable)])
async def test_a_store_that_refuses_is_not_one_that_fails(
    status: int, error: type[Exception]
) -> None:
    async with a_store(status, {}) as url:
        with pytest.raises(error):
            await StoreDoor(url).send(a_ticket(url), "quittance.pdf", BytesIO(b"%PDF"))


async def test_a_store_that_is_not_there_is_documents_being_away() -> None:
    async with a_store(204, {}) as url:
        pass
    with pytest.raises(ServiceUnavailable, match="documents") as raised:
        await StoreDoor(url).send(a_ticket(url), "quittance.pdf", BytesIO(b"%PDF"))
    assert not raised.value.maybe_recorded


async def test_a_store_that_hangs_up_before_it_answers_may_have_kept_the_file() -> None:
    async def hang_up(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport
        request.transport.close()
        return web.Response()

    application = web.Application()
    application.router.add_post("/rentree", hang_up)
    async with TestServer(application) as server:
        url = str(server.make_url("/rentree"))
        with pytest.raises(ServiceUnavailable) as raised:
            await StoreDoor(url).send(a_ticket(url), "quittance.pdf", BytesIO(b"%PDF"))
    assert raised.value.maybe_recorded
