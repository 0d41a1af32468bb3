"""What the other services hear of the seats: the events that were relayed to a queue of theirs."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from stack.running import Stack

_QUEUE = "enrolment.remember_holds"
_WITHIN_SECONDS = 20.0


@dataclass(slots=True)
class Heard:
    """The queue where enrolment, which does not run here, would hear of seats held.

    ``sizes`` has how many seats each event told: the batches, as they were decided.
    """

    queue: AbstractQueue
    sizes: list[int] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def at(cls, stack: Stack) -> AsyncIterator["Heard"]:
        """Listen for a while."""
        async with await aio_pika.connect(stack.rabbitmq.url) as connection:
            channel = await connection.channel()
            yield cls(await channel.get_queue(_QUEUE))

    async def holds(self, expected: int) -> Counter[UUID]:
        """Read the holds told, until there are as many as expected, or none comes any more."""
        heard: Counter[UUID] = Counter()
        everything = asyncio.Event()

        async def note(message: AbstractIncomingMessage) -> None:
            holds = json.loads(message.body)["holds"]
            heard.update(UUID(hold["id"]) for hold in holds)
            self.sizes.append(len(holds))
            if heard.total() >= expected:
                everything.set()

        reader = await self.queue.consume(note, no_ack=True)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                await everything.wait()
        except TimeoutError:
            pass  # what was not heard is missing from what is given
        await self.queue.cancel(reader)
        return heard
