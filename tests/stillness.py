"""Waiting until nothing is on its way any more: what is counted then is final."""

import aio_pika
from shared.broker import RETRY_DELAYS_SECONDS, dead_queue, retry_exchange
from shared.contracts.reactions import REACTIONS
from stack.topology import SERVICES

from tests.harness import eventually
from tests.system import School, System

_REACTION_QUEUES = tuple(REACTIONS)
_RETRY_QUEUES = tuple(retry_exchange(delay) for delay in RETRY_DELAYS_SECONDS)
_DEAD_QUEUES = tuple(dead_queue(queue) for queue in REACTIONS)
_LOOKS = 2
"""A message that is being reacted to is in no queue: seen still once is not enough."""


async def settled(school: School) -> None:
    """Wait until every event was reacted to and every mail to the school's families handed over."""
    still = 0

    async def is_still() -> bool:
        nonlocal still
        still = still + 1 if await _nothing_is_on_its_way(school) else 0
        return still == _LOOKS

    await eventually(is_still, within_seconds=60, every_seconds=0.3)


async def dead_letters(system: System) -> int:
    """Count the messages that reactions gave up."""
    return await _messages_in(system, _DEAD_QUEUES)


async def _nothing_is_on_its_way(school: School) -> bool:
    for service in SERVICES:
        if await school.system.count(service, "SELECT count(*) FROM outbox"):
            return False
    if await _messages_in(school.system, _REACTION_QUEUES + _RETRY_QUEUES):
        return False
    waiting = "SELECT count(*) FROM message WHERE campaign_id = $1 AND state = 'waiting'"
    return not await school.system.count("notifications", waiting, school.campaign_id)


async def _messages_in(system: System, queues: tuple[str, ...]) -> int:
    async with await aio_pika.connect(system.stack.rabbitmq.url) as connection:
        channel = await connection.channel()
        found = [await channel.declare_queue(queue, passive=True) for queue in queues]
    return sum(queue.declaration_result.message_count or 0 for queue in found)
