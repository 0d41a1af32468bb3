"""Runs one service in the test's own process, on real servers, with a database of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from weakref import WeakSet

import aio_pika
from shared.ask import Services
from shared.broker import RETRY_DELAYS_SECONDS, dead_queue, declare_topology, retry_exchange
from shared.callers import Caller, TokenSigner
from shared.contract import Ask, Event
from shared.contracts.reactions import REACTIONS
from shared.db import Database
from shared.handlers import Occurrence, Resources
from shared.identifiers import new_id
from shared.server import http_server
from shared.service import Replica, Service
from shared.settings import ServiceSettings
from stack.probes import answers
from stack.remembered import free_port
from stack.running import Stack
from yarl import URL

_VHOST = "tests"
_QUEUES = (
    *REACTIONS,
    *map(dead_queue, REACTIONS),
    *map(retry_exchange, RETRY_DELAYS_SECONDS),
)
_HAVING_VHOST: WeakSet[Stack] = WeakSet()


def family_caller(family_id: UUID | None = None, site_id: UUID | None = None) -> Caller:
    """A signed-in guardian; of a new family and site unless told."""
    return Caller(
        account_id=new_id(),
        session_id=new_id(),
        role="family",
        name="Madame ESSAI Camille",
        site_id=site_id or new_id(),
        family_id=family_id or new_id(),
    )


def staff_caller(site_id: UUID | None = None) -> Caller:
    """A member of the secretariat of a site; of a new one unless told."""
    return Caller(
        account_id=new_id(),
        session_id=new_id(),
        role="staff",
        name="Secrétariat",
        site_id=site_id or new_id(),
    )


def operator() -> Caller:
    """The territory's operator, who imports and publishes."""
    return Caller(account_id=new_id(), session_id=new_id(), role="operator")


@dataclass(frozen=True, slots=True)
class Running[Settings: ServiceSettings]:
    """A service at work: ask it, tell it events, look into its database."""

    service: Service
    settings: Settings
    replica: Replica
    services: Services
    signer: TokenSigner

    @property
    def database(self) -> Database:
        """The service's own database."""
        return self.replica.database

    def token_for(self, caller: Caller) -> str:
        """Sign a token as identity would."""
        return self.signer.sign(caller, datetime.now(UTC), timedelta(minutes=10))

    async def ask[Answer](self, question: Ask[Answer], caller: Caller | None = None) -> Answer:
        """Ask over real HTTP, on behalf of ``caller``."""
        token = self.token_for(caller) if caller else None
        return await self.services.ask(question, token=token)

    async def react(
        self, event: Event, *, event_id: UUID | None = None, happened_at: datetime | None = None
    ) -> None:
        """Have every reaction to this event happen now, as if it had come from the broker."""
        occurrence = Occurrence(
            id=event_id or new_id(),
            happened_at=happened_at or datetime.now(UTC),
            correlation_id="test",
        )
        for reaction in self.service.reacting():
            if reaction.signature.message is type(event):
                await reaction.happen(
                    event,
                    occurrence,
                    self.database,
                    self.replica.given,
                )


@asynccontextmanager
async def running[Settings: ServiceSettings](
    servers: Stack,
    service: Service,
    settings_class: type[Settings],
    resources: Callable[[Settings], Resources] | None = None,
) -> AsyncIterator[Running[Settings]]:
    """Run one replica until the block ends, in a new database, its queues empty at the start."""
    database_name = f"{service.name}_{uuid.uuid4().hex[:12]}"
    await servers.postgresql.provide([database_name])
    broker_url = await _empty_vhost(servers)
    port = free_port(())
    variables = servers.variables(service.name) | {
        "RENTREE_DATABASE_URL": servers.postgresql.url(database_name),
        "RENTREE_BROKER_URL": broker_url,
    }
    values = {name.removeprefix("RENTREE_").lower(): value for name, value in variables.items()}
    settings = settings_class.model_validate({**values, "host": "127.0.0.1", "port": port})
    replica = Replica(service, settings, resources(settings) if resources else {})
    server = http_server(replica.app, "127.0.0.1", port)
    url = f"http://127.0.0.1:{port}"
    async with replica.running(), Services({service.name: [url]}) as services:
        serving = asyncio.create_task(server.serve())
        try:
            await eventually(lambda: answers(f"{url}/health/ready"))
            signer = TokenSigner.from_file(servers.keys.private)
            yield Running(service, settings, replica, services, signer)
        finally:
            server.stop()  # type: ignore[no-untyped-call]
            await serving


async def eventually(
    holds: Callable[[], object], *, within_seconds: float = 20.0, every_seconds: float = 0.05
) -> None:
    """Wait until ``holds()`` (or what it awaits) is true; raises TimeoutError where it is not."""
    async with asyncio.timeout(within_seconds):
        while True:
            result = holds()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            await asyncio.sleep(every_seconds)


async def _empty_vhost(servers: Stack) -> str:
    """Give the address of a virtual host apart from the system's, its queues as if new.

    Most are: those that have messages, or a reader that may give some back, are taken away.
    """
    if servers not in _HAVING_VHOST:
        await servers.rabbitmq.provide([_VHOST])
        _HAVING_VHOST.add(servers)
    broker_url = str(URL(servers.rabbitmq.url).with_path(f"/{_VHOST}"))
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        await declare_topology(channel)
        for name in _QUEUES:
            queue = (await channel.declare_queue(name, passive=True)).declaration_result
            if queue.message_count or queue.consumer_count:
                await channel.queue_delete(name)
    return broker_url
