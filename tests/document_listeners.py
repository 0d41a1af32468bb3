"""Another system that listens to what documents tells."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import aio_pika
from shared.broker import EVENTS_EXCHANGE


@dataclass
class Listener:
    """A subscriber with a queue of its own, which remembers what it heard, in order."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    async def listen(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        """Remember an event's type and subject."""
        self.heard.append((str(message.type), str(message.headers["cloudEvents:subject"])))
        await message.ack()

    def of(self, subject: UUID) -> list[str]:
        """The events about one document or family, by the name of their type."""
        return [kind.split(".")[1] for kind, about in self.heard if about == str(subject)]


@asynccontextmanager
async def listening(broker_url: str) -> AsyncIterator[Listener]:
    """Listen to every event of documents until the block ends."""
    listener = Listener()
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(await channel.get_exchange(EVENTS_EXCHANGE), "documents.#")
        await queue.consume(listener.listen)
        yield listener
