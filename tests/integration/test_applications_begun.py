"""An application begun on one replica of the gateway is known to the others, on real servers."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from gateway.pages.wizard import whereabouts
from gateway.pages.wizard.whereabouts import Whereabouts
from shared.contracts.enrolment import ApplicationStarted
from shared.feed import Feed, Told

from tests.harness import eventually
from tests.system import System

pytestmark = pytest.mark.servers


class Beginnings(Feed[ApplicationStarted]):
    """A feed that says when its queue is bound."""

    def __init__(self, broker_url: str) -> None:
        super().__init__(broker_url, ApplicationStarted)
        self.is_bound = asyncio.Event()

    async def follow(self, read: Callable[[Told[ApplicationStarted]], Awaitable[None]]) -> None:
        async def reading(told: Told[ApplicationStarted]) -> None:
            self.is_bound.set()
            await read(told)

        await super().follow(reading)


async def test_an_application_begun_elsewhere_is_known_before_it_is_shown(system: System) -> None:
    school = await system.school(families=1)
    (family,) = school.families
    feed = Beginnings(system.stack.rabbitmq.url)
    following = asyncio.create_task(whereabouts.follow(feed))
    try:
        async with asyncio.timeout(10):
            await feed.is_bound.wait()
        application = await school.begin(family)
        await eventually(lambda: whereabouts.of_application(application.id))
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    known = Whereabouts(school.campaign_id, family.student_id)
    assert whereabouts.of_application(application.id) == known
