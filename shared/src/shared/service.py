"""A service: its handlers, reactions and chores, joined to a database, a broker and a port."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

import sqlalchemy as sa
import sqlalchemy.exc
from aio_pika.exceptions import AMQPError
from litestar import Litestar, Response, get
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared import migrations
from shared.answering import Desk, ask_route
from shared.broker import BrokerLink, Unroutable
from shared.callers import Caller, TokenVerifier
from shared.contract import Ask
from shared.db import LINK_LOST, Database, Transaction
from shared.handlers import Handler, Occurrence, Resources, Signature, chosen
from shared.inbox import forget_old_events
from shared.observability import configure_logging, correlated, get_logger
from shared.outbox import Relay
from shared.reactions import Consumer, Reaction
from shared.server import run_process
from shared.settings import ServiceSettings

log = get_logger()

_TRY_AGAIN_SECONDS = 1.0
_CHORES_END_WITHIN_SECONDS = 5.5
_CANCELLED_WITHIN_SECONDS = 1.0
_SERVER_IS_AWAY = (*LINK_LOST, AMQPError, Unroutable, sqlalchemy.exc.DBAPIError)


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that comes round every ``seconds``, in any replica: ``function(database, ...)``.

    One that lasts asks for an ``asyncio.Event``, which is set when it has to end.
    """

    function: Callable[..., Awaitable[None]]
    seconds: float


@dataclass(frozen=True, slots=True)
class Service:
    """What a service is made of. ``public_asks`` are answered without a token; ``resources`` are
    what its handlers need that lives on the replica's database.
    """

    name: str
    migrations: Path
    asks: Sequence[Handler]
    reactions: Sequence[Handler] = ()
    chores: Sequence[Chore] = ()
    public_asks: Sequence[Handler] = ()
    resources: Callable[[Database], Resources] = lambda _: {}

    def run(self, settings: ServiceSettings, resources: Resources | None = None) -> None:
        """Run one replica until it is told to stop."""
        configure_logging(self.name, settings.log_level)
        replica = Replica(self, settings, resources or {})
        run_process(replica.app, settings, replica.running)

    def signatures(self) -> list[tuple[Signature[Ask[object]], bool]]:
        """Give every handler of an ask, and whether it is public; raises TypeError where a
        handler's name is not its contract's.
        """
        read = [(Signature.read(function, Ask), False) for function in self.asks]
        read += [(Signature.read(function, Ask), True) for function in self.public_asks]
        for signature, _ in read:
            if f"{self.name}.{signature.name}" != signature.message.name:
                message = f"{signature.name} should be named after {signature.message.name}"
                raise TypeError(message)
        return read

    def reacting(self) -> tuple[Reaction, ...]:
        """Give the service's reactions with their queues."""
        return tuple(Reaction.of(self.name, function) for function in self.reactions)


class Replica:
    """One process of a service: what it holds open, and the application it serves."""

    def __init__(self, service: Service, settings: ServiceSettings, resources: Resources) -> None:
        self._service = service
        self._settings = settings
        self.database = Database(
            settings.database_url,
            name=service.name,
            connections=settings.database_connections,
        )
        self._link = BrokerLink(settings.broker_url)
        given: dict[object, object] = {
            Database: self.database,
            BrokerLink: self._link,
            **service.resources(self.database),
            **resources,
        }
        self.given = given
        self._consumer = Consumer(
            broker_url=settings.broker_url,
            reactions=service.reacting(),
            database=self.database,
            link=self._link,
            given=given,
            in_flight_limit=settings.reactions_in_flight,
        )
        self._relay = Relay(service.name, settings.database_url, self._link)
        self._prepared = False
        self.app = self._application()

    def _application(self) -> Litestar:
        desk = Desk(
            verifier=TokenVerifier.from_file(self._settings.token_public_key_file),
            database=self.database,
            given=self.given,
            limit=self._settings.asks_in_flight,
        )
        routes: list[BaseRouteHandler] = []
        for signature, public in self._service.signatures():
            signature.check({*self.given, Transaction} | (set() if public else {Caller}))
            routes.append(ask_route(desk, signature, public=public))
        for reaction in self._service.reacting():
            reaction.signature.check({*self.given, Transaction, Occurrence})
        return Litestar(
            [*routes, self._live_route(), self._ready_route(), self._metrics_route()],
            openapi_config=None,
            logging_config=None,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold everything open around serving; leave in the order that loses nothing.

        The port opens at once so that liveness answers; the rest starts as its servers appear.
        """
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self._link.close)
            work = asyncio.create_task(self._work(stop))
            work.add_done_callback(lambda ended: _exit_unless(stop.is_set(), ended))
            try:
                yield
            finally:
                stop.set()
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._consumer.stop())
                    group.create_task(_give(work, _CHORES_END_WITHIN_SECONDS))

    async def _work(self, stop: asyncio.Event) -> None:
        await self._until_there(self._prepare_database, stop)
        self._prepared = True
        log.info("service ready")
        # every process declares all queues before it tells anything: an event waits for its reader
        await self._until_there(self._link.declare, stop)
        await self._until_there(self._consumer.start, stop)
        if stop.is_set():
            return
        log.info("broker joined")
        chores = [*self._service.chores, Chore(forget_old_events, 3600)]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay.run(stop))
            for chore in chores:
                group.create_task(self._repeat(chore, stop))

    async def _prepare_database(self) -> None:
        await migrations.upgrade(self._settings.database_url, self._service.migrations)

    async def _until_there(self, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        """Do ``act``, again and again while its server is away."""
        while not stop.is_set():
            try:
                await act()
            except _SERVER_IS_AWAY as error:
                log.warning("waiting for a server", error=repr(error))
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                log.warning("waiting for a server", error="the link was lost")
            else:
                return
            await asyncio.sleep(_TRY_AGAIN_SECONDS)

    async def _repeat(self, chore: Chore, stop: asyncio.Event) -> None:
        wants = get_type_hints(chore.function)
        wants.pop("return", None)
        given = {**self.given, asyncio.Event: stop}
        while not stop.is_set():
            with correlated(None, chore=chore.function.__name__):
                try:
                    await chore.function(**chosen(wants, given))
                except _SERVER_IS_AWAY as error:
                    log.warning("chore put off", error=repr(error))
                except Exception:  # a chore that failed comes round again
                    log.exception("chore failed")
            try:
                async with asyncio.timeout(chore.seconds):
                    await stop.wait()
            except TimeoutError:
                continue

    def _live_route(self) -> HTTPRouteHandler:
        @get("/health/live")
        async def live() -> dict[str, str]:
            return {"status": "live"}

        return live

    def _ready_route(self) -> HTTPRouteHandler:
        @get("/health/ready")
        async def ready() -> Response[dict[str, str]]:
            status = {"database": "up", "broker": "up"}
            try:
                async with asyncio.timeout(2), self.database.transaction() as tx:
                    await tx.execute(sa.text("SELECT 1"))
            except _SERVER_IS_AWAY:
                status["database"] = "away"
            try:
                await self._link.probe()
            except (ConnectionError, Unroutable):
                status["broker"] = "away"
            # without the broker, commands are still answered and their events wait in the outbox
            is_ready = self._prepared and status["database"] == "up"
            return Response(status, status_code=200 if is_ready else 503)

        return ready

    def _metrics_route(self) -> HTTPRouteHandler:
        @get("/metrics")
        async def metrics() -> Response[bytes]:
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        return metrics


async def _give(work: asyncio.Task[None], seconds: float) -> None:
    """Let work end by itself for a while, then cancel it and see what it was doing end."""
    await asyncio.wait({work}, timeout=seconds)
    work.cancel()
    await asyncio.wait({work}, timeout=_CANCELLED_WITHIN_SECONDS)


def _exit_unless(stopping: bool, work: asyncio.Task[None]) -> None:
    """A replica whose background work failed for good ends, so that it is started afresh."""
    if stopping:
        return
    error = None if work.cancelled() else work.exception()
    log.critical("background work ended", exc_info=error)
    sys.stdout.flush()
    os._exit(1)
