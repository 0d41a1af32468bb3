"""How a message travels, on real servers: outbox, relay, reactions, retries, dead letters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import aio_pika
import courses
import pytest
import shared.outbox
import sqlalchemy as sa
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from shared.broker import ARCHIVE_STREAM, EVENTS_EXCHANGE, BrokerLink, dead_queue
from shared.contracts.enrolment import ApplicationSubmitted, CampaignPublished
from shared.contracts.reactions import REACTIONS, types_of
from shared.db import Transaction
from shared.dead_letters import count_dead_letters, replay_dead_letters
from shared.identifiers import new_id
from shared.inbox import inbox
from shared.observability import correlated
from shared.outbox import Relay, emit, outbox
from shared.service import Service
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, eventually, running

pytestmark = pytest.mark.servers

_QUEUE = "courses.remember_campaign"
_SEEN: list[UUID] = []
_FAILURES: dict[UUID, int] = {}


async def remember_campaign(event: CampaignPublished, tx: Transaction) -> None:
    """Stands where courses' own reaction does: fails as often as the test says, then succeeds."""
    await tx.execute(sa.text("SELECT 1"))
    if _FAILURES.get(event.campaign_id, 0) > 0:
        _FAILURES[event.campaign_id] -= 1
        message = "the test said so"
        raise RuntimeError(message)
    _SEEN.append(event.campaign_id)


_SERVICE = Service(
    name="courses",
    migrations=Path(courses.__file__).parents[2] / "migrations",
    asks=[],
    reactions=[remember_campaign],
)


@pytest.fixture(scope="module")
async def service(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, _SERVICE, ServiceSettings) as replica:
        yield replica


@asynccontextmanager
async def channel_of(replica: Running[ServiceSettings]) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(replica.settings.broker_url) as connection:
        yield await connection.channel()


def campaign_published() -> CampaignPublished:
    now = datetime.now(UTC)
    return CampaignPublished(
        campaign_id=new_id(),
        site_id=new_id(),
        school_year="2027-2028",
        prepares_at=now,
        opens_at=now,
        closes_at=now + timedelta(days=30),
        documents_due_at=now + timedelta(days=45),
    )


async def outbox_size(replica: Running[ServiceSettings]) -> int:
    async with replica.database.transaction() as tx:
        return await tx.scalar(sa.select(sa.func.count()).select_from(outbox)) or 0


async def test_an_event_reaches_its_reaction_only_if_its_transaction_commits(
    service: Running[ServiceSettings],
) -> None:
    kept, given_up = campaign_published(), campaign_published()

    async def emit_then_fail() -> None:
        async with service.database.transaction() as tx:
            await emit(tx, given_up)
            raise LookupError

    with pytest.raises(LookupError):
        await emit_then_fail()
    async with service.database.transaction() as tx:
        await emit(tx, kept)
    await eventually(lambda: kept.campaign_id in _SEEN)
    assert given_up.campaign_id not in _SEEN

    async def is_relayed() -> bool:
        return await outbox_size(service) == 0

    await eventually(is_relayed)  # the relay notes the confirm after the reaction has it


async def test_an_event_travels_as_a_cloud_event_with_its_correlation(
    service: Running[ServiceSettings],
) -> None:
    event = campaign_published()
    async with channel_of(service) as channel:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE, "enrolment.*.v1")
        with correlated("click-1"):
            async with service.database.transaction() as tx:
                await emit(tx, event)
        message: AbstractIncomingMessage | None = None
        async with asyncio.timeout(10):
            while message is None:
                message = await queue.get(no_ack=True, fail=False)
    assert CampaignPublished.model_validate_json(message.body) == event
    assert message.headers["cloudEvents:specversion"] == "1.0"
    assert message.headers["cloudEvents:type"] == "enrolment.campaign_published.v1"
    assert message.headers["cloudEvents:subject"] == str(event.campaign_id)
    assert message.headers["cloudEvents:correlationid"] == "click-1"
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT


async def test_an_event_delivered_twice_is_done_once(service: Running[ServiceSettings]) -> None:
    event, event_id = campaign_published(), new_id()
    await asyncio.gather(*(service.react(event, event_id=event_id) for _ in range(5)))
    assert _SEEN.count(event.campaign_id) == 1


async def test_a_reaction_that_fails_is_tried_again_later(
    service: Running[ServiceSettings],
) -> None:
    event = campaign_published()
    _FAILURES[event.campaign_id] = 1
    async with service.database.transaction() as tx:
        await emit(tx, event)
    await eventually(lambda: event.campaign_id in _SEEN)
    assert _FAILURES[event.campaign_id] == 0


async def test_a_message_that_does_not_parse_lies_dead_until_replayed(
    service: Running[ServiceSettings],
) -> None:
    async with channel_of(service) as channel:
        headers = {"cloudEvents:id": str(new_id()), "cloudEvents:time": "2027-01-01T00:00:00Z"}
        broken = aio_pika.Message(b"{}", content_type="application/json", headers={**headers})
        await channel.default_exchange.publish(broken, _QUEUE)

        async def is_dead() -> bool:
            return (await count_dead_letters(channel)).get(_QUEUE) == 1

        await eventually(is_dead)
        assert await replay_dead_letters(channel, _QUEUE) == 1
        await eventually(is_dead)  # as broken as before: it comes back
        await (await channel.declare_queue(dead_queue(_QUEUE), passive=True)).purge()


async def test_an_event_that_no_queue_takes_is_kept_until_one_does(
    service: Running[ServiceSettings],
) -> None:
    event = ApplicationSubmitted(
        application_id=new_id(),
        campaign_id=new_id(),
        student_id=new_id(),
        family_id=new_id(),
        site_id=new_id(),
        receipt_number="X",
        received_at=datetime.now(UTC),
        choices=(),
    )
    async with channel_of(service) as channel:
        exchange = await channel.get_exchange(EVENTS_EXCHANGE)
        readers = [name for name, read in REACTIONS.items() if event.type in types_of(read)]
        bound = [*readers, ARCHIVE_STREAM]
        for name in bound:
            await (await channel.get_queue(name)).unbind(exchange, event.type)
        async with service.database.transaction() as tx:
            await emit(tx, event)

        async def is_put_off() -> bool:
            async with service.database.transaction() as tx:
                due_at = await tx.scalar(sa.select(outbox.c.due_at))
            return due_at is not None and due_at > datetime.now(UTC)

        await eventually(is_put_off)
        for name in bound:
            await (await channel.get_queue(name)).bind(exchange, event.type)

    async def is_relayed() -> bool:
        return await outbox_size(service) == 0

    await eventually(is_relayed)


async def test_a_failed_reaction_goes_back_to_its_queue_where_no_tier_takes_it(
    service: Running[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    event, published = campaign_published(), BrokerLink.publish
    _FAILURES[event.campaign_id] = 1

    async def without_tiers(
        link: BrokerLink, exchange: str, routing_key: str, message: aio_pika.Message
    ) -> None:
        if exchange.startswith("rentree.retry."):
            raise ConnectionError
        await published(link, exchange, routing_key, message)

    monkeypatch.setattr(BrokerLink, "publish", without_tiers)
    async with service.database.transaction() as tx:
        await emit(tx, event)
    await eventually(lambda: event.campaign_id in _SEEN)
    async with channel_of(service) as channel:
        assert await count_dead_letters(channel) == {}


async def test_a_relay_that_stands_by_does_not_stir_at_each_event(
    service: Running[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0
    rest = shared.outbox._rest  # noqa: SLF001

    async def counted(stop: asyncio.Event) -> None:
        nonlocal tries
        tries += 1
        await rest(stop)

    monkeypatch.setattr(shared.outbox, "_rest", counted)
    link, stop = BrokerLink(service.settings.broker_url), asyncio.Event()
    standing_by = asyncio.create_task(
        Relay("courses", service.settings.database_url, link).run(stop)
    )
    await eventually(lambda: tries > 0)
    for _ in range(5):
        event = campaign_published()
        async with service.database.transaction() as tx:
            await emit(tx, event)
    await eventually(lambda: event.campaign_id in _SEEN)
    assert tries < 10
    stop.set()
    await standing_by
    await link.close()


async def test_a_second_relay_stands_by_and_takes_over(
    service: Running[ServiceSettings],
) -> None:
    """The active relay belongs to the replica; a second one gets nothing while it lives."""
    link = BrokerLink(service.settings.broker_url)
    second, stop = Relay("courses", service.settings.database_url, link), asyncio.Event()
    running_second = asyncio.create_task(second.run(stop))
    event = campaign_published()
    async with service.database.transaction() as tx:
        await emit(tx, event)
    await eventually(lambda: event.campaign_id in _SEEN)
    async with service.database.transaction() as tx:
        killed = await tx.scalar(
            sa.text(
                "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l"
                " JOIN pg_database d ON d.oid = l.database"
                " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
            )
        )
    assert killed == 1
    after = campaign_published()
    async with service.database.transaction() as tx:
        await emit(tx, after)
    await eventually(lambda: after.campaign_id in _SEEN)
    stop.set()
    await running_second
    await link.close()


async def test_an_old_inbox_row_is_what_makes_a_duplicate_known(
    service: Running[ServiceSettings],
) -> None:
    event, event_id = campaign_published(), new_id()
    await service.react(event, event_id=event_id)
    async with service.database.transaction() as tx:
        queue = await tx.scalar(sa.select(inbox.c.queue).where(inbox.c.event_id == event_id))
    assert queue == _QUEUE
