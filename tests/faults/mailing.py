"""Two replicas of notifications before one mail server: processes to kill, mails to count."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from notifications.app import NotificationsSettings, resources, service
from notifications.reactions import (
    remember_campaign,
    remember_families,
    remember_sites,
)
from notifications.tables import message
from shared.broker import EVENTS_EXCHANGE, BrokerLink
from shared.contract import Event
from shared.contracts.identity import FamiliesRecorded
from shared.db import Database
from shared.identifiers import new_id
from shared.outbox import cloud_event
from stack.remembered import free_port
from stack.running import Stack
from stack.servers.mailbox import Mailbox

from tests.applicants import Applicant
from tests.harness import running
from tests.nursery import Forked, Nursery

_MESSAGE_ID = re.compile(rb"^Message-ID: (<[^>]+>)", re.MULTILINE | re.IGNORECASE)


@dataclass(slots=True)
class Office:
    """The replicas, the mail server that they send to, and whom they write to."""

    mailbox: Mailbox
    database: Database
    link: BrokerLink
    applicants: Sequence[Applicant]
    nursery: Nursery
    variables: dict[str, str]
    replicas: list[Forked] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def of(cls, servers: Stack, families: int) -> AsyncIterator["Office"]:
        """Prepare a database in which these families are known; nothing runs yet."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            mailbox = Mailbox(folder, free_port(()), servers.logs, print)
            stack.push_async_callback(mailbox.process.stop)
            async with running(servers, service, NotificationsSettings, resources) as prepared:
                settings = prepared.settings
            database = Database(settings.database_url, name="office", connections=2)
            stack.push_async_callback(database.close)
            link = BrokerLink(settings.broker_url)
            stack.push_async_callback(link.close)
            nursery = await stack.enter_async_context(
                Nursery.of("notifications", servers.logs / "notifications-killed.log")
            )
            variables = servers.variables("notifications") | {
                "RENTREE_DATABASE_URL": settings.database_url,
                "RENTREE_BROKER_URL": settings.broker_url,
                "RENTREE_SMTP_URL": mailbox.url,
                "RENTREE_HOST": "127.0.0.1",
            }
            office = cls(mailbox, database, link, _school(families), nursery, variables)
            await office._introduce()
            yield office

    async def open(self, replicas: int) -> None:
        """Start replicas."""
        for _ in range(replicas):
            self.replicas.append(await self._fork())

    async def replace(self, number: int) -> None:
        """Kill a replica in whatever it does, and start another one in its place."""
        await self.replicas[number].kill()
        self.replicas[number] = await self._fork()

    async def tell(self, *events: Event) -> None:
        """Publish events, as the service that owns them would."""
        now = datetime.now(UTC)
        rows = [
            {
                "event_id": new_id(),
                "type": event.type,
                "subject": event.subject,
                "data": event.model_dump_json(),
                "happened_at": now,
                "correlation_id": "crowd",
            }
            for event in events
        ]
        await asyncio.gather(
            *(
                self.link.publish(EVENTS_EXCHANGE, row["type"], cloud_event("enrolment", row))  # type: ignore[arg-type]
                for row in rows
            )
        )

    async def count(self, state: str) -> int:
        """Count the messages in a state."""
        counted = sa.select(sa.func.count()).select_from(message).where(message.c.state == state)
        async with self.database.transaction() as tx:
            return await tx.scalar(counted) or 0

    def arrived(self) -> Counter[bytes]:
        """How often each Message-ID reached the mail server."""
        return Counter(
            found[1]
            for file in self.mailbox.folder.glob("*.eml")
            if (found := _MESSAGE_ID.search(file.read_bytes()))
        )

    def memory(self) -> int:
        """The most that a replica has in memory now, in bytes."""
        return max(_resident(replica.pid) for replica in self.replicas)

    async def _fork(self) -> Forked:
        return await self.nursery.fork(self.variables | {"RENTREE_PORT": str(free_port(()))})

    async def _introduce(self) -> None:
        first = self.applicants[0]
        async with self.database.transaction() as tx:
            await remember_sites(first.sites(), tx)
            await remember_campaign(first.campaign(), tx)
            families = [
                family
                for each in self.applicants
                for family in each.recorded(each.address).families
            ]
            await remember_families(FamiliesRecorded(families=tuple(families)), tx)


def _school(families: int) -> list[Applicant]:
    first = Applicant()
    others = (
        Applicant(site_id=first.site_id, campaign_id=first.campaign_id) for _ in range(families - 1)
    )
    return [first, *others]


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096
