"""A guardian's e-mail, changed once the new address has answered (S4)."""

import hashlib
from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.accounts import EmailLink
from shared.contracts.identity import (
    ConfirmEmailChange,
    EmailChangeOpened,
    ReadEmailLink,
    RequestEmailChange,
)
from shared.db import Database, Transaction
from shared.outbox import emit

from identity.accounts import Owner, owner_of
from identity.attempts import hold_proof, prove_password
from identity.declarations import Author, declare_guardian
from identity.links import count_request, open_link, read_link, use_link
from identity.passwords import Passwords


async def request_email_change(
    command: RequestEmailChange, caller: Caller, database: Database, passwords: Passwords
) -> None:
    """Have a link mailed to the new address; nothing else changes.

    The current password is asked for: who gets the mail can choose a forgotten one anew.
    """
    with passwords.turn():
        async with database.transaction() as tx:
            owner = await owner_of(tx, caller.account_id)
        await prove_password(database, passwords, owner, command.current_password)
    async with database.transaction() as tx:
        await hold_proof(tx, owner)
        is_mailed = await _open_change(tx, owner, command.email, datetime.now(UTC))
    # refused once the proof is recorded: asking too often is no failure
    if not is_mailed:
        raise Rejection(
            "too_many_requests",
            "Vous avez déjà demandé plusieurs liens. Regardez vos e-mails, indésirables compris, ou"
            " recommencez dans une heure.",
            status=429,
        )


async def _open_change(tx: Transaction, owner: Owner, email: str, now: datetime) -> bool:
    key_hash = hashlib.sha256(f"email/{owner.account_id}".encode()).digest()
    if not await count_request(tx, key_hash, now, mails_link_to=None):
        return False
    token, expires_at = await open_link(tx, owner.account_id, "email_change", now, email=email)
    to = owner.addressee.model_copy(update={"email": email})
    await emit(
        tx,
        EmailChangeOpened(account_id=owner.account_id, to=to, token=token, expires_at=expires_at),
    )
    return True


async def read_email_link(query: ReadEmailLink, tx: Transaction) -> EmailLink:
    """Answer which address a link confirms; the link stays good, whoever opens it."""
    link = await read_link(tx, "email_change", query.token, datetime.now(UTC))
    return EmailLink(email=link.email, expires_at=link.expires_at)


async def confirm_email_change(command: ConfirmEmailChange, tx: Transaction) -> None:
    """Write to the guardian at the address that got the link, from now on."""
    link = await use_link(tx, "email_change", command.token, datetime.now(UTC))
    owner = await owner_of(tx, link.account_id)
    author = Author(owner.account_id, owner.family_id)
    await declare_guardian(
        tx, author, owner.guardian_id, lambda person: person.details | {"email": link.email}
    )
