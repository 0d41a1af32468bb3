"""Every event of a journey delivered twice and in any order leaves the same state.

The events are those that really travelled, recorded from the broker. Each service gets back what
its commands had written and nothing else, then the recorded events as Hypothesis shuffles them.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared.broker import EVENTS_EXCHANGE
from shared.contracts.enrolment import DeclineReenrolment, TakeBackDecline
from shared.db import Database
from shared.handlers import Occurrence
from shared.identifiers import new_id
from shared.service import Service

from shared import migrations
from tests.harness import eventually
from tests.system import System
from tests.territory import SERVICES

pytestmark = pytest.mark.servers

_WRITTEN_BY_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "courses": ("course", "occupancy", "follow", "seat"),
    "documents": ("document_type",),
    "enrolment": ("campaign", "application"),
    "identity": (),
    "notifications": (),
}
"""What a service's own commands wrote; its other tables come from events alone."""

_OUTSIDE_STATE = {"alembic_version", "inbox", "outbox"}
_REACTING = [service for service in SERVICES if service.reactions]
_OF_THE_CLOCK = {"claimed_at", "released_at", "created_at", "due_at", "state_at"}
"""Columns that say when a reaction happened here: only whether it did is compared."""


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
                correlation_id="recorded",
            ),
        )


@dataclass(slots=True)
class Scratch:
    """A service's database apart, filled again for each order that is tried."""

    service: Service
    url: str
    written: Mapping[str, list[dict[str, Any]]]
    database: Database

    async def replay(self, events: list[Recorded]) -> dict[str, list[tuple[object, ...]]]:
        """Give the state that these events lead to, in this order."""
        connection = await asyncpg.connect(self.url)
        try:
            tables = await _tables(connection)
            await connection.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            await connection.execute("TRUNCATE inbox, outbox")
            for table, rows in self.written.items():
                for row in rows:
                    await connection.execute(
                        f"INSERT INTO {table}"
                        f" SELECT * FROM jsonb_populate_record(NULL::{table}, $1)",
                        row["row"],
                    )
            for event in events:
                for reaction in self.service.reacting():
                    if reaction.signature.message.type == event.type:
                        await reaction.happen(event.body, event.occurrence, self.database, {})
            return {table: await _state(connection, table) for table in tables}
        finally:
            await connection.close()


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return [row["tablename"] for row in rows if row["tablename"] not in _OUTSIDE_STATE]


async def _state(connection: asyncpg.Connection, table: str) -> list[tuple[object, ...]]:
    rows = await connection.fetch(f"SELECT * FROM {table}")
    return sorted(
        tuple(
            (name, value is not None if name in _OF_THE_CLOCK else str(value))
            for name, value in row.items()
        )
        for row in rows
    )


@pytest.fixture(scope="module")
async def journey(
    system: System,
) -> AsyncIterator[tuple[list[Recorded], dict[str, Scratch]]]:
    """Three families: one submits, one declines, one declines and changes its mind."""
    recorded: list[Recorded] = []

    async def record(message: AbstractIncomingMessage) -> None:
        recorded.append(Recorded.of(message))

    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(
            await aio_pika.connect(system.stack.rabbitmq.url)
        )
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE, "#")
        await queue.consume(record, no_ack=True)

        school = await system.school(families=3)
        submits, declines, hesitates = school.families
        applications = [await school.prepare(family) for family in school.families]
        written = {"courses": await _written(system, "courses")}
        await school.submit(submits, applications[0])
        for family in (declines, hesitates):
            await system.ask(
                DeclineReenrolment(
                    application_id=new_id(),
                    campaign_id=school.campaign_id,
                    student_id=family.student_id,
                    received_at=datetime.now(UTC),
                ),
                family.token,
            )
        await system.ask(
            TakeBackDecline(application_id=applications[2].id, received_at=datetime.now(UTC)),
            hesitates.token,
        )
        expected = {
            "enrolment.application_submitted.v1",
            "enrolment.decline_taken_back.v1",
            "courses.seats_claimed.v1",
            "courses.seats_released.v1",
        }
        await eventually(lambda: expected <= {event.type for event in recorded})
        for name in ("documents", "enrolment", "notifications"):
            written[name] = await _written(system, name)
        scratches = {}
        for service in _REACTING:
            name = f"{service.name}_{new_id().hex[-12:]}"
            await system.stack.postgresql.provide([name])
            url = system.stack.postgresql.url(name)
            await migrations.upgrade(url, service.migrations)
            database = Database(url, name="test", connections=2)
            stack.push_async_callback(database.close)
            scratches[service.name] = Scratch(service, url, written[service.name], database)
        yield recorded, scratches


async def _written(system: System, service: str) -> dict[str, list[dict[str, Any]]]:
    """Read back what a service's commands wrote, without what its reactions add to it.

    Of courses it is read before "Valider": its reactions change the seats that commands made.
    """
    connection = await asyncpg.connect(system.stack.postgresql.url(service))
    try:
        return {
            table: [
                dict(row)
                for row in await connection.fetch(
                    f"SELECT to_jsonb(t) - 'claimed_at' AS row FROM {table} t"
                )
            ]
            for table in _WRITTEN_BY_COMMANDS[service]
        }
    finally:
        await connection.close()


@pytest.mark.parametrize("name", [service.name for service in _REACTING])
async def test_events_twice_and_in_any_order_leave_the_same_state(
    journey: tuple[list[Recorded], dict[str, Scratch]], name: str
) -> None:
    recorded, scratches = journey
    scratch = scratches[name]
    expected = await scratch.replay(recorded)
    assert any(expected.values())
    loop = asyncio.get_running_loop()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(order=st.permutations(recorded * 2))
    def any_order(order: list[Recorded]) -> None:
        reached = asyncio.run_coroutine_threadsafe(scratch.replay(order), loop).result(60)
        assert reached == expected

    await asyncio.to_thread(any_order)
