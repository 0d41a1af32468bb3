"""Live seats while a gateway or the broker leaves: nothing false is said, nobody stays behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
import pytest

from tests.harness import eventually
from tests.live import Address
from tests.system import School, System

pytestmark = pytest.mark.servers

_STREAMS = 50


@pytest.fixture
async def gateways(portal: System) -> AsyncIterator[list[Address]]:
    """Both replicas of the gateway, each by its own address."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        yield [Address(url, client) for url in portal.stack.urls["gateway"]]


async def is_shown(gateway: Address, school: School, left: int) -> bool:
    """Tell whether a gateway shows so many seats left in the school's first group."""
    shown = await gateway.seats(school.course_id()) or {}
    group = shown.get(school.course_id())  # one that was just imported is not told yet
    return group is not None and group.seats_left == left


async def test_a_gateway_that_is_stopped_ends_its_streams_and_is_gone_within_three_seconds(
    portal: System, gateways: list[Address]
) -> None:
    school = await portal.school(families=1, seats=(3,))
    (family,) = school.families
    first, second = gateways
    await eventually(lambda: is_shown(first, school, 3))
    process = portal.stack.process("gateway", 1)
    async with asyncio.TaskGroup() as readers:

        async def read_to_the_end() -> None:
            async with first.stream(school.course_id()) as stream:
                await stream.told()
                opened.release()
                assert await stream.ends()

        opened = asyncio.Semaphore(0)
        for _ in range(_STREAMS):
            readers.create_task(read_to_the_end())
        for _ in range(_STREAMS):
            await opened.acquire()
        started = time.monotonic()
        await process.stop()
        stopped_in = time.monotonic() - started
    try:
        assert stopped_in < 3
        await school.hold(family)
        await eventually(lambda: is_shown(second, school, 2))
    finally:
        await process.bring_up()
    await eventually(lambda: is_shown(first, school, 2))


async def test_without_the_broker_no_gateway_says_how_many_seats_are_left(
    portal: System, gateways: list[Address]
) -> None:
    school = await portal.school(families=1, seats=(3,))
    (family,) = school.families
    for gateway in gateways:
        await eventually(partial(is_shown, gateway, school, 3))
    broker = portal.stack.process("rabbitmq")
    async with gateways[0].stream(school.course_id()) as stream:
        assert (await stream.told())[school.course_id()].seats_left == 3
        await broker.stop()
        try:
            for gateway in gateways:
                await eventually(partial(is_silent, gateway, school))
            await school.hold(family)
            assert await stream.is_silent()
        finally:
            broker.start()
            await broker.wait_ready()
        assert (await stream.told(within_seconds=20))[school.course_id()].seats_left == 2
    for gateway in gateways:
        await eventually(partial(is_shown, gateway, school, 2))


async def is_silent(gateway: Address, school: School) -> bool:
    """Tell whether a gateway says that it does not know."""
    return await gateway.seats(school.course_id()) is None
