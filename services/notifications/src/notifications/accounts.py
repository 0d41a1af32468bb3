"""What identity tells of accounts: each is a message to one address, whatever is repeated (S4)."""

from datetime import UTC, datetime

from shared.contracts.identity import (
    AccountLocked,
    Addressee,
    EmailChanged,
    EmailChangeOpened,
    PasswordChanged,
    PasswordResetOpened,
)
from shared.contracts.notifications import AccountNoticeKind
from shared.db import Database, Transaction
from shared.handlers import Occurrence
from sqlalchemy import or_

from notifications.outgoing import queue_message
from notifications.tables import HOLDS_TOKEN, message


async def send_reset_link(
    event: PasswordResetOpened, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have the link sent that a forgotten password is chosen anew by, while it is good."""
    await _queue(
        tx, "password_reset_link", event.to, event.expires_at, occurrence, token=event.token
    )


async def send_email_link(
    event: EmailChangeOpened, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have the link sent that a new address is confirmed by, while it is good."""
    await _queue(
        tx, "email_confirmation_link", event.to, event.expires_at, occurrence, token=event.token
    )


async def tell_password_changed(
    event: PasswordChanged, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have a guardian told that their password is another one."""
    await _queue(tx, "password_changed", event.to, event.changed_at, occurrence)


async def tell_account_locked(
    event: AccountLocked, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have a guardian told that their account is locked, and until when."""
    await _queue(tx, "account_locked", event.to, event.locked_until, occurrence)


async def tell_email_changed(event: EmailChanged, tx: Transaction, occurrence: Occurrence) -> None:
    """Have a guardian told at the new address, and at the old one where there was one."""
    await _queue(tx, "email_recorded", event.to, event.changed_at, occurrence)
    if event.old_email:
        before = event.to.model_copy(update={"email": event.old_email})
        await _queue(tx, "email_changed", before, event.changed_at, occurrence)


async def forget_tokens(database: Database) -> None:
    """Forget the links that were sent, or are good for nothing any more."""
    is_over = or_(message.c.state == "sent", message.c.pointless_at <= datetime.now(UTC))
    async with database.transaction() as tx:
        await tx.execute(
            message.update()
            .where(HOLDS_TOKEN, is_over)
            .values(content=message.c.content.op("-")("token"))
        )


async def _queue(
    tx: Transaction,
    kind: AccountNoticeKind,
    to: Addressee,
    at: datetime,
    occurrence: Occurrence,
    *,
    token: str = "",
) -> None:
    """Queue a message of its kind for the event; one that holds a link is pointless afterwards."""
    await queue_message(
        tx,
        kind,
        str(occurrence.id),
        occurrence,
        family_id=to.family_id,
        site_id=to.site_id,
        addressee={"name": to.name, "email": to.email},
        pointless_at=at if token else None,
        content={"name": to.name, "at": at} | ({"token": token} if token else {}),
    )
