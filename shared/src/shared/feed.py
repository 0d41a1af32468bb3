"""Events that a process follows for itself, to keep in memory what others own.

Its queue goes with it and keeps nothing: what was told before it was bound, or while the link was
lost, never comes. So a reader takes a snapshot once the queue is bound, each time anew: what
changes after that is told.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from pydantic import ValidationError

from shared.broker import EVENTS_EXCHANGE, with_heartbeat
from shared.contract import Event
from shared.observability import get_logger

log = get_logger()

_BIND_WITHIN_SECONDS = 5.0
_CLOSE_WITHIN_SECONDS = 1.0
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 5.0
_SOUND_AFTER_SECONDS = 10.0
"""A link, or a reader, that lasted so long is given the first delay again."""


class Told[Followed: Event]:
    """The events told from now on, in order, until the link is lost."""

    def __init__(self, kinds: Mapping[str, type[Followed]]) -> None:
        self._kinds = kinds
        self._messages: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()

    async def add(self, message: AbstractIncomingMessage) -> None:
        """Take a message from the broker."""
        self._messages.put_nowait(message)

    def end(self, *_: object) -> None:
        """Tell the reader that nothing more will come."""
        self._messages.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Followed:
        while (message := await self._messages.get()) is not None:
            try:
                return self._kinds[message.type or ""].model_validate_json(message.body)
            except (KeyError, ValidationError):
                log.exception("event passed over: it does not parse", type=message.type)
        raise StopAsyncIteration


class Feed[Followed: Event]:
    """The events of some kinds, for whoever needs only what is told from now on."""

    def __init__(self, broker_url: str, *kinds: type[Followed]) -> None:
        self._url = with_heartbeat(broker_url)
        self._kinds = {kind.type: kind for kind in kinds}

    async def follow(self, read: Callable[[Told[Followed]], Awaitable[None]]) -> None:
        """For ever: bind a queue, have ``read`` follow what is told, until the link is lost.

        ``read`` is called each time the queue is bound, and takes its snapshot then.
        """
        delay = _FIRST_DELAY_SECONDS
        while True:
            began = time.monotonic()
            try:
                async with self._bound() as told:
                    await read(told)
                log.warning("feed interrupted", error="the link was lost")
            except (OSError, AMQPError) as error:
                log.warning("feed interrupted", error=repr(error))
            except Exception:
                # whatever failed, a new snapshot heals it
                log.exception("feed interrupted")
            if time.monotonic() - began > _SOUND_AFTER_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            # not every process at once, when a broker comes back
            await asyncio.sleep(random.uniform(delay / 2, delay))  # noqa: S311
            delay = min(2 * delay, _LONGEST_DELAY_SECONDS)

    @asynccontextmanager
    async def _bound(self) -> AsyncIterator[Told[Followed]]:
        """Bind a queue of this process's own, until the block ends."""
        told = Told(self._kinds)
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_BIND_WITHIN_SECONDS):
                    connection = await aio_pika.connect(self._url)
                    stack.push_async_callback(_close, connection)
                    await self._bind(connection, told)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # aiormq cancels those who wait when the link is lost
                message = "the broker's link was lost"
                raise ConnectionError(message) from error
            yield told

    async def _bind(self, connection: AbstractConnection, told: Told[Followed]) -> None:
        channel = await connection.channel()
        channel.close_callbacks.add(told.end)
        events = await channel.declare_exchange(EVENTS_EXCHANGE, "topic", durable=True)
        queue = await channel.declare_queue(
            exclusive=True, auto_delete=True, arguments={"x-queue-type": "classic"}
        )
        for kind in self._kinds:
            await queue.bind(events, kind)
        await queue.consume(told.add, no_ack=True)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(_CLOSE_WITHIN_SECONDS):
            await connection.close()
    except (OSError, AMQPError):
        pass  # it is gone, which is what was wanted
