"""Every event of a journey delivered twice and in any order leaves the same state.

The events are those that really travelled, recorded from the broker. Each service gets back what
its commands had written and nothing else, then the recorded events as Hypothesis shuffles them.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared.broker import EVENTS_EXCHANGE
from shared.contracts.enrolment import Application, DeclineReenrolment, TakeBackDecline
from shared.db import Database
from shared.handlers import Occurrence
from shared.identifiers import imported_id, new_id
from shared.service import Service

from shared import migrations
from tests.stillness import settled
from tests.system import Household, School, System
from tests.territory import SERVICES

pytestmark = pytest.mark.servers

type Row = tuple[tuple[str, object], ...]
type State = dict[str, list[Row]]
"""The rows of each table, in an order of their own."""

_WRITTEN_BY_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "courses": ("course", "occupancy", "follow", "seat"),
    "enrolment": ("campaign", "application"),
}
"""What a service's own commands wrote; its other tables come from events alone."""

_OUTSIDE_STATE = {"alembic_version", "inbox", "outbox"}
_REACTING = {service.name: service for service in SERVICES if service.reactions}
_OF_THE_CLOCK = {"claimed_at", "released_at", "created_at", "due_at", "state_at"}
"""Columns that say when a reaction happened here: only whether it did is compared."""
_OF_THE_SENDER = {"state", "recipients", "failure", "failed_attempts"}
"""Columns of a message that no event decides."""

_TRAVELLED = {
    "enrolment.application_submitted.v1": 3,
    "enrolment.reenrolment_declined.v1": 3,
    "enrolment.decline_taken_back.v1": 2,
    "courses.seats_held.v1": 6,
    "courses.seats_claimed.v1": 3,
    "courses.seats_released.v1": 2,
    "notifications.message_sent.v1": 6,
}
"""The events of the journey itself, beside those of the imports."""


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

    async def replay(self, events: Collection[Recorded]) -> State:
        """Give the state that these events lead to, in this order."""
        connection = await asyncpg.connect(self.url)
        try:
            tables = await _tables(connection)
            await connection.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            await connection.execute("TRUNCATE inbox, outbox")
            for table, rows in self.written.items():
                await connection.executemany(
                    f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1)",
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
                            {},
                        )
            return await _state(connection)
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class Journey:
    """What travelled, what it left in the running services, and where to try other orders."""

    events: tuple[Recorded, ...]
    live: Mapping[str, State]
    scratches: Mapping[str, Scratch]


@pytest.fixture(scope="module")
async def journey(system: System) -> AsyncIterator[Journey]:
    """Four families: one submits, one declines; one declines, takes it back at once, chooses
    another slot and submits; one does so later on, and takes the same slot again.

    The broker is away while they act, so that courses can be read as its commands left it.
    """
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(Recorder.at_work(system))
        school = await system.school(families=4, seats=(20, 20))
        submits, declines, hesitates, returns = school.families
        begun = {family: await school.prepare(family) for family in school.families}
        await _decline(school, returns)
        await settled(school)

        broker = system.stack.process("rabbitmq")
        await broker.stop()
        try:
            await school.submit(submits, begun[submits])
            await _decline(school, declines)
            await _decline(school, hesitates)
            await _take_back(school, hesitates, begun[hesitates])
            await _take_back(school, returns, begun[returns])
            chosen = {
                hesitates: await school.choose(hesitates, begun[hesitates], group=1),
                returns: await school.choose(returns, begun[returns]),
            }
            ids = _identifiers(school, [*begun.values(), *chosen.values()])
            written = {"courses": await _written(system, "courses", ids)}
        finally:
            broker.start()
            await broker.wait_ready()
        for family, application in chosen.items():
            await school.submit(family, application)
        await settled(school)
        written["enrolment"] = await _written(system, "enrolment", ids)
        yield Journey(
            events=await recorder.events(ids),
            live={name: await _live(system, name, ids) for name in _REACTING},
            scratches={
                name: await _scratch(stack, system, service, written.get(name, {}))
                for name, service in _REACTING.items()
            },
        )


async def _decline(school: School, family: Household) -> None:
    await school.system.ask(
        DeclineReenrolment(
            application_id=new_id(),
            campaign_id=school.campaign_id,
            student_id=family.student_id,
            received_at=datetime.now(UTC),
        ),
        family.token,
    )


async def _take_back(school: School, family: Household, application: Application) -> None:
    await school.system.ask(
        TakeBackDecline(application_id=application.id, received_at=datetime.now(UTC)),
        family.token,
    )


def _identifiers(school: School, applications: list[Application]) -> frozenset[str]:
    """All that tells this school's rows and events from those of others."""
    everyone = (*school.families, school.probe)
    known = {
        school.site_id,
        school.campaign_id,
        imported_id("course", school.this_year),
        school.course_id(0),
        school.course_id(1),
        *(family.family_id for family in everyone),
        *(family.student_id for family in everyone),
        *(application.id for application in applications),
        *(choice.hold_id for application in applications for choice in application.choices),
    }
    return frozenset(str(id_) for id_ in known)


async def _scratch(
    stack: AsyncExitStack, system: System, service: Service, written: Mapping[str, list[str]]
) -> Scratch:
    name = f"{service.name}_{new_id().hex[-12:]}"
    await system.stack.postgresql.provide([name])
    url = system.stack.postgresql.url(name)
    await migrations.upgrade(url, service.migrations)
    database = Database(url, name="test", connections=2)
    stack.push_async_callback(database.close)
    return Scratch(service, url, written, database)


async def _written(system: System, service: str, ids: Collection[str]) -> dict[str, list[str]]:
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


async def _live(system: System, service: str, ids: Collection[str]) -> State:
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
        rows = [dict(row) for row in await connection.fetch(f"SELECT * FROM {table}")]
        unseen = _OF_THE_SENDER if table == "message" else set()
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


async def test_what_travelled_is_the_whole_journey(journey: Journey) -> None:
    travelled = Counter(event.type for event in journey.events)
    assert {kind: travelled[kind] for kind in _TRAVELLED} == _TRAVELLED


async def test_a_seat_chosen_after_a_decline_stays(journey: Journey) -> None:
    seats = [dict(row) for row in journey.live["courses"]["seat"]]
    assert Counter(seat["state"] for seat in seats) == {"claimed": 3, "released": 3}


@pytest.mark.parametrize("name", _REACTING)
async def test_events_twice_and_in_any_order_leave_the_same_state(
    journey: Journey, name: str
) -> None:
    scratch, expected = journey.scratches[name], journey.live[name]
    assert any(expected.values())
    assert await scratch.replay(journey.events) == expected
    loop = asyncio.get_running_loop()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(order=st.permutations(journey.events * 2))
    def any_order(order: list[Recorded]) -> None:
        reached = asyncio.run_coroutine_threadsafe(scratch.replay(order), loop).result(60)
        assert reached == expected

    await asyncio.to_thread(any_order)
