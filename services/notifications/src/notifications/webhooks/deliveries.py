"""The deliveries that are due: claimed by one replica at a time, and settled.

A claim is a lease, not a lock: nothing is held while an event is sent, and what a killed replica
was sending comes back when its lease ends. So an event is sent twice only where its answer was not
recorded: its sender was killed, or lost its database, in between.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from shared.contracts.notifications import WebhookSuspended
from shared.db import Transaction
from shared.observability import get_logger
from shared.outbox import emit

from notifications.tables import webhook, webhook_delivery, webhook_event, webhook_secret
from notifications.webhooks.schedule import SUSPENDED_AFTER, next_attempt
from notifications.webhooks.signing import KeptEvent

log = get_logger()

SUSPENDED = Counter("rentree_webhooks_suspended_total", "Webhooks suspended by us", ["reason"])

LEASE = timedelta(seconds=20)
"""Longer than sending and settling may take."""

_GONE = 410


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery claimed: what is sent where, signed with what, for the nth time."""

    position: int
    webhook_id: UUID
    attempt: int
    url: str
    secrets: tuple[str, ...]
    event: KeptEvent


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: the answer, or why there is none."""

    milliseconds: int
    status: int | None = None
    answer: str = ""
    failure: str = ""

    @property
    def is_delivered(self) -> bool:
        """Whether the event was taken."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver says that nothing must be sent to it any more."""
        return self.status == _GONE


async def webhooks_to_serve(tx: Transaction, now: datetime) -> list[UUID]:
    """Give the webhooks that have something due."""
    due = sa.exists().where(
        webhook_delivery.c.webhook_id == webhook.c.id,
        webhook_delivery.c.state == "waiting",
        webhook_delivery.c.due_at <= now,
    )
    found = await tx.scalars(sa.select(webhook.c.id).where(webhook.c.state == "enabled", due))
    return list(found)


async def claim(tx: Transaction, webhook_id: UUID, now: datetime, *, at_most: int) -> list[Due]:
    """Claim the deliveries due for longest that no other replica has; none where it is stopped."""
    secrets = await tx.scalars(
        sa.select(webhook_secret.c.secret)
        .join(webhook)
        .where(
            webhook.c.id == webhook_id,
            webhook.c.state == "enabled",
            webhook_secret.c.retires_at.is_(None) | (webhook_secret.c.retires_at > now),
        )
        .order_by(webhook_secret.c.created_at.desc())
    )
    signing = tuple(secrets)
    if not signing:
        return []
    due = (
        sa.select(webhook_delivery.c.position)
        .where(
            webhook_delivery.c.webhook_id == webhook_id,
            webhook_delivery.c.state == "waiting",
            webhook_delivery.c.due_at <= now,
        )
        .order_by(webhook_delivery.c.due_at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = (
        webhook_delivery.update()
        .where(webhook_delivery.c.position == due.c.position)
        .values(attempts=webhook_delivery.c.attempts + 1, attempted_at=now, due_at=now + LEASE)
        .returning(
            webhook_delivery.c.position, webhook_delivery.c.event_id, webhook_delivery.c.attempts
        )
        .cte("claimed")
    )
    rows = await tx.execute(
        sa.select(claimed.c.position, claimed.c.attempts, webhook.c.url, webhook_event)
        .select_from(claimed)
        .join(webhook_event, webhook_event.c.id == claimed.c.event_id)
        .join(webhook, webhook.c.id == webhook_id)
        .order_by(claimed.c.position)
    )
    return [
        Due(
            position=row.position,
            webhook_id=webhook_id,
            attempt=row.attempts,
            url=row.url,
            secrets=signing,
            event=KeptEvent(
                id=row.id,
                type=row.type,
                source=row.source,
                subject=row.subject,
                happened_at=row.happened_at,
                correlation_id=row.correlation_id,
                data=row.data,
            ),
        )
        for row in rows
    ]


async def settle(
    tx: Transaction, due: Due, outcome: Outcome, now: datetime, jitter: float
) -> Literal["delivered", "waiting", "failed"]:
    """Write what became of an attempt, and what that says of its webhook."""
    told = {
        "status": outcome.status,
        "answer": outcome.answer,
        "failure": outcome.failure,
        "milliseconds": outcome.milliseconds,
    }
    still_waiting = sa.and_(
        webhook_delivery.c.position == due.position, webhook_delivery.c.state == "waiting"
    )
    if outcome.is_delivered:
        await _note_success(tx, due.webhook_id)
        await tx.execute(
            webhook_delivery.update().where(still_waiting).values(state="delivered", **told)
        )
        return "delivered"
    await _note_failure(tx, due.webhook_id, outcome, now)
    again = next_attempt(due.attempt, now, jitter)
    state: Literal["waiting", "failed"] = "failed" if again is None else "waiting"
    await tx.execute(
        webhook_delivery.update()
        # an attempt that outlived its lease says nothing of the one that followed
        .where(still_waiting, webhook_delivery.c.attempts == due.attempt)
        .values(state=state, due_at=again or now, **told)
    )
    return state


async def _note_success(tx: Transaction, webhook_id: UUID) -> None:
    await tx.execute(
        webhook.update()
        .where(webhook.c.id == webhook_id, webhook.c.failing_since.is_not(None))
        .values(failing_since=None)
    )


async def _note_failure(tx: Transaction, webhook_id: UUID, outcome: Outcome, now: datetime) -> None:
    """Remember since when nothing gets through; suspend what is gone, or was for too long."""
    await tx.execute(
        webhook.update()
        .where(webhook.c.id == webhook_id, webhook.c.failing_since.is_(None))
        .values(failing_since=now)
    )
    reason: Literal["gone", "failing"] = "gone" if outcome.is_gone else "failing"
    suspend = (
        webhook.update()
        .where(webhook.c.id == webhook_id, webhook.c.state == "enabled")
        .values(state="suspended", state_at=now, state_reason=reason)
        .returning(webhook.c.failing_since)
    )
    if reason == "failing":
        suspend = suspend.where(webhook.c.failing_since <= now - SUSPENDED_AFTER)
    failing_since = await tx.scalar(suspend)
    if failing_since is None:
        return
    await emit(
        tx,
        WebhookSuspended(
            webhook_id=webhook_id, reason=reason, failing_since=failing_since, suspended_at=now
        ),
    )
    SUSPENDED.labels(reason).inc()
    log.error("webhook suspended", webhook_id=str(webhook_id), reason=reason)
