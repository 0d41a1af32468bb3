"""Accounts: whose they are, what they are called, and how to write to their owner."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.accounts import Account
from shared.contracts.identity import Addressee, MyAccount
from shared.contracts.people import GuardianDetails
from shared.db import Transaction
from sqlalchemy import select

from identity.contact_details import Details, in_order
from identity.passwords import plain_username
from identity.tables import account, family, guardian, mailed_link, site, student


@dataclass(frozen=True, slots=True)
class Owner:
    """An account, and the guardian who signs in with it."""

    account_id: UUID
    guardian_id: UUID
    family_id: UUID
    site_id: UUID
    username: str
    details: Details
    password_hash: str | None = field(repr=False)

    @property
    def name_hash(self) -> bytes:
        """What attempts and requests under this account's name are counted by."""
        return name_hash(self.site_id, self.username)

    @property
    def addressee(self) -> Addressee:
        """Whom to write to; the e-mail may be empty."""
        return addressee(self.details, self.family_id, self.site_id)


def name_hash(site_id: UUID, username: str) -> bytes:
    """Give what is kept of a name that was typed: enough to count by, nothing to read."""
    return hashlib.sha256(f"{site_id}/{plain_username(username)}".encode()).digest()


def addressee(details: Details, family_id: UUID, site_id: UUID) -> Addressee:
    """Give a guardian as a letter addresses them."""
    known = in_order(GuardianDetails, details)
    name = f"{known['first_name']} {known['last_name']}".strip()
    return Addressee(name=name, email=known["email"], family_id=family_id, site_id=site_id)


async def account_named(
    tx: Transaction, site_id: UUID, username: str
) -> tuple[UUID | None, str | None]:
    """Give a name's account and the hash of its password; neither where there is none."""
    found = await tx.execute(
        select(account.c.id, account.c.password_hash).where(
            account.c.site_id == site_id, account.c.username == plain_username(username)
        )
    )
    row = found.one_or_none()
    return (row.id, row.password_hash) if row else (None, None)


async def keeps_password(tx: Transaction, account_id: UUID, password_hash: str | None) -> bool:
    """Tell whether the password that was checked is still the account's, and hold it so until the
    transaction ends: one changed meanwhile opens nothing.
    """
    found = await tx.execute(
        select(account.c.id)
        .where(account.c.id == account_id, account.c.password_hash == password_hash)
        .with_for_update(key_share=True)
    )
    return found.one_or_none() is not None


async def owner_of(tx: Transaction, account_id: UUID) -> Owner:
    """Give an account with its owner; raises ``not_found``."""
    found = await tx.execute(
        select(
            account.c.id,
            account.c.guardian_id,
            guardian.c.family_id,
            account.c.site_id,
            account.c.username,
            guardian.c.details,
            account.c.password_hash,
        )
        .join_from(account, guardian)
        .where(account.c.id == account_id)
    )
    row = found.one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Owner(*row)


async def own_words(tx: Transaction, owner: Owner) -> tuple[str, ...]:
    """Give the words that someone who knows the family would try first in a password."""
    guardian_names = (owner.details.get(name, "") for name in ("first_name", "last_name", "email"))
    students = await tx.execute(
        select(student.c.details["first_name"].astext, student.c.details["last_name"].astext).where(
            student.c.family_id == owner.family_id
        )
    )
    places = await tx.execute(
        select(family.c.name, site.c.name, site.c.town)
        .join_from(family, site)
        .where(family.c.id == owner.family_id)
    )
    found = (owner.username, *guardian_names, *(text for row in students for text in row))
    return tuple(filter(None, (*found, *(text for row in places for text in row))))


async def my_account(_: MyAccount, caller: Caller, tx: Transaction) -> Account:
    """Answer the caller's own account, and the address that waits to be confirmed."""
    owner = await owner_of(tx, caller.account_id)
    waiting = await tx.scalar(
        select(mailed_link.c.email).where(
            mailed_link.c.account_id == owner.account_id,
            mailed_link.c.purpose == "email_change",
            mailed_link.c.expires_at > datetime.now(UTC),
        )
    )
    email = owner.details.get("email", "")
    return Account(username=owner.username, email=email, new_email=waiting or "")
