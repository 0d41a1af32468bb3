"""Events that a webhook asked for: kept, queued for it, replayed, and forgotten in the end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from shared.contract import AnyEvent
from shared.contracts.reactions import EVENTS
from shared.db import Database, Transaction
from shared.handlers import Occurrence
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import webhook, webhook_delivery, webhook_event, webhook_secret

KEPT_FOR = timedelta(days=30)
"""How long an event can be replayed, and its delivery read in the log."""

_FORGOTTEN_AT_ONCE = 2_000
_PERSONAL = {event.type for event in EVENTS if event.personal}


async def queue_webhooks(event: AnyEvent, tx: Transaction, occurrence: Occurrence) -> None:
    """Keep what a webhook asked for, and queue it for those that are enabled (S91).

    The queue is bound to public types alone. One that has become personal since stays here all the
    same: a binding outlives the code that made it.
    """
    if occurrence.type in _PERSONAL:
        return
    # one that is being removed is waited for
    asking = await tx.execute(
        sa.select(webhook.c.id, webhook.c.state)
        .where(webhook.c.event_types.contains([occurrence.type]))
        .order_by(webhook.c.id)
        .with_for_update(read=True, key_share=True)
    )
    states = {row.id: row.state for row in asking}
    if not states:
        return
    await tx.execute(
        insert(webhook_event)
        .values(
            id=occurrence.id,
            type=occurrence.type,
            source=occurrence.source,
            subject=occurrence.subject,
            happened_at=occurrence.happened_at,
            correlation_id=occurrence.correlation_id,
            data=event.model_dump_json(),
        )
        .on_conflict_do_nothing()
    )
    await _queue(tx, occurrence.id, [id_ for id_, state in states.items() if state == "enabled"])


async def _queue(tx: Transaction, event_id: UUID, webhook_ids: Sequence[UUID]) -> None:
    if not webhook_ids:
        return
    now = datetime.now(UTC)
    await tx.execute(
        insert(webhook_delivery)
        .values(
            [
                {
                    "webhook_id": webhook_id,
                    "event_id": event_id,
                    "replay_id": webhook_id,
                    "state": "waiting",
                    "due_at": now,
                }
                for webhook_id in webhook_ids
            ]
        )
        .on_conflict_do_nothing()
    )


async def forget_old_webhook_events(database: Database) -> None:
    """Forget events with their deliveries after 30 days, and the secrets that have retired."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await tx.execute(sa.delete(webhook_secret).where(webhook_secret.c.retires_at <= now))
    old = (
        sa.select(webhook_event.c.id)
        .where(webhook_event.c.happened_at < now - KEPT_FOR)
        .limit(_FORGOTTEN_AT_ONCE)
    )
    forgotten = _FORGOTTEN_AT_ONCE
    while forgotten == _FORGOTTEN_AT_ONCE:
        async with database.transaction() as tx:
            gone = await tx.execute(sa.delete(webhook_event).where(webhook_event.c.id.in_(old)))
        forgotten = gone.rowcount
