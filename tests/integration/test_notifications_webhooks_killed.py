"""Replicas that end with events in hand: one that is killed, one that is told to stop."""

import asyncio
import os
from collections import Counter

import pytest
import sqlalchemy as sa
from notifications.tables import webhook_delivery
from notifications.webhooks.courier import AT_ONCE
from shared.contracts.courses import SeatsReleased
from shared.db import Database
from stack.remembered import free_port
from stack.running import Stack

from tests.harness import eventually
from tests.integration.webhooking import OtherReplica, Territory
from tests.receiver import Receiver

pytestmark = pytest.mark.servers

_EVENTS = int(os.environ.get("WEBHOOK_EVENTS", "400"))
_WEBHOOKS = 3
_GROWS_BY_AT_MOST = 32 * 1024 * 1024


async def has_delivered(replica: OtherReplica, at_least: int) -> bool:
    return await replica.delivered() >= at_least


async def test_a_replica_that_is_killed_loses_nothing_and_repeats_what_it_had_in_hand(
    servers: Stack,
) -> None:
    async with (
        Territory.at_work(servers) as territory,
        territory.subscribed(_WEBHOOKS) as subscriptions,
        territory.other_replica() as victim,
        territory.other_replica() as survivor,
    ):
        receivers = [each.receiver for each in subscriptions]
        async with asyncio.TaskGroup() as group:
            group.create_task(territory.release(_EVENTS))
            await eventually(lambda: has_delivered(victim, 50), within_seconds=60)
            await victim.kill()
        await eventually(lambda: has_delivered(survivor, 50), within_seconds=60)
        at_first = survivor.resident_bytes()

        def have_all() -> bool:
            return all(len(set(receiver.event_ids)) == _EVENTS for receiver in receivers)

        await eventually(have_all, within_seconds=240, every_seconds=0.5)
        for subscription in subscriptions:
            await territory.served(subscription)
        assert survivor.resident_bytes() - at_first < _GROWS_BY_AT_MOST
        assert len({frozenset(receiver.event_ids) for receiver in receivers}) == 1
        for receiver in receivers:
            received = Counter(receiver.event_ids)
            assert received.total() - len(received) <= AT_ONCE
            assert receiver.most_at_once <= 3 * AT_ONCE


async def test_a_replica_that_stops_lets_what_is_being_sent_arrive(servers: Stack) -> None:
    receiver = Receiver(free_port(()), hangs=True)
    await receiver.open()
    async with Territory.at_work(servers) as territory:
        url = territory.notifications.settings.database_url
        await territory.register(receiver, [SeatsReleased.type])
        await territory.release(1)
        await eventually(lambda: receiver.calls)
        asyncio.get_running_loop().call_later(1, receiver.let_go)
    await receiver.close()

    database = Database(url, name="after", connections=1)
    async with database.transaction() as tx:
        rows = await tx.execute(sa.select(webhook_delivery.c.state, webhook_delivery.c.attempts))
        assert rows.one() == ("delivered", 1)
    await database.close()
    assert len(receiver.calls) == 1
