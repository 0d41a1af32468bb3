"""The inbox: what a reaction has already done, so that a duplicate changes nothing."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, Uuid, delete, func
from sqlalchemy.dialects.postgresql import insert

from shared.db import Database, Transaction

_KEPT_FOR = timedelta(days=30)

inbox = Table(
    "inbox",
    MetaData(),
    Column("event_id", Uuid, primary_key=True),
    Column("queue", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("inbox_received_at_idx", "received_at"),
)


async def first_time(tx: Transaction, event_id: UUID, queue: str) -> bool:
    """Record that ``queue`` got this event; false where it had already.

    A twin that arrives while the first is at work waits for its commit, then is told false.
    """
    recorded = await tx.execute(
        insert(inbox).values(event_id=event_id, queue=queue).on_conflict_do_nothing()
    )
    return recorded.rowcount == 1


async def forget_old_events(database: Database) -> None:
    """Forget events older than any redelivery: 30 days."""
    async with database.transaction() as tx:
        await tx.execute(delete(inbox).where(inbox.c.received_at < func.now() - _KEPT_FOR))
