"""What reached a queue, read to its end after each round."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

_WITHIN_SECONDS = 20.0


@dataclass(slots=True)
class Arrivals:
    """Counts the messages that a queue should have and has not, or has too often."""

    queue: AbstractQueue
    wrong: int = field(default=0)

    async def compare(self, sent: Sequence[Message]) -> None:
        """Empty the queue; each of these messages, and no other, should have been there once."""
        arrived: Counter[str | None] = Counter()
        everything = asyncio.Event()

        async def note(message: AbstractIncomingMessage) -> None:
            arrived[message.message_id] += 1
            if arrived.total() == len(sent):
                everything.set()

        reader = await self.queue.consume(note, no_ack=True)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                await everything.wait()
        except TimeoutError:
            pass  # what is missing is counted below
        await self.queue.cancel(reader)
        expected = Counter(message.message_id for message in sent)
        left = (await self.queue.declare()).message_count or 0
        self.wrong += (expected - arrived).total() + (arrived - expected).total() + left
