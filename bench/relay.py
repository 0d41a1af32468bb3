"""Events from outbox row to confirmed publish, against bare confirmed publishes.

Both sides send the same messages through the same exchange into the same queues, awaiting as many
confirms at once, from this one process. The bare side is given its messages ready made; the relay
reads its rows, makes messages of them, and deletes what was confirmed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from os import getpid
from pathlib import Path

import aio_pika
import courses
from aio_pika.abc import AbstractExchange
from shared.broker import EVENTS_EXCHANGE, BrokerLink
from shared.contracts.courses import SeatsHeld
from shared.outbox import BATCH, Relay
from stack.running import Stack
from yarl import URL

from bench.arrivals import Arrivals
from bench.findings import Findings, table
from bench.outbox import SERVICE, Outbox
from bench.processor import clock, process_id, tree_clock
from bench.rounds import Round, Stopwatch, processor_of, ratio, side_by_side, typical
from shared import migrations

EVENTS = 10 * BATCH
ROUNDS = 5

_APART = "bench_relay"
_QUEUE = "enrolment.remember_holds"


async def bench_relay(stack: Stack) -> Findings:
    """Measure, in a database and a virtual host apart from those of the stack's services."""
    await stack.postgresql.provide([_APART])
    await stack.rabbitmq.provide([_APART])
    database_url = stack.postgresql.url(_APART)
    broker_url = str(URL(stack.rabbitmq.url).with_path(f"/{_APART}"))
    await migrations.upgrade(database_url, Path(courses.__file__).parents[2] / "migrations")
    clocks = {
        "publisher": clock(getpid()),
        "PostgreSQL": tree_clock(process_id(stack.process("postgresql"))),
        "RabbitMQ": tree_clock(process_id(stack.process("rabbitmq"))),
    }
    async with (
        Outbox.of(database_url) as outbox,
        _link(broker_url) as link,
        await aio_pika.connect(broker_url) as connection,
    ):
        channel = await connection.channel(publisher_confirms=True)
        exchange = await channel.get_exchange(EVENTS_EXCHANGE)
        arrivals = Arrivals(await channel.get_queue(_QUEUE))
        relay = Relay(SERVICE, database_url, link)

        async def relay_events() -> Round:
            sent = await outbox.fill(EVENTS)
            stopwatch = Stopwatch(clocks)
            while await relay.relay_batch(outbox.connection) == BATCH:
                pass
            taken = stopwatch.stop(EVENTS)
            await arrivals.compare(sent)
            return taken

        async def publish_bare() -> Round:
            sent = await outbox.fill(EVENTS)
            await outbox.clear()
            stopwatch = Stopwatch(clocks)
            await _publish(exchange, sent)
            taken = stopwatch.stop(EVENTS)
            await arrivals.compare(sent)
            return taken

        results = await side_by_side({"bare": publish_bare, "relay": relay_events}, ROUNDS)
        unsent = await outbox.clear()
    print(_report(results))
    return Findings(
        ratios={
            "relay_vs_bare": ratio(results["relay"], results["bare"], lambda each: each.per_second),
            "relay_processor_vs_bare": ratio(
                results["relay"], results["bare"], lambda each: each.total_processor_ms
            ),
        },
        checks={"events_arrived_once": not arrivals.wrong, "outbox_emptied": not unsent},
    )


@asynccontextmanager
async def _link(broker_url: str) -> AsyncIterator[BrokerLink]:
    """Open a link such as a service has, its exchanges and queues declared."""
    link = BrokerLink(broker_url)
    await link.declare()
    try:
        yield link
    finally:
        await link.close()


async def _publish(exchange: AbstractExchange, messages: Sequence[aio_pika.Message]) -> None:
    """Publish with confirms, as many awaited at once as the relay awaits."""
    left = iter(messages)

    async def publish_in_turn() -> None:
        for message in left:
            await exchange.publish(message, SeatsHeld.type)

    await asyncio.gather(*(publish_in_turn() for _ in range(BATCH)))


def _report(results: Mapping[str, Sequence[Round]]) -> str:
    processes = ("publisher", "PostgreSQL", "RabbitMQ")
    rows = [
        (
            name,
            typical(rounds, lambda each: each.per_second),
            *(typical(rounds, processor_of(process)) for process in processes),
        )
        for name, rounds in results.items()
    ]
    return table(
        f"relay: {ROUNDS} rounds of {EVENTS} events, {BATCH} confirms awaited at once",
        ["", "events/s", *(f"{name} CPU ms" for name in processes)],
        rows,
    )
