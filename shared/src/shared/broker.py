"""RabbitMQ: the exchanges and queues of the territory, and a link that publishes for certain."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import DeliveryError, PublishError
from pamqp.common import FieldTable
from yarl import URL

from shared.contracts.reactions import PUBLIC_TYPES, REACTIONS, types_of

EVENTS_EXCHANGE = "rentree.events"
DEAD_EXCHANGE = "rentree.dead"
ARCHIVE_STREAM = "rentree.archive"
PROBE_QUEUE = "rentree.probe"

RETRY_DELAYS_SECONDS = (1, 5, 30, 300)
"""The tiers a failed message waits in; the last one serves all further attempts."""
ATTEMPTS = 12
"""Attempts before a message is put aside as dead: about 40 minutes."""

_PUBLISH_WITHIN_SECONDS = 5.0
_DECLARE_WITHIN_SECONDS = 30.0
_ARCHIVE_ARGUMENTS: FieldTable = {
    "x-queue-type": "stream",
    "x-max-age": "90D",
    "x-max-length-bytes": 5_000_000_000,
    "x-stream-max-segment-size-bytes": 50_000_000,
}
_PROBE_ARGUMENTS: FieldTable = {"x-queue-type": "quorum", "x-max-length": 1, "x-message-ttl": 1000}
_DEAD_ARGUMENTS: FieldTable = {"x-queue-type": "quorum"}


class Unroutable(Exception):
    """No queue took the message, or the broker refused it: it is not stored anywhere."""


def dead_queue(queue: str) -> str:
    """Name the queue where a reaction's dead letters wait."""
    return f"{queue}.dead"


def retry_exchange(delay_seconds: int) -> str:
    """Name the exchange that gives a message back to its queue after a delay."""
    return f"rentree.retry.{delay_seconds}s"


def retry_delay(attempt: int) -> int:
    """Give the delay in seconds after the failure of ``attempt``, the first being 1."""
    return RETRY_DELAYS_SECONDS[min(attempt, len(RETRY_DELAYS_SECONDS)) - 1]


def reaction_arguments(queue: str) -> FieldTable:
    """Give the arguments of a reaction's queue: durable, replicated, nothing lost on the way out.

    The delivery limit only guards against a message that kills its reader.
    """
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def declare_topology(channel: AbstractChannel) -> None:
    """Declare every exchange and queue of the territory; repeating it changes nothing."""
    events = await channel.declare_exchange(EVENTS_EXCHANGE, "topic", durable=True)
    dead = await channel.declare_exchange(DEAD_EXCHANGE, "direct", durable=True)
    await channel.declare_queue(PROBE_QUEUE, durable=True, arguments=_PROBE_ARGUMENTS)
    archive = await channel.declare_queue(
        ARCHIVE_STREAM, durable=True, arguments=_ARCHIVE_ARGUMENTS
    )
    for public in PUBLIC_TYPES:
        await archive.bind(events, public)
    for delay in RETRY_DELAYS_SECONDS:
        exchange = await channel.declare_exchange(retry_exchange(delay), "topic", durable=True)
        tier = await channel.declare_queue(
            retry_exchange(delay),
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-message-ttl": delay * 1000,
                "x-dead-letter-exchange": "",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        )
        await tier.bind(exchange, "#")
    for name, event in REACTIONS.items():
        letters = await channel.declare_queue(
            dead_queue(name), durable=True, arguments=_DEAD_ARGUMENTS
        )
        await letters.bind(dead, name)
        queue = await channel.declare_queue(name, durable=True, arguments=reaction_arguments(name))
        for told in types_of(event):
            await queue.bind(events, told)


def with_heartbeat(url: str) -> str:
    """Ask for a heartbeat every 5 s, so that a frozen broker is noticed."""
    return str(URL(url).update_query(heartbeat=5))


class BrokerLink:
    """One connection that publishes with confirms, and opens again by itself.

    A message is either stored by a queue when :meth:`publish` returns, or an exception says that
    it may not be: ``Unroutable`` for this message, ``ConnectionError`` for the link.
    """

    def __init__(self, url: str) -> None:
        self._url = with_heartbeat(url)
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, AbstractExchange] = {}

    async def publish(self, exchange: str, routing_key: str, message: aio_pika.Message) -> None:
        """Publish and wait for the broker's confirm, at most five seconds."""
        async with self._trusting(_PUBLISH_WITHIN_SECONDS):
            target = await self._exchange(exchange)
            try:
                await target.publish(message, routing_key, mandatory=True)
            except (DeliveryError, PublishError) as error:
                message_text = f"{routing_key}: no queue took it"
                raise Unroutable(message_text) from error

    async def probe(self) -> None:
        """Publish for real; raises ConnectionError or Unroutable where the broker takes nothing."""
        await self.publish("", PROBE_QUEUE, aio_pika.Message(b"", delivery_mode=1))

    async def declare(self) -> None:
        """Declare the territory's exchanges and queues over this link."""
        async with self._trusting(_DECLARE_WITHIN_SECONDS):
            await declare_topology(await self._open_channel())

    async def waiting(self, queue: str) -> int:
        """Count the messages that wait in a queue; raises ConnectionError where it cannot."""
        async with self._trusting(_PUBLISH_WITHIN_SECONDS):
            channel = await self._open_channel()
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def close(self) -> None:
        """Close the connection."""
        await self._drop(self._connection)

    @asynccontextmanager
    async def _trusting(self, seconds: float) -> AsyncIterator[None]:
        """Use the link for at most ``seconds``; whatever fails but a message ends its trust."""
        link = self._connection
        try:
            async with asyncio.timeout(seconds):
                yield
        except Unroutable:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # aiormq cancels those who wait when the heartbeat is lost
            await self._drop(link or self._connection)
            message_text = "the broker's link was lost"
            raise ConnectionError(message_text) from error
        except Exception as error:
            await self._drop(link or self._connection)
            message_text = f"the broker's link failed: {error!r}"
            raise ConnectionError(message_text) from error

    async def _exchange(self, name: str) -> AbstractExchange:
        channel = await self._open_channel()
        async with self._opening:
            if name not in self._exchanges:
                # mandatory returns only raise on the channel that looked the exchange up
                self._exchanges[name] = (
                    channel.default_exchange if name == "" else await channel.get_exchange(name)
                )
            return self._exchanges[name]

    async def _open_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self._drop(self._connection)
                self._connection = await aio_pika.connect(self._url, timeout=5)
                self._channel = await self._connection.channel(
                    publisher_confirms=True, on_return_raises=True
                )
            return self._channel

    async def _drop(self, connection: AbstractConnection | None) -> None:
        """Close a link that failed, unless another has taken its place already."""
        if connection is self._connection:
            self._connection, self._channel = None, None
            self._exchanges.clear()
        if connection is not None and not connection.is_closed:
            try:
                async with asyncio.timeout(1):
                    await connection.close()
            except (TimeoutError, ConnectionError, aio_pika.exceptions.AMQPError):
                pass  # it is gone, which is what was wanted
