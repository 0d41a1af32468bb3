"""The delivery log: what was sent to a family, when, to whom, and what the mail server answered."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.notifications import (
    A_PAGE_OF_MESSAGES,
    ListMailFailures,
    ListMessages,
    MessageAttempt,
    SentMessage,
)
from shared.db import Transaction

from notifications.mail import in_one_line, usable_addresses
from notifications.tables import NOT_ALL_SENT, attempt, campaign, family, message

_SITE = sa.func.coalesce(message.c.site_id, campaign.c.site_id)
_STUDENT = family.c.students[sa.cast(message.c.student_id, sa.Text)].astext
_known = message.alias()
_MESSAGES = (
    sa.select(message, family.c.guardians, _STUDENT.label("student"))
    .outerjoin(family, family.c.id == message.c.family_id)
    .outerjoin(campaign, campaign.c.id == message.c.campaign_id)
    .order_by(message.c.created_at.desc(), message.c.id.desc())
    .limit(A_PAGE_OF_MESSAGES)
)


async def list_messages(
    query: ListMessages, caller: Caller, tx: Transaction
) -> tuple[SentMessage, ...]:
    """Give a family its messages, or those of one of their families to the staff of a site.

    What was sent to one guardian alone, about their account, is no business of the other's.
    """
    if caller.role == "family":
        if query.family_id not in {None, caller.family()}:
            raise Rejection.not_found()
        seen = sa.and_(message.c.family_id == caller.family(), message.c.addressee.is_(None))
    else:
        seen = sa.and_(_of_site(caller.staff_site()), message.c.family_id == query.family_id)
    return await _read(tx, _MESSAGES.where(seen, _earlier(query.before)))


async def list_mail_failures(
    query: ListMailFailures, caller: Caller, tx: Transaction
) -> tuple[SentMessage, ...]:
    """Give what the families of a site were not sent, or not everywhere, to its staff (S75)."""
    if caller.staff_site() not in {None, query.site_id}:
        raise Rejection.not_found()
    failures = _MESSAGES.where(_of_site(query.site_id), NOT_ALL_SENT, _earlier(query.before))
    return await _read(tx, failures)


def _earlier(than: UUID | None) -> sa.ColumnElement[bool]:
    if than is None:
        return sa.true()
    last = sa.select(_known.c.created_at, _known.c.id).where(_known.c.id == than)
    return sa.tuple_(message.c.created_at, message.c.id) < last.scalar_subquery()


def _of_site(site_id: UUID | None) -> sa.ColumnElement[bool]:
    return sa.true() if site_id is None else _SITE.is_not_distinct_from(site_id)


async def _read(tx: Transaction, chosen: sa.Select[Any]) -> tuple[SentMessage, ...]:
    rows = (await tx.execute(chosen)).all()
    attempts = await _attempts(tx, [row.id for row in rows])
    return tuple(
        SentMessage(
            id=row.id,
            kind=row.kind,
            family_id=row.family_id,
            student=row.student or "",
            created_at=row.created_at,
            to=row.recipients or _addresses(row),
            state=row.state,
            at=row.state_at,
            failure=row.failure,
            attempts=tuple(attempts.get(row.id, ())),
        )
        for row in rows
    )


async def _attempts(tx: Transaction, messages: Sequence[UUID]) -> dict[UUID, list[MessageAttempt]]:
    found = await tx.execute(
        sa.select(attempt).where(attempt.c.message_id.in_(messages)).order_by(attempt.c.id)
    )
    attempts: dict[UUID, list[MessageAttempt]] = {}
    for row in found:
        attempts.setdefault(row.message_id, []).append(
            MessageAttempt(at=row.attempted_at, outcome=row.outcome, answer=row.answer)
        )
    return attempts


def _addresses(row: sa.Row[Any]) -> str:
    """Name whom a message that has not left is to go to."""
    people = [row.addressee] if row.addressee else row.guardians or ()
    return in_one_line(usable_addresses(people))
