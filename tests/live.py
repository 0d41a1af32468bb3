"""A browser that follows live seats, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import aiohttp
from gateway.live import SEATS_PATH, STREAM_PATH
from litestar.types import ASGIApp
from shared.contracts.courses import CourseSeats
from shared.server import http_server
from stack.probes import answers
from stack.remembered import free_port

from tests.harness import eventually


def seats(course_id: UUID, left: int, *, waiting: int = 0, version: int = 1) -> CourseSeats:
    """The seats of a course at one moment."""
    return CourseSeats(course_id=course_id, seats_left=left, waiting=waiting, version=version)


def query(course_ids: Iterable[object]) -> str:
    """Name courses in an address."""
    return "&".join(f"cours={each}" for each in course_ids)


class Stream:
    """What one browser has received."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._content = response.content

    async def told(self, within_seconds: float = 5) -> dict[UUID, CourseSeats]:
        """Wait for the next message; give its courses, as many as came at once."""
        async with asyncio.timeout(within_seconds):
            while not (chunk := await self._content.readany()).count(b"data: "):
                assert chunk, "the stream ended"
        found = [
            CourseSeats.model_validate(json.loads(line.removeprefix(b"data: ")))
            for line in chunk.splitlines()
            if line.startswith(b"data: ")
        ]
        return {each.course_id: each for each in found}

    async def is_silent(self, for_seconds: float = 0.3) -> bool:
        """Tell whether no course is told for a while."""
        try:
            async with asyncio.timeout(for_seconds):
                await self.told()
        except TimeoutError:
            return True
        return False

    async def ends(self) -> bool:
        """Wait until the other end closes it."""
        async with asyncio.timeout(5):
            while await self._content.readany():
                pass
        return self._content.at_eof()


class Address:
    """A gateway that listens, and a browser before it."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.url = url
        self.client = client

    @asynccontextmanager
    async def stream(self, *course_ids: UUID) -> AsyncIterator[Stream]:
        """Follow some courses."""
        address = f"{self.url}{STREAM_PATH}?{query(course_ids)}"
        async with self.client.get(address) as response:
            assert response.status == 200, await response.text()
            yield Stream(response)

    async def seats(self, *course_ids: UUID) -> dict[UUID, CourseSeats] | None:
        """Ask once; nothing where it is not known."""
        async with self.client.get(f"{self.url}{SEATS_PATH}?{query(course_ids)}") as response:
            if response.status == 503:
                return None
            assert response.status == 200, await response.text()
            told = [CourseSeats.model_validate(each) for each in await response.json()]
        return {each.course_id: each for each in told}


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[Address]:
    """Serve an application on a port of its own."""
    port = free_port(())
    server = http_server(app, "127.0.0.1", port)
    serving = asyncio.create_task(server.serve())
    url = f"http://127.0.0.1:{port}"
    try:
        await eventually(lambda: answers(f"{url}/health/ready"))
        async with aiohttp.ClientSession() as client:
            yield Address(url, client)
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving
