"""Passwords changed while signed in, or chosen anew by a mailed link (S4)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection, marked
from shared.contracts.accounts import ResetLink
from shared.contracts.identity import (
    ChangePassword,
    PasswordChanged,
    PasswordResetOpened,
    ReadResetLink,
    RequestPasswordReset,
    ResetPassword,
)
from shared.db import Database, Transaction
from shared.observability import correlated
from shared.outbox import emit
from sqlalchemy import ColumnElement, select, update

from identity.accounts import (
    Owner,
    account_named,
    name_hash,
    own_words,
    owner_of,
)
from identity.attempts import forget_failures, hold_proof, prove_password
from identity.devices import end_sessions
from identity.links import (
    Link,
    count_request,
    drop_links,
    link_expired,
    open_link,
    read_link,
    use_link,
)
from identity.passwords import Passwords
from identity.strength import SHORTEST, Weakness
from identity.tables import account, link_request, session

_LINKS_AT_ONCE = 100
_WEAK: dict[Weakness, str] = {
    "password_too_short": marked(
        "Le mot de passe est trop court : %(shortest)s caractères au moins."
    ),
    "password_too_common": marked(
        "Ce mot de passe est trop facile à deviner. Évitez les mots courants, les noms, les dates"
        " et les suites de touches ; quatre mots sans rapport entre eux conviennent bien."
    ),
}


async def change_password(
    command: ChangePassword, caller: Caller, database: Database, passwords: Passwords
) -> None:
    """Replace the caller's password, and end their other sessions."""
    with passwords.turn():
        async with database.transaction() as tx:
            owner = await owner_of(tx, caller.account_id)
            words = await own_words(tx, owner)
        await _require_strong(passwords, command.new_password, words)
        await prove_password(database, passwords, owner, command.current_password)
        new_hash = await passwords.hash(command.new_password)
    async with database.transaction() as tx:
        await hold_proof(tx, owner)
        await _set_password(tx, owner, new_hash, session.c.id != caller.session_id)


async def request_password_reset(command: RequestPasswordReset, tx: Transaction) -> None:
    """Write down that a link is asked for under a name, whether or not it is an account's.

    That is all it does: :func:`mail_reset_links` does what only an account has, apart.
    """
    account_id, _ = await account_named(tx, command.site_id, command.username)
    key_hash = name_hash(command.site_id, command.username)
    await count_request(tx, key_hash, datetime.now(UTC), mails_link_to=account_id)


async def mail_reset_links(database: Database) -> None:
    """Have the links mailed that were asked for, to those who have an account and an e-mail."""
    now = datetime.now(UTC)
    pending = (
        select(link_request.c.key_hash, link_request.c.correlation_id, account.c.id)
        .outerjoin(account, account.c.id == link_request.c.account_id)
        .where(link_request.c.is_pending)
        .limit(_LINKS_AT_ONCE)
        .with_for_update(of=link_request, skip_locked=True)
    )
    async with database.transaction() as tx:
        for row in (await tx.execute(pending)).all():
            with correlated(row.correlation_id):
                if row.id is not None:
                    await _open_reset(tx, await owner_of(tx, row.id), now)
            await tx.execute(
                update(link_request)
                .where(link_request.c.key_hash == row.key_hash)
                .values(is_pending=False)
            )


async def read_reset_link(query: ReadResetLink, tx: Transaction) -> ResetLink:
    """Answer whose password a link changes; the link stays good, whoever opens it."""
    link = await read_link(tx, "password_reset", query.token, datetime.now(UTC))
    owner = await _owner_reached(tx, link)
    return ResetLink(username=owner.username, site_id=owner.site_id, expires_at=link.expires_at)


async def reset_password(command: ResetPassword, database: Database, passwords: Passwords) -> None:
    """Set the password that a link's bearer chose; every session ends, and so does a lock.

    A password that is refused leaves the link good for another.
    """
    with passwords.turn():
        async with database.transaction() as tx:
            link = await read_link(tx, "password_reset", command.token, datetime.now(UTC))
            words = await own_words(tx, await _owner_reached(tx, link))
        await _require_strong(passwords, command.new_password, words)
        new_hash = await passwords.hash(command.new_password)
    async with database.transaction() as tx:
        link = await use_link(tx, "password_reset", command.token, datetime.now(UTC))
        await _set_password(tx, await _owner_reached(tx, link), new_hash)


async def _require_strong(passwords: Passwords, password: str, words: Sequence[str]) -> None:
    weak = await passwords.weakness(password, words)
    if weak is not None:
        raise Rejection(weak, _WEAK[weak], shortest=SHORTEST)


async def _owner_reached(tx: Transaction, link: Link) -> Owner:
    """Give whose password a link changes; one mailed to an address that is no longer on file is
    over: it may be in someone else's hands.
    """
    owner = await owner_of(tx, link.account_id)
    if owner.addressee.email != link.email:
        raise link_expired()
    return owner


async def _open_reset(tx: Transaction, owner: Owner, now: datetime) -> None:
    to = owner.addressee
    if not to.email:
        return
    token, expires_at = await open_link(tx, owner.account_id, "password_reset", now, email=to.email)
    await emit(
        tx,
        PasswordResetOpened(account_id=owner.account_id, to=to, token=token, expires_at=expires_at),
    )


async def _set_password(
    tx: Transaction, owner: Owner, password_hash: str, *ended: ColumnElement[bool]
) -> None:
    """Set a password, with all that goes with it: no link, no lock, no other session is left."""
    await tx.execute(
        update(account).where(account.c.id == owner.account_id).values(password_hash=password_hash)
    )
    await drop_links(tx, owner.account_id)
    await forget_failures(tx, owner.name_hash)
    await end_sessions(tx, owner.account_id, *ended)
    to = owner.addressee
    if to.email:
        changed_at = datetime.now(UTC)
        await emit(tx, PasswordChanged(account_id=owner.account_id, to=to, changed_at=changed_at))
