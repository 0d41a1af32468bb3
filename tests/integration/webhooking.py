"""Notifications beside systems that take webhooks, and what happens in the territory meanwhile."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import aiohttp
import sqlalchemy as sa
from notifications.app import NotificationsSettings, resources, service
from notifications.tables import webhook_delivery
from shared.contract import Event
from shared.contracts.courses import SeatsReleased
from shared.contracts.notifications import (
    ListWebhookDeliveries,
    ListWebhooks,
    RegisterWebhook,
    RemoveWebhook,
)
from shared.contracts.webhooks import Webhook, WebhookDelivery
from shared.handlers import Resources
from shared.identifiers import new_id
from shared.outbox import emit, outbox
from stack.probes import answers
from stack.remembered import free_port
from stack.running import Stack

from tests.harness import Running, eventually, operator, running
from tests.receiver import Receiver

OPERATOR = operator()

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook that leads to a receiver."""

    webhook_id: UUID
    secret: str
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class OtherReplica:
    """A replica that can be killed."""

    process: asyncio.subprocess.Process
    url: str

    async def delivered(self) -> float:
        """Say how many events it has delivered itself."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as page:
            told = await page.text()
        counted = re.search(
            r'^rentree_webhook_deliveries_total\{outcome="delivered"\} (\S+)$', told, re.MULTILINE
        )
        return float(counted[1]) if counted else 0.0

    def resident_bytes(self) -> int:
        """Say how much memory it takes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    async def kill(self) -> None:
        """Kill it outright."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@dataclass(frozen=True, slots=True)
class Territory:
    """One replica of notifications, which may send to this machine, and its operator."""

    notifications: Running[NotificationsSettings]
    servers: Stack

    @classmethod
    @asynccontextmanager
    async def at_work(cls, servers: Stack) -> AsyncIterator["Territory"]:
        def sending_here(settings: NotificationsSettings) -> Resources:
            allowed = {
                "webhook_allowed_networks": (ip_network("127.0.0.0/8"),),
                "webhook_allows_http": True,
            }
            return resources(settings.model_copy(update=allowed))

        async with running(servers, service, NotificationsSettings, sending_here) as replica:
            yield cls(replica, servers)

    @asynccontextmanager
    async def subscribed(
        self, count: int = 1, event_types: Sequence[str] = (SeatsReleased.type,)
    ) -> AsyncIterator[list[Subscription]]:
        """Have receivers take these events, until the block ends."""
        async with AsyncExitStack() as stack:
            subscriptions = []
            for _ in range(count):
                receiver = Receiver(free_port(()))
                await receiver.open()
                stack.push_async_callback(receiver.close)
                subscription = await self.register(receiver, event_types)
                stack.push_async_callback(self._forget, subscription.webhook_id)
                subscriptions.append(subscription)
            yield subscriptions

    async def register(self, receiver: Receiver, event_types: Sequence[str]) -> Subscription:
        """Register a webhook that leads to a receiver."""
        made = await self.notifications.ask(
            RegisterWebhook(webhook_id=new_id(), url=receiver.url, event_types=tuple(event_types)),
            OPERATOR,
        )
        return Subscription(made.webhook_id, made.secret, receiver)

    async def tell(self, *events: Event) -> None:
        """Have events happen: they travel through the broker, as any others."""
        async with self.notifications.database.transaction() as tx:
            await emit(tx, *events)

    async def release(self, count: int) -> None:
        """Tell that seats were freed, so many times, no faster than the broker takes it."""

        async def is_told() -> bool:
            async with self.notifications.database.transaction() as tx:
                return not await tx.scalar(sa.select(sa.func.count()).select_from(outbox))

        for told in range(0, count, _AT_ONCE):
            some = min(_AT_ONCE, count - told)
            await self.tell(*(SeatsReleased(hold_ids=(new_id(),)) for _ in range(some)))
            await eventually(is_told, within_seconds=60)

    async def shown(self, subscription: Subscription) -> Webhook:
        """Give what operators see of a webhook."""
        every = await self.notifications.ask(ListWebhooks(), OPERATOR)
        (found,) = [each for each in every if each.id == subscription.webhook_id]
        return found

    async def log(self, subscription: Subscription) -> tuple[WebhookDelivery, ...]:
        """Give the latest lines of a webhook's delivery log."""
        return await self.notifications.ask(
            ListWebhookDeliveries(webhook_id=subscription.webhook_id), OPERATOR
        )

    async def all_are(self, subscription: Subscription, *states: str) -> None:
        """Wait until the delivery log says this, the latest first."""

        async def are() -> bool:
            return [line.state for line in await self.log(subscription)] == list(states)

        await eventually(are)

    async def served(self, subscription: Subscription) -> None:
        """Wait until a webhook has nothing left to be sent."""

        async def is_served() -> bool:
            return (await self.shown(subscription)).waiting == 0

        await eventually(is_served, within_seconds=60)

    async def attempted(self, subscription: Subscription, attempts: int) -> WebhookDelivery:
        """Wait until a webhook's only delivery was attempted so often, and is at rest."""
        found: list[WebhookDelivery] = []

        async def was() -> bool:
            found[:] = await self.log(subscription)
            return [(line.attempts, bool(line.status or line.failure)) for line in found] == [
                (attempts, True)
            ]

        await eventually(was)
        return found[0]

    async def let_time_pass(self, subscription: Subscription) -> None:
        """Have the next attempts come now."""
        async with self.notifications.database.transaction() as tx:
            await tx.execute(
                webhook_delivery.update()
                .where(webhook_delivery.c.webhook_id == subscription.webhook_id)
                .values(due_at=datetime.now(UTC), failure="", status=None)
            )

    async def execute(self, statement: sa.Executable) -> None:
        """Change something in the database behind everyone's back."""
        async with self.notifications.database.transaction() as tx:
            await tx.execute(statement)

    @asynccontextmanager
    async def other_replica(self) -> AsyncIterator["OtherReplica"]:
        """Run a replica as a process of its own, on the same database and broker."""
        settings, port = self.notifications.settings, free_port(())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "notifications",
            env=os.environ
            | self.servers.variables("notifications")
            | {
                "RENTREE_DATABASE_URL": settings.database_url,
                "RENTREE_BROKER_URL": settings.broker_url,
                "RENTREE_HOST": "127.0.0.1",
                "RENTREE_PORT": str(port),
                "RENTREE_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
                "RENTREE_WEBHOOK_ALLOWS_HTTP": "true",
            },
            stdout=asyncio.subprocess.DEVNULL,
        )
        replica = OtherReplica(process, f"http://127.0.0.1:{port}")
        try:
            await eventually(lambda: answers(f"{replica.url}/health/ready"), within_seconds=60)
            yield replica
        finally:
            await replica.kill()

    async def _forget(self, webhook_id: UUID) -> None:
        await self.notifications.ask(RemoveWebhook(webhook_id=webhook_id), OPERATOR)
