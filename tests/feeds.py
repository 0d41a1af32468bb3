"""Events as a process that follows them is told them, without a broker."""

import asyncio
from collections.abc import Awaitable, Callable
from unittest.mock import Mock

from aio_pika.abc import AbstractIncomingMessage
from shared.contract import Event
from shared.feed import Feed, Told


class BoundOnce[Followed: Event](Feed[Followed]):
    """A feed whose queue is bound once, and told some events before its link is lost."""

    def __init__(self, *events: Followed) -> None:
        self._events = events
        super().__init__("amqp://broker.example", *{type(event) for event in events})

    async def follow(self, read: Callable[[Told[Followed]], Awaitable[None]]) -> None:
        told = Told({event.type: type(event) for event in self._events})
        reading = asyncio.ensure_future(read(told))
        await asyncio.sleep(0)  # a reader takes its snapshot first
        for event in self._events:
            body = event.model_dump_json().encode()
            await told.add(Mock(spec=AbstractIncomingMessage, type=event.type, body=body))
        told.end()
        await reading
