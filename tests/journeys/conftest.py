"""Headless Chromium, and the showroom in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.chromium import chromium
from tests.showroom.room import Room


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser that every journey shares."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    """The gateway before services that answer as each exhibit wants."""
    async with Room.opened(tmp_path_factory.mktemp("keys")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """One page for all the exhibits that a module looks at."""
    context = await browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 1024})
    yield await context.new_page()
    await context.close()
