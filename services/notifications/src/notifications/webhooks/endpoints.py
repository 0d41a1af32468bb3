"""What operators ask of webhooks: registered, given other secrets, stopped, replayed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.notifications import (
    DisableWebhook,
    EnableWebhook,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
)
from shared.contracts.reactions import PUBLIC_TYPES
from shared.contracts.webhooks import WebhookReplay, WebhookSecret, WebhookState
from shared.db import Database, Transaction
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import webhook, webhook_delivery, webhook_event, webhook_secret
from notifications.webhooks.addresses import AddressRule
from notifications.webhooks.signing import new_secret

FORMER_SECRET_SIGNS_FOR = timedelta(hours=24)
REPLAYED_AT_ONCE = 50_000
"""The most that one replay takes: what one statement writes well within its time."""

_SHOWN_AGAIN_FOR = timedelta(minutes=10)
"""A secret is shown once, but an answer may be lost on its way."""


async def register_webhook(
    command: RegisterWebhook, caller: Caller, database: Database, rule: AddressRule
) -> WebhookSecret:
    """Register a webhook with its first secret; the same one again is answered the same."""
    caller.require_operator()
    _refuse_unless_public(command.event_types)
    # before the transaction: a name server that is slow holds no connection
    await rule.examine(command.url)
    now = datetime.now(UTC)
    wanted = {
        "url": command.url,
        "event_types": sorted(set(command.event_types)),
        "description": command.description,
    }
    async with database.transaction() as tx:
        registered = await tx.execute(
            insert(webhook)
            .values(id=command.webhook_id, created_at=now, state="enabled", state_at=now, **wanted)
            .on_conflict_do_nothing()
        )
        if registered.rowcount:
            return await _add_secret(tx, command.webhook_id, command.webhook_id, now)
        row = (await tx.execute(_registered(command.webhook_id))).mappings().one_or_none()
        if row is None or any(row[name] != value for name, value in wanted.items()):
            raise Rejection(
                "webhook_id_reused", "Cet identifiant est déjà celui d'un autre webhook."
            )
        return await _shown_again(tx, command.webhook_id, command.webhook_id, now)


async def rotate_webhook_secret(
    command: RotateWebhookSecret, caller: Caller, tx: Transaction
) -> WebhookSecret:
    """Make a new secret; the present one retires in 24 hours."""
    caller.require_operator()
    await _lock(tx, command.webhook_id)
    now = datetime.now(UTC)
    known = sa.select(webhook_secret.c.id).where(webhook_secret.c.id == command.secret_id)
    if await tx.scalar(known):
        return await _shown_again(tx, command.webhook_id, command.secret_id, now)
    await tx.execute(
        webhook_secret.update()
        .where(
            webhook_secret.c.webhook_id == command.webhook_id,
            webhook_secret.c.retires_at.is_(None),
        )
        .values(retires_at=now + FORMER_SECRET_SIGNS_FOR)
    )
    return await _add_secret(tx, command.webhook_id, command.secret_id, now)


async def enable_webhook(command: EnableWebhook, caller: Caller, tx: Transaction) -> None:
    """Send again, what waited first, as if nothing had failed."""
    caller.require_operator()
    now = datetime.now(UTC)
    if not await _move(tx, command.webhook_id, "enabled", now):
        return
    await tx.execute(
        webhook_delivery.update()
        .where(
            webhook_delivery.c.webhook_id == command.webhook_id,
            webhook_delivery.c.state == "waiting",
        )
        .values(due_at=sa.func.least(webhook_delivery.c.due_at, now))
    )


async def disable_webhook(command: DisableWebhook, caller: Caller, tx: Transaction) -> None:
    """Send nothing more; what is being sent arrives."""
    caller.require_operator()
    await _move(tx, command.webhook_id, "disabled", datetime.now(UTC))


async def remove_webhook(command: RemoveWebhook, caller: Caller, tx: Transaction) -> None:
    """Forget a webhook and all that is its own."""
    caller.require_operator()
    await tx.execute(webhook.delete().where(webhook.c.id == command.webhook_id))


async def replay_webhook(command: ReplayWebhook, caller: Caller, tx: Transaction) -> WebhookReplay:
    """Queue again the events of a webhook's types from an instant on, the oldest first."""
    caller.require_operator()
    row = await _lock(tx, command.webhook_id)
    if row.state != "enabled":
        raise Rejection("webhook_not_enabled", "Réactivez ce webhook avant de rejouer.")
    again = (
        sa.select(
            sa.literal(command.webhook_id),
            webhook_event.c.id,
            sa.literal(command.replay_id),
            sa.literal("waiting"),
            sa.literal(datetime.now(UTC)),
        )
        .where(
            webhook_event.c.type.in_(row.event_types),
            webhook_event.c.happened_at >= command.since,
        )
        .order_by(webhook_event.c.happened_at, webhook_event.c.id)
        .limit(REPLAYED_AT_ONCE)
    )
    columns = ["webhook_id", "event_id", "replay_id", "state", "due_at"]
    await tx.execute(insert(webhook_delivery).from_select(columns, again).on_conflict_do_nothing())
    count, reached = (
        await tx.execute(
            sa.select(sa.func.count(), sa.func.max(webhook_event.c.happened_at))
            .select_from(webhook_delivery.join(webhook_event))
            .where(
                webhook_delivery.c.webhook_id == command.webhook_id,
                webhook_delivery.c.replay_id == command.replay_id,
            )
        )
    ).one()
    return WebhookReplay(deliveries=count, reached=reached if count >= REPLAYED_AT_ONCE else None)


def _refuse_unless_public(event_types: Sequence[str]) -> None:
    if refused := sorted(set(event_types) - set(PUBLIC_TYPES)):
        raise Rejection(
            "webhook_events_refused",
            "Ces événements n'existent pas, ou ne quittent pas les services du territoire.",
            status=422,
            event_types=refused,
        )


def _registered(webhook_id: UUID) -> sa.Select[tuple[object, ...]]:
    return sa.select(webhook).where(webhook.c.id == webhook_id)


async def _lock(tx: Transaction, webhook_id: UUID) -> sa.Row[tuple[object, ...]]:
    row = (await tx.execute(_registered(webhook_id).with_for_update())).one_or_none()
    if row is None:
        raise Rejection.not_found()
    return row


async def _move(tx: Transaction, webhook_id: UUID, state: WebhookState, now: datetime) -> bool:
    """Change the state of a webhook; false where it was in it already."""
    row = await _lock(tx, webhook_id)
    if row.state == state:
        return False
    await tx.execute(
        webhook.update()
        .where(webhook.c.id == webhook_id)
        .values(state=state, state_at=now, state_reason="", failing_since=None)
    )
    return True


async def _add_secret(
    tx: Transaction, webhook_id: UUID, secret_id: UUID, now: datetime
) -> WebhookSecret:
    secret = new_secret()
    await tx.execute(
        webhook_secret.insert().values(
            id=secret_id, webhook_id=webhook_id, secret=secret, created_at=now
        )
    )
    return WebhookSecret(webhook_id=webhook_id, secret_id=secret_id, secret=secret)


async def _shown_again(
    tx: Transaction, webhook_id: UUID, secret_id: UUID, now: datetime
) -> WebhookSecret:
    secret = await tx.scalar(
        sa.select(webhook_secret.c.secret).where(
            webhook_secret.c.id == secret_id,
            webhook_secret.c.webhook_id == webhook_id,
            webhook_secret.c.created_at > now - _SHOWN_AGAIN_FOR,
        )
    )
    if secret is None:
        raise Rejection("webhook_secret_shown", "Ce secret a déjà été montré. Créez-en un autre.")
    return WebhookSecret(webhook_id=webhook_id, secret_id=secret_id, secret=secret)
