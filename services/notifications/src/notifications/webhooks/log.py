"""What operators see of webhooks: where they stand, and what became of each event."""

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.notifications import (
    ListWebhookDeliveries,
    ListWebhooks,
)
from shared.contracts.webhooks import Webhook, WebhookDelivery
from shared.db import Transaction

from notifications.tables import webhook, webhook_delivery, webhook_event

_LINES = 100


async def list_webhooks(
    query: ListWebhooks,  # noqa: ARG001 - every handler takes its contract
    caller: Caller,
    tx: Transaction,
) -> tuple[Webhook, ...]:
    """Give every webhook, and how much it is behind."""
    caller.require_operator()
    waiting = (
        sa.select(sa.func.count())
        .where(webhook_delivery.c.webhook_id == webhook.c.id, webhook_delivery.c.state == "waiting")
        .scalar_subquery()
    )
    rows = await tx.execute(
        sa.select(webhook, waiting.label("waiting")).order_by(webhook.c.created_at, webhook.c.id)
    )
    return tuple(Webhook.model_validate(dict(row)) for row in rows.mappings())


async def list_webhook_deliveries(
    query: ListWebhookDeliveries, caller: Caller, tx: Transaction
) -> tuple[WebhookDelivery, ...]:
    """Give a page of a webhook's delivery log."""
    caller.require_operator()
    if not await tx.scalar(sa.select(webhook.c.id).where(webhook.c.id == query.webhook_id)):
        raise Rejection.not_found()
    lines = (
        sa.select(webhook_delivery, webhook_event.c.type, webhook_event.c.happened_at)
        .join(webhook_event)
        .where(webhook_delivery.c.webhook_id == query.webhook_id)
        .order_by(webhook_delivery.c.position.desc())
        .limit(_LINES)
    )
    if query.state is not None:
        lines = lines.where(webhook_delivery.c.state == query.state)
    if query.before is not None:
        lines = lines.where(webhook_delivery.c.position < query.before)
    return tuple(
        WebhookDelivery(
            position=row.position,
            event_id=row.event_id,
            event_type=row.type,
            happened_at=row.happened_at,
            is_replay=row.replay_id != row.webhook_id,
            state=row.state,
            attempts=row.attempts,
            attempted_at=row.attempted_at,
            due_at=row.due_at if row.state == "waiting" else None,
            status=row.status,
            answer=row.answer,
            failure=row.failure,
            milliseconds=row.milliseconds,
        )
        for row in await tx.execute(lines)
    )
