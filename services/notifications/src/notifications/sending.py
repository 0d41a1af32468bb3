"""Messages leave: any replica takes due ones, one transaction each, and hands them over.

A message is locked while it is sent, so that no other sender takes it. That it is sent, and the
event that tells so, are written *before* the mail is handed over and undone where the mail server
does not take it: once it does, only the commit remains. A hand-over runs to its end even where
another line fails or the replica is told to stop. So a mail is sent twice only where the server
accepted it, and

- its answer was lost with the line, or came after the five seconds that a hand-over may last;
- or the commit did not follow: the process or its machine died first, or the database was lost.

Both copies carry one Message-ID.

A message whose family, student, site or campaign is not known yet is simply not due: events come
in any order. One that would come too late, as an offer that ended, has failed: it would mislead.
"""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import Counter
from shared.contracts.notifications import DeliveryState, MessageKind, MessageSent
from shared.db import Database, Transaction
from shared.observability import correlated, get_logger
from shared.outbox import emit

from notifications.letters import write_letter
from notifications.mail import Letterhead, Marks, compose, in_one_line, usable_addresses
from notifications.matters import ContactBlock, Matter, read_matter
from notifications.patience import next_attempt
from notifications.postman import (
    TAKES_A_MAIL_WITHIN_SECONDS,
    Line,
    MailRefused,
    MailServerAway,
    Postman,
    in_words,
)
from notifications.tables import campaign, family, message, site

log = get_logger()

MESSAGES = Counter("rentree_messages_total", "Attempts to send a message", ["kind", "outcome"])

MAILS_AT_ONCE = 4
"""Mails that a replica hands over at the same time: what one crash may repeat at most."""
_ROUND_SECONDS = 0.5  # with a last hand-over, within the 6 s that a graceful stop waits

_student_key = sa.cast(message.c.student_id, sa.Text)
_waiting = (
    sa.select(
        message,
        family.c.guardians,
        family.c.students[_student_key].astext.label("student"),
        site.c.name,
        site.c.address,
        site.c.postcode,
        site.c.city,
        site.c.phone,
        site.c.email,
        campaign.c.school_year,
        campaign.c.closes_at,
        campaign.c.documents_due_at,
    )
    .join(family, family.c.id == message.c.family_id)
    .outerjoin(campaign, campaign.c.id == message.c.campaign_id)
    .join(site, site.c.id == sa.func.coalesce(message.c.site_id, campaign.c.site_id))
    .where(
        message.c.state == "waiting",
        message.c.student_id.is_(None) | family.c.students.has_key(_student_key),
        message.c.campaign_id.is_(None) | campaign.c.id.is_not(None),
    )
)


@dataclass(frozen=True, slots=True)
class _Due:
    """A message taken to be sent, with what it is written from."""

    id: UUID
    kind: MessageKind
    application_id: UUID | None
    place_id: UUID | None
    family_id: UUID
    correlation_id: str
    created_at: datetime
    failed_attempts: int
    pointless_at: datetime | None
    recipients: tuple[Address, ...]
    matter: Matter


async def send_due_messages(database: Database, postman: Postman, letterhead: Letterhead) -> None:
    """Send the messages that are due, over as many lines as there are messages, four at most.

    Told to end, it lets the mails at hand arrive first.
    """
    if postman.is_resting:
        return
    due = _waiting.where(message.c.due_at <= datetime.now(UTC)).limit(MAILS_AT_ONCE).subquery()
    async with database.transaction() as tx:
        lines = await tx.scalar(sa.select(sa.func.count()).select_from(due)) or 0
    rounds = asyncio.gather(
        *(_make_round(database, postman, letterhead) for _ in range(lines)),
        return_exceptions=True,
    )
    try:
        ends = await asyncio.shield(rounds)
    except asyncio.CancelledError:
        await asyncio.wait([rounds], timeout=_ROUND_SECONDS + TAKES_A_MAIL_WITHIN_SECONDS)
        raise
    for end in ends:
        if end is not None:
            log.warning("line given up", error=repr(end))


async def _make_round(database: Database, postman: Postman, letterhead: Letterhead) -> None:
    ends_at = time.monotonic() + _ROUND_SECONDS
    try:
        async with postman.line() as line:
            while line.is_open and time.monotonic() < ends_at:
                if not await _send_next(database, line, letterhead):
                    return
    except MailServerAway as error:
        # no message's fault and held against none: they leave as soon as it is back
        log.warning("mail server away", error=str(error))


async def _send_next(database: Database, line: Line, letterhead: Letterhead) -> bool:
    """Send the message due for longest that nobody else is sending; false where there is none."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        due = await _take(tx, now)
        if due is None:
            return False
        with correlated(due.correlation_id, message_id=str(due.id)):
            outcome = await _send(tx, due, line, letterhead, now)
            MESSAGES.labels(due.kind, outcome).inc()
            log.info("message handled", kind=due.kind, outcome=outcome)
    return True


async def _take(tx: Transaction, now: datetime) -> _Due | None:
    rows = await tx.execute(
        _waiting.where(message.c.due_at <= now)
        .order_by(message.c.due_at)
        .limit(1)
        .with_for_update(of=message, skip_locked=True)
    )
    row = rows.one_or_none()
    return None if row is None else _read(row)


def _read(row: sa.Row[Any]) -> _Due:
    return _Due(
        id=row.id,
        kind=row.kind,
        application_id=row.application_id,
        place_id=row.place_id,
        family_id=row.family_id,
        correlation_id=row.correlation_id,
        created_at=row.created_at,
        failed_attempts=row.failed_attempts,
        pointless_at=row.pointless_at,
        recipients=usable_addresses([row.addressee] if row.addressee else row.guardians),
        matter=read_matter(
            {
                "kind": row.kind,
                "student": row.student,
                "school_year": row.school_year,
                "closes_at": row.closes_at,
                "documents_due_at": row.documents_due_at,
                "site": ContactBlock(
                    name=row.name,
                    address=row.address,
                    postcode=row.postcode,
                    city=row.city,
                    phone=row.phone,
                    email=row.email,
                ),
                **row.content,
            }
        ),
    )


async def _send(
    tx: Transaction, due: _Due, line: Line, letterhead: Letterhead, now: datetime
) -> DeliveryState:
    """Send one message and write what became of it; a failure leaves it waiting, or failed."""
    if due.pointless_at is not None and due.pointless_at <= now:
        return await _settle(tx, due, "failed", now, failure="it came too late to be of any use")
    if not due.recipients:
        return await _settle(tx, due, "no_address", now)
    try:
        async with tx.begin_nested():
            mail = compose(
                write_letter(due.matter, letterhead.portal_url),
                due.recipients,
                letterhead,
                Marks(due.id, due.correlation_id, reply_to=due.matter.site.email),
                now,
            )
            await _settle(tx, due, "sent", now)
            await emit(
                tx,
                MessageSent(
                    message_id=due.id,
                    application_id=due.application_id,
                    place_id=due.place_id,
                    family_id=due.family_id,
                    kind=due.kind,
                    sent_at=now,
                ),
            )
            refused = await line.hand_over(mail)
    except MailRefused as refusal:
        return await _settle(tx, due, "failed", now, failure=str(refusal))
    except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again and the others leave
        log.warning("message not sent", error=repr(error))
        return await _postpone(tx, due, now, failure=repr(error))
    if refused:
        return await _settle(tx, due, "sent", now, failure=in_words(refused))
    return "sent"


async def _settle(
    tx: Transaction, due: _Due, state: DeliveryState, now: datetime, *, failure: str = ""
) -> DeliveryState:
    await tx.execute(
        message.update()
        .where(message.c.id == due.id)
        .values(state=state, state_at=now, failure=failure, recipients=in_one_line(due.recipients))
    )
    return state


async def _postpone(tx: Transaction, due: _Due, now: datetime, *, failure: str) -> DeliveryState:
    """Have the message tried again later, or give up after 48 hours."""
    failed_attempts = due.failed_attempts + 1
    jitter = random.random()  # noqa: S311 - chance, not a secret
    due_at = next_attempt(failed_attempts, due.created_at, now, jitter)
    if due_at is None:
        return await _settle(tx, due, "failed", now, failure=failure)
    await tx.execute(
        message.update()
        .where(message.c.id == due.id)
        .values(due_at=due_at, failed_attempts=failed_attempts, failure=failure)
    )
    return "waiting"
