"""The servers that every test shares, started once a session, and the system on top of them."""

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest_asyncio
from hypothesis import settings
from stack.demonstration import load_demonstration
from stack.running import Stack
from stack.topology import SERVICES

from tests.system import System

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case the same in every run: those that share the suite compare their names."""
    text = val if isinstance(val, str | UUID) else ""
    named, found = _UUID.subn("id", str(text))
    return named if found else None


settings.register_profile("same examples every time", derandomize=True, database=None)
settings.load_profile("same examples every time")


@pytest_asyncio.fixture(scope="session")
async def servers() -> AsyncIterator[Stack]:
    """PostgreSQL, RabbitMQ, the store and the mail server, with each service's empty database."""
    stack = Stack(
        Path(tempfile.mkdtemp(prefix="rentree-tests-")),
        scale={"courses": 2, "documents": 2, "gateway": 2},
    )
    try:
        async with stack:
            await stack.start_servers()
            yield stack
    finally:
        stack.remove()


@pytest_asyncio.fixture(scope="session")
async def system(servers: Stack) -> AsyncIterator[System]:
    """Every service as processes of its own, two of courses and of documents, and a client."""
    await servers.start(*SERVICES)
    async with System.over(servers) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def portal(system: System) -> System:
    """The system with its gateway, two replicas behind the public port, and the demonstration."""
    await system.stack.start("gateway")
    await system.stack.start_balancer()
    await load_demonstration(system.stack.urls, system.stack.keys.private)
    return system
