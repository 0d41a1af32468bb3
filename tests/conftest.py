"""The servers that every test shares, started once a session, and the system on top of them."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from hypothesis import settings
from stack.demonstration import load_demonstration
from stack.running import Stack
from stack.topology import SERVICES

from tests.system import System

settings.register_profile("same examples every time", derandomize=True, database=None)
settings.load_profile("same examples every time")


@pytest_asyncio.fixture(scope="session")
async def servers() -> AsyncIterator[Stack]:
    """PostgreSQL, RabbitMQ, the store and the mail server, with each service's empty database."""
    stack = Stack(
        Path(tempfile.mkdtemp(prefix="rentree-tests-")), scale={"courses": 2, "gateway": 2}
    )
    try:
        async with stack:
            await stack.start_servers()
            yield stack
    finally:
        stack.remove()


@pytest_asyncio.fixture(scope="session")
async def system(servers: Stack) -> AsyncIterator[System]:
    """Every service as a process of its own, two replicas of courses, and a client to ask them."""
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
