"""Mailed links: random, single-use, good for an hour, the newest of a kind alone (S4).

What is stored of a link is a hash: who reads the table can follow none.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.contract import Rejection
from shared.db import Transaction
from shared.observability import correlation_id
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.tables import link_request, mailed_link

LINK_LIFE = timedelta(minutes=60)
REQUESTS_AT_MOST = 3
REQUESTS_WITHIN = timedelta(hours=1)

_TOKEN_BYTES = 32

type Purpose = Literal["password_reset", "email_change"]


@dataclass(frozen=True, slots=True)
class Requests:
    """How many links were asked for, since the first of them."""

    times: int
    since: datetime

    def with_one_more(self, now: datetime) -> "Requests | None":
        """Count a request; None where there were enough of them for now."""
        if now - self.since >= REQUESTS_WITHIN:
            return Requests(1, now)
        if self.times >= REQUESTS_AT_MOST:
            return None
        return Requests(self.times + 1, self.since)


@dataclass(frozen=True, slots=True)
class Link:
    """Whose account a link is for, and the address that it was mailed to."""

    account_id: UUID
    email: str = field(repr=False)
    expires_at: datetime


def new_token() -> str:
    """Draw a token of 256 bits, as it travels in an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Give what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def link_expired() -> Rejection:
    """Refuse a link that was used, replaced by a newer one, left too long, or never was."""
    return Rejection(
        "link_expired",
        "Ce lien n'est plus valable : il a déjà servi, un plus récent l'a remplacé, ou il date de"
        " plus d'une heure.",
        status=410,
    )


async def count_request(
    tx: Transaction, key_hash: bytes, now: datetime, *, mails_link_to: UUID | None
) -> bool:
    """Count a request for a link; false where there were enough of them.

    A link is then due to the account ``mails_link_to``, for whoever mails them. The statements are
    the same whether or not there is one.
    """
    request = insert(link_request).values(
        key_hash=key_hash, times=0, since=now, is_pending=False, correlation_id=""
    )
    row = (
        await tx.execute(
            request.on_conflict_do_update(
                index_elements=["key_hash"], set_={"times": link_request.c.times}
            ).returning(link_request.c.times, link_request.c.since, link_request.c.is_pending)
        )
    ).one()
    known = Requests(row.times, row.since)
    counted = known.with_one_more(now)
    kept = counted or known
    await tx.execute(
        update(link_request)
        .where(link_request.c.key_hash == key_hash)
        .values(
            times=kept.times,
            since=kept.since,
            account_id=mails_link_to,
            is_pending=row.is_pending or counted is not None,
            correlation_id=correlation_id(),
        )
    )
    return counted is not None


async def open_link(
    tx: Transaction, account_id: UUID, purpose: Purpose, now: datetime, *, email: str
) -> tuple[str, datetime]:
    """Give a new link's token and its end; those mailed before for this purpose are dead."""
    token, expires_at = new_token(), now + LINK_LIFE
    link = {"token_hash": token_hash(token), "email": email, "expires_at": expires_at}
    await tx.execute(
        insert(mailed_link)
        .values(account_id=account_id, purpose=purpose, **link)
        .on_conflict_do_update(index_elements=["account_id", "purpose"], set_=link)
    )
    return token, expires_at


async def read_link(tx: Transaction, purpose: Purpose, token: str, now: datetime) -> Link:
    """Give what a link is good for, and leave it as it is; raises ``link_expired``."""
    found = await tx.execute(
        select(mailed_link.c.account_id, mailed_link.c.email, mailed_link.c.expires_at).where(
            mailed_link.c.token_hash == token_hash(token),
            mailed_link.c.purpose == purpose,
            mailed_link.c.expires_at > now,
        )
    )
    row = found.one_or_none()
    if row is None:
        raise link_expired()
    return Link(*row)


async def use_link(tx: Transaction, purpose: Purpose, token: str, now: datetime) -> Link:
    """Give what a link is good for, once: of two at the same moment one is refused."""
    found = await tx.execute(
        delete(mailed_link)
        .where(
            mailed_link.c.token_hash == token_hash(token),
            mailed_link.c.purpose == purpose,
            mailed_link.c.expires_at > now,
        )
        .returning(mailed_link.c.account_id, mailed_link.c.email, mailed_link.c.expires_at)
    )
    row = found.one_or_none()
    if row is None:
        raise link_expired()
    return Link(*row)


async def drop_links(tx: Transaction, account_id: UUID) -> None:
    """Have the links that were mailed for an account lead nowhere any more."""
    await tx.execute(delete(mailed_link).where(mailed_link.c.account_id == account_id))
