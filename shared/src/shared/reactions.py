"""Reactions: what a service does when an event happened. One durable queue each.

An event whose reaction fails waits in a delay tier and comes back; after the last attempt it
lies in the dead-letter queue until an operator replays it. A duplicate changes nothing: the
reaction's transaction records it in the inbox first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import aio_pika
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from faststream.rabbit.subscriber import RabbitSubscriber
from pydantic import ValidationError

from shared.broker import (
    ATTEMPTS,
    BrokerLink,
    Unroutable,
    retry_delay,
    retry_exchange,
    with_heartbeat,
)
from shared.contract import Event
from shared.contracts.reactions import REACTIONS
from shared.db import Database, Transaction
from shared.handlers import Handler, Occurrence, Signature, chosen
from shared.inbox import first_time
from shared.observability import REACTIONS as REACTIONS_COUNTED
from shared.observability import correlated, get_logger

log = get_logger()

ATTEMPT_HEADER = "x-rentree-attempt"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction and its queue, ``<service>.<function>``."""

    queue: str
    signature: Signature[Event]

    @classmethod
    def of(cls, service: str, function: Handler) -> "Reaction":
        """Describe a reaction; raises LookupError where the territory's table has another event."""
        signature = Signature.read(function, Event)
        queue = f"{service}.{signature.name}"
        if REACTIONS.get(queue) is not signature.message:
            message = f"{queue} is not in shared.contracts.reactions for {signature.message.type}"
            raise LookupError(message)
        return cls(queue, signature)

    async def happen(
        self,
        event: Event,
        occurrence: Occurrence,
        database: Database,
        given: Mapping[object, object],
    ) -> bool:
        """React once, in one transaction with its inbox row; false where it was done before."""
        async with database.transaction() as tx:
            if not await first_time(tx, occurrence.id, self.queue):
                return False
            given = {**given, Transaction: tx, Occurrence: occurrence}
            await self.signature.function(event, **chosen(self.signature.wants, given))
        return True


@dataclass(slots=True)
class Consumer:
    """Consumes the queues of one service's reactions."""

    broker_url: str
    reactions: tuple[Reaction, ...]
    database: Database
    link: BrokerLink
    given: Mapping[object, object]
    in_flight_limit: int
    _broker: RabbitBroker = field(init=False)
    _subscribers: list[RabbitSubscriber] = field(init=False, default_factory=list)
    _in_flight: set[asyncio.Task[Any]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._broker = RabbitBroker(
            with_heartbeat(self.broker_url), reconnect_interval=1, logger=None, app_id=None
        )
        for reaction in self.reactions:
            self._subscribe(reaction)

    async def start(self) -> None:
        """Consume; the queues exist already, declared by whoever started first."""
        await self._broker.start()

    async def stop(self) -> None:
        """Take no more messages, finish those in flight, then close.

        Consumers are cancelled first: messages still on their way would otherwise come back with
        one delivery more (ARCHITECTURE, trap 3).
        """
        for subscriber in self._subscribers:
            queue, tag = subscriber._queue_obj, subscriber._consumer_tag  # noqa: SLF001 - FastStream has no public way to cancel before it stops
            if queue is not None and tag is not None and not queue.channel.is_closed:
                await queue.cancel(tag)
                subscriber._consumer_tag = None  # noqa: SLF001
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=4)
        await self._broker.stop()

    def _subscribe(self, reaction: Reaction) -> None:
        subscriber = self._broker.subscriber(
            RabbitQueue(reaction.queue, declare=False),
            channel=Channel(prefetch_count=self.in_flight_limit),
            ack_policy=AckPolicy.REJECT_ON_ERROR,
            no_reply=True,
            decoder=_as_bytes,
        )

        @subscriber
        async def consume(message: RabbitMessage) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._in_flight.add(task)
                task.add_done_callback(self._in_flight.discard)
            await self._consume(reaction, message)

        self._subscribers.append(subscriber)

    async def _consume(self, reaction: Reaction, message: RabbitMessage) -> None:
        headers = message.headers
        with correlated(
            str(headers.get("cloudEvents:correlationid") or ""), queue=reaction.queue
        ) as correlation:
            try:
                occurrence = Occurrence(
                    id=UUID(str(headers["cloudEvents:id"])),
                    happened_at=datetime.fromisoformat(str(headers["cloudEvents:time"])),
                    correlation_id=correlation,
                    type=str(headers.get("cloudEvents:type") or ""),
                    source=str(headers.get("cloudEvents:source") or ""),
                    subject=str(headers.get("cloudEvents:subject") or ""),
                )
                event = reaction.signature.message.model_validate_json(message.body)
            except (ValidationError, KeyError, ValueError):
                # it will never parse: no attempt more
                REACTIONS_COUNTED.labels(reaction.queue, "dead").inc()
                log.exception("message put aside: it does not parse")
                raise
            try:
                fresh = await reaction.happen(event, occurrence, self.database, self.given)
                outcome = "done" if fresh else "repeated"
                REACTIONS_COUNTED.labels(reaction.queue, outcome).inc()
                log.info("reacted", outcome=outcome)
            except Exception as error:  # noqa: BLE001 - whatever failed, the message is tried again
                await self._retry(reaction, message, error)

    async def _retry(self, reaction: Reaction, message: RabbitMessage, error: Exception) -> None:
        """Send the message to its delay tier; after the last attempt let it be rejected."""
        attempt = int(str(message.headers.get(ATTEMPT_HEADER, 1)))
        if attempt >= ATTEMPTS:
            REACTIONS_COUNTED.labels(reaction.queue, "dead").inc()
            log.error("message put aside: every attempt failed", attempt=attempt)
            raise error
        delay = retry_delay(attempt)
        REACTIONS_COUNTED.labels(reaction.queue, "retried").inc()
        log.warning("reaction failed, retried", attempt=attempt, delay=delay, error=repr(error))
        raw = message.raw_message
        again = aio_pika.Message(
            message.body,
            content_type=raw.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=raw.message_id,
            type=raw.type,
            app_id=raw.app_id,
            timestamp=raw.timestamp,
            headers={**raw.headers, ATTEMPT_HEADER: attempt + 1},
        )
        try:
            await self.link.publish(retry_exchange(delay), reaction.queue, again)
        except (ConnectionError, Unroutable) as away:
            # no tier takes it now: it goes back where it came from rather than among the dead
            await asyncio.sleep(retry_delay(1))
            raise NackMessage(requeue=True) from away


async def _as_bytes(message: RabbitMessage) -> bytes:
    """Leave the body alone: the contract parses it."""
    return message.body
