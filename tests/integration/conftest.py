"""Notifications beside a mail server of the test's own: a replica at work, or its tables alone."""

from collections.abc import AsyncIterator

import pytest_asyncio
from notifications.app import service
from shared.db import Database
from shared.identifiers import new_id
from stack.remembered import free_port
from stack.running import Stack

from shared import migrations
from tests.integration.notifying import Notifications, notifying
from tests.post_box import PostBox


@pytest_asyncio.fixture(scope="module")
async def post() -> AsyncIterator[PostBox]:
    """A mail server, which the tests of a module share."""
    box = PostBox(free_port(()))
    await box.open()
    yield box
    await box.close()


@pytest_asyncio.fixture(scope="module")
async def notifications(servers: Stack, post: PostBox) -> AsyncIterator[Notifications]:
    """One replica at work, which hands its mails to ``post``."""
    async with notifying(servers, post) as replica:
        yield replica


@pytest_asyncio.fixture
async def database(servers: Stack, post: PostBox) -> AsyncIterator[Database]:
    """The tables of notifications, without a replica that would send what is in them, and ``post``
    as if it were new.
    """
    post.forget()
    name = f"notifications_{new_id().hex[-12:]}"
    await servers.postgresql.provide([name])
    url = servers.postgresql.url(name)
    await migrations.upgrade(url, service.migrations)
    database = Database(url, name="test", connections=6)
    yield database
    await database.close()
