"""The servers that every test shares, started once a session."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from stack.running import Stack


@pytest_asyncio.fixture(scope="session")
async def servers() -> AsyncIterator[Stack]:
    """PostgreSQL, RabbitMQ, the store and the mail server, with each service's empty database."""
    stack = Stack(Path(tempfile.mkdtemp(prefix="rentree-tests-")))
    try:
        async with stack:
            await stack.start_servers()
            yield stack
    finally:
        stack.remove()
