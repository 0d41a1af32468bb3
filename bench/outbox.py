"""An outbox to relay from: filled as commands fill it, in a transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from aio_pika import Message
from shared.contracts.courses import Hold, SeatsHeld
from shared.db import Database
from shared.identifiers import new_id
from shared.outbox import cloud_event, emit

SERVICE = "courses"


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of a database, with a connection such as the relay has."""

    database: Database
    connection: asyncpg.Connection

    @classmethod
    @asynccontextmanager
    async def of(cls, database_url: str) -> AsyncIterator["Outbox"]:
        """Open it for a while."""
        database = Database(database_url, name="bench", connections=1)
        connection = await asyncpg.connect(database_url)
        try:
            yield cls(database, connection)
        finally:
            await connection.close()
            await database.close()

    async def fill(self, count: int) -> list[Message]:
        """Emit ``count`` events; give the messages that stand for them."""
        async with self.database.transaction() as tx:
            await emit(tx, *(seats_held() for _ in range(count)))
        rows = await self.connection.fetch("SELECT * FROM outbox ORDER BY position")
        return [cloud_event(SERVICE, row) for row in rows]

    async def clear(self) -> int:
        """Forget the events that were not relayed; give how many they were."""
        return len(await self.connection.fetch("DELETE FROM outbox RETURNING position"))


def seats_held() -> SeatsHeld:
    """Make the event that opening day is full of: one seat, held for one student."""
    hold = Hold(
        id=new_id(),
        student_id=new_id(),
        follow_id=new_id(),
        course_id=new_id(),
        label="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        state="held",
        expires_at=datetime.now(UTC) + timedelta(minutes=20),
    )
    return SeatsHeld(campaign_id=new_id(), holds=(hold,))
