"""The outbox: events written in the transaction that made them true, then relayed to the broker."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import aio_pika
import asyncpg
from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text, Uuid, func

from shared.broker import EVENTS_EXCHANGE, BrokerLink, Unroutable
from shared.contract import Event
from shared.db import LINK_LOST, Transaction
from shared.identifiers import new_id
from shared.observability import (
    EVENTS_RELAYED,
    EVENTS_RETURNED,
    OUTBOX_LAG_SECONDS,
    RELAY_ACTIVE,
    correlation_id,
    get_logger,
)

log = get_logger()

BATCH = 200
_POLL_SECONDS = 1.0
_RELAY_LOCK = 0x52454C59  # "RELY": one active relay per database

outbox = Table(
    "outbox",
    MetaData(),
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


async def emit(tx: Transaction, *events: Event) -> None:
    """Tell ``events`` if, and only if, this transaction commits."""
    if not events:
        return
    await tx.execute(
        outbox.insert(),
        [
            {
                "event_id": new_id(),
                "type": event.type,
                "subject": event.subject,
                "correlation_id": correlation_id(),
                "data": event.model_dump_json(),
            }
            for event in events
        ],
    )


_EMIT = """
INSERT INTO outbox (event_id, type, subject, correlation_id, data)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
"""


async def emit_on(connection: asyncpg.Connection, *events: Event) -> None:
    """Tell ``events`` as :func:`emit` does, in a transaction of the driver's own connection."""
    if not events:
        return
    await connection.execute(
        _EMIT,
        [new_id() for _ in events],
        [event.type for event in events],
        [event.subject for event in events],
        [correlation_id()] * len(events),
        [event.model_dump_json() for event in events],
    )


def cloud_event(service: str, row: asyncpg.Record) -> aio_pika.Message:
    """Give an outbox row its form on the wire: CloudEvents 1.0, AMQP binding, binary mode."""
    happened_at: datetime = row["happened_at"]
    return aio_pika.Message(
        row["data"].encode(),
        content_type="application/json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=str(row["event_id"]),
        type=row["type"],
        app_id=service,
        timestamp=happened_at,
        headers={
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": str(row["event_id"]),
            "cloudEvents:type": row["type"],
            "cloudEvents:source": f"/{service}",
            "cloudEvents:subject": row["subject"],
            "cloudEvents:time": happened_at.astimezone(UTC).isoformat(),
            "cloudEvents:correlationid": row["correlation_id"],
        },
    )


class Relay:
    """Moves a service's outbox to the broker, in order, one replica at a time.

    The active relay holds an advisory lock on its own connection; when it dies PostgreSQL frees
    the lock and a standing-by replica takes over. A row leaves the outbox only once confirmed by
    a queue: a crash in between repeats it, and the readers' inbox absorbs that.
    """

    def __init__(self, service: str, database_url: str, link: BrokerLink) -> None:
        self._service = service
        self._database_url = database_url
        self._link = link
        self._woken = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop``, whatever fails meanwhile."""
        while not stop.is_set():
            try:
                await self._run_on_one_connection(stop)
            except (*LINK_LOST, asyncpg.PostgresError) as error:
                log.warning("relay interrupted", error=repr(error))
                await _rest(stop)
            finally:
                RELAY_ACTIVE.set(0)

    async def _run_on_one_connection(self, stop: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._database_url,
            timeout=5,
            command_timeout=30,
            server_settings={"application_name": f"{self._service}-relay"},
        )
        try:
            await connection.add_listener("outbox", self._wake)
            while not stop.is_set():
                if await connection.fetchval("SELECT pg_try_advisory_lock($1)", _RELAY_LOCK):
                    break
                await _rest(stop)
            RELAY_ACTIVE.set(1)
            while not stop.is_set():
                self._woken.clear()
                if await self.relay_batch(connection) < BATCH:
                    await self._pause(stop)
        finally:
            connection.terminate()

    async def relay_batch(self, connection: asyncpg.Connection) -> int:
        """Publish up to :data:`BATCH` due rows at once and delete the confirmed; give how many.

        Raises ConnectionError where the broker cannot be reached: the rows stay.
        """
        async with connection.transaction():
            rows = await connection.fetch(
                "SELECT * FROM outbox WHERE due_at <= now() ORDER BY position"
                " LIMIT $1 FOR UPDATE SKIP LOCKED",
                BATCH,
            )
            if not rows:
                OUTBOX_LAG_SECONDS.set(0)
                return 0
            lag = datetime.now(UTC) - rows[0]["happened_at"]
            OUTBOX_LAG_SECONDS.set(lag.total_seconds())
            outcomes = await asyncio.gather(
                *(
                    self._link.publish(
                        EVENTS_EXCHANGE, row["type"], cloud_event(self._service, row)
                    )
                    for row in rows
                ),
                return_exceptions=True,
            )
            await self._settle(connection, rows, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Unroutable):
                raise outcome
        return len(rows)

    async def _settle(
        self,
        connection: asyncpg.Connection,
        rows: Sequence[asyncpg.Record],
        outcomes: Sequence[BaseException | None],
    ) -> None:
        confirmed = [
            row["position"] for row, outcome in zip(rows, outcomes, strict=True) if not outcome
        ]
        returned = [
            row
            for row, outcome in zip(rows, outcomes, strict=True)
            if isinstance(outcome, Unroutable)
        ]
        await connection.execute("DELETE FROM outbox WHERE position = ANY($1)", confirmed)
        for row, outcome in zip(rows, outcomes, strict=True):
            if not outcome:
                EVENTS_RELAYED.labels(row["type"]).inc()
        if returned:
            await connection.execute(
                "UPDATE outbox SET due_at = now() + interval '5 s' WHERE position = ANY($1)",
                [row["position"] for row in returned],
            )
            for row in returned:
                EVENTS_RETURNED.labels(row["type"]).inc()
                log.error("event not taken, kept: is a queue missing, or full?", type=row["type"])

    def _wake(self, *_: object) -> None:
        self._woken.set()

    async def _pause(self, stop: asyncio.Event) -> None:
        """Wait for a new row, the poll that nets a lost notification, or the end."""
        waits = {asyncio.create_task(self._woken.wait()), asyncio.create_task(stop.wait())}
        try:
            await asyncio.wait(waits, timeout=_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


async def _rest(stop: asyncio.Event) -> None:
    """Wait before trying again, whatever is told meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_POLL_SECONDS):
            await stop.wait()
