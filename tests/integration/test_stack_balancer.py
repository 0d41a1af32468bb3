"""The one public door: it spreads, it retries, and it says in French when nobody is there."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from stack.remembered import free_port
from stack.servers.balancer import CONFIGURATION, Balancer

pytestmark = pytest.mark.servers


class Replica:
    """A gateway that says its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port(())
        self.url = f"http://127.0.0.1:{self.port}"
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.json_response({"name": self.name})


@pytest_asyncio.fixture
async def replicas() -> AsyncIterator[list[Replica]]:
    replicas = [Replica("one"), Replica("two")]
    for replica in replicas:
        await replica.start()
    yield replicas
    for replica in replicas:
        await replica.stop()


@pytest_asyncio.fixture
async def balancer(tmp_path: Path, replicas: list[Replica]) -> AsyncIterator[Balancer]:
    balancer = Balancer(tmp_path, free_port(()), tmp_path, report=lambda _line: None)
    await balancer.start([replica.url for replica in replicas])
    yield balancer
    await balancer.process.stop()


async def names(balancer: Balancer, method: str = "GET") -> set[str]:
    """Ask ten times, each over a connection of its own, and tell who answered."""
    answered = set()
    for _ in range(10):
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, balancer.url) as answer,
        ):
            assert answer.status == 200
            answered.add((await answer.json())["name"])
    return answered


async def test_replicas_share_the_requests(balancer: Balancer) -> None:
    assert await names(balancer) == {"one", "two"}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_replica_that_dies_is_not_noticed(
    balancer: Balancer, replicas: list[Replica], method: str
) -> None:
    await replicas[0].stop()

    assert await names(balancer, method) == {"two"}


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "/metrics/", "//metrics", "/%6Detrics", "/%6detrics/", "/%2Fmetrics"),
        *("/metrics%2F", "/%6Detrics?%zz", "http://essai/%6Detrics"),
    ],
)
async def test_measurements_are_not_public_however_their_path_is_written(
    balancer: Balancer, path: str
) -> None:
    assert await status(balancer, path) == 404


@pytest.mark.parametrize("path", ["/", "/accueil", "/%C3%A9l%C3%A8ves", "/eleves/metrics"])
async def test_every_other_page_is_let_through(balancer: Balancer, path: str) -> None:
    assert await status(balancer, path) == 200


async def status(balancer: Balancer, target: str) -> int:
    """Ask for a target as it is written: a client would tidy it first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: essai\r\n\r\n".encode())
    first_line = await asyncio.wait_for(reader.readline(), timeout=5)
    writer.close()
    return int(first_line.split()[1])


async def test_visitors_are_told_in_french_when_no_replica_is_up(
    balancer: Balancer, replicas: list[Replica]
) -> None:
    for replica in replicas:
        await replica.stop()
    async with aiohttp.ClientSession() as session, session.get(balancer.url) as answer:
        page = await answer.text()

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "10"
    assert "Le portail est momentanément indisponible" in page


async def test_the_containers_balancer_understands_its_configuration(balancer: Balancer) -> None:
    check = await asyncio.create_subprocess_exec(
        *balancer.process.program.command[:1],
        "-c",
        *("-f", str(CONFIGURATION / "haproxy.cfg")),
        *("-f", str(CONFIGURATION / "replicas.cfg")),
        env=os.environ
        | {
            "BALANCER_ADDRESS": "*:8000",
            "BALANCER_UNAVAILABLE_PAGE": str(CONFIGURATION / "unavailable.http"),
        },
        stderr=subprocess.PIPE,
    )
    _, said = await check.communicate()
    assert check.returncode == 0, said.decode()
