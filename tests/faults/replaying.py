"""Events recorded as they travelled, and services that hear them again in another order."""

import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import aio_pika
import asyncpg
from aio_pika.abc import AbstractIncomingMessage
from shared.broker import EVENTS_EXCHANGE
from shared.db import Database
from shared.handlers import Occurrence
from shared.identifiers import new_id
from shared.service import Service

from shared import migrations
from tests.system import System

type Row = tuple[tuple[str, object], ...]
type State = dict[str, list[Row]]
"""The rows of each table, in an order of their own."""

_WRITTEN_BY_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "courses": ("course", "occupancy", "follow", "seat", "place", "ledger"),
    "enrolment": ("campaign", "application"),
}
"""What a service's own commands wrote; its other tables come from events alone."""

_OUTSIDE_STATE = {"alembic_version", "inbox", "outbox", "told", "told_pieces"}
_SUMMED_UP = {"ledger": "SELECT course_id, seat_id, sum(step) AS step FROM ledger GROUP BY 1, 2"}
"""Tables whose rows say how things came about: what they amount to is compared."""
_OF_THE_CLOCK = {"claimed_at", "created_at", "due_at", "state_at"}
"""Columns that say when a reaction happened here: only whether it did is compared."""
_UNSEEN: Mapping[str, Collection[str]] = {
    "message": {"state", "recipients", "failure", "failed_attempts"},
    "occupancy": {"version"},
    "place": {"position"},
}
"""Columns that no event decides: what becomes of a mail, how often counters changed on their way,
and what a database numbers by itself.
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it travelled."""

    type: str
    body: bytes
    occurrence: Occurrence

    @classmethod
    def of(cls, message: AbstractIncomingMessage) -> "Recorded":
        return cls(
            str(message.type),
            message.body,
            Occurrence(
                id=UUID(str(message.headers["cloudEvents:id"])),
                happened_at=datetime.fromisoformat(str(message.headers["cloudEvents:time"])),
                correlation_id=str(message.headers["cloudEvents:correlationid"]),
            ),
        )


@dataclass(frozen=True, slots=True)
class Recorder:
    """A queue that gets every event and keeps them, even where the broker restarts."""

    system: System
    name: str

    @classmethod
    @asynccontextmanager
    async def at_work(cls, system: System) -> AsyncIterator["Recorder"]:
        recorder = cls(system, f"recorder.{new_id()}")
        async with await aio_pika.connect(system.stack.rabbitmq.url) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(
                recorder.name, durable=True, arguments={"x-queue-type": "quorum"}
            )
            await queue.bind(EVENTS_EXCHANGE, "#")
        try:
            yield recorder
        finally:
            async with await aio_pika.connect(system.stack.rabbitmq.url) as connection:
                await (await connection.channel()).queue_delete(recorder.name)

    async def events(self, ids: Collection[str]) -> tuple[Recorded, ...]:
        """Take out all that was kept, and give what names one of these identifiers."""
        taken: list[Recorded] = []
        async with await aio_pika.connect(self.system.stack.rabbitmq.url) as connection:
            queue = await (await connection.channel()).get_queue(self.name)
            while message := await queue.get(no_ack=True, fail=False):
                taken.append(Recorded.of(message))
        return tuple(event for event in taken if any(id_ in event.body.decode() for id_ in ids))


@dataclass(frozen=True, slots=True)
class Scratch:
    """A service's database apart, filled again for each order that is tried."""

    service: Service
    url: str
    written: Mapping[str, list[str]]
    database: Database

    @classmethod
    @asynccontextmanager
    async def of(
        cls, system: System, service: Service, written: Mapping[str, list[str]]
    ) -> AsyncIterator["Scratch"]:
        name = f"{service.name}_{new_id().hex[-12:]}"
        await system.stack.postgresql.provide([name])
        url = system.stack.postgresql.url(name)
        await migrations.upgrade(url, service.migrations)
        database = Database(url, name="test", connections=2)
        try:
            yield cls(service, url, written, database)
        finally:
            await database.close()

    async def replay(self, events: Collection[Recorded]) -> State:
        """Give the state that these events lead to, in this order."""
        given = self.service.resources(self.database)
        connection = await asyncpg.connect(self.url)
        try:
            tables = await _tables(connection)
            await connection.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            await connection.execute("TRUNCATE inbox, outbox")
            for table, rows in self.written.items():
                await connection.executemany(
                    f"INSERT INTO {table} OVERRIDING USER VALUE"
                    f" SELECT * FROM jsonb_populate_record(NULL::{table}, $1)",
                    [(row,) for row in rows],
                )
            for event in events:
                for reaction in self.service.reacting():
                    message = reaction.signature.message
                    if message.type == event.type:
                        await reaction.happen(
                            message.model_validate_json(event.body),
                            event.occurrence,
                            self.database,
                            given,
                        )
            return await _state(connection)
        finally:
            await connection.close()


async def written(system: System, service: str, ids: Collection[str]) -> dict[str, list[str]]:
    """Read back what a service's commands wrote for a school, without what reactions add."""
    connection = await asyncpg.connect(system.stack.postgresql.url(service))
    try:
        found = {
            table: await connection.fetch(f"SELECT to_jsonb(t) - 'claimed_at' FROM {table} t")
            for table in _WRITTEN_BY_COMMANDS[service]
        }
    finally:
        await connection.close()
    return {
        table: [row for (row,) in rows if _names(json.loads(row), ids)]
        for table, rows in found.items()
    }


async def live_state(system: System, service: str, ids: Collection[str]) -> State:
    """Read what a running service holds of a school."""
    connection = await asyncpg.connect(system.stack.postgresql.url(service))
    try:
        return await _state(connection, ids)
    finally:
        await connection.close()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return [row["tablename"] for row in rows if row["tablename"] not in _OUTSIDE_STATE]


async def _state(connection: asyncpg.Connection, ids: Collection[str] = ()) -> State:
    """Read every table; only the rows that name one of ``ids``, where some are given."""
    state: State = {}
    for table in await _tables(connection):
        query = _SUMMED_UP.get(table, f"SELECT * FROM {table}")
        rows = [dict(row) for row in await connection.fetch(query)]
        unseen = _UNSEEN.get(table, ())
        state[table] = sorted(
            tuple(
                (name, value is not None if name in _OF_THE_CLOCK else str(value))
                for name, value in row.items()
                if name not in unseen
            )
            for row in rows
            if not ids or _names(row, ids)
        )
    return state


def _names(row: Mapping[str, object], ids: Collection[str]) -> bool:
    return any(str(value) in ids for value in row.values())
