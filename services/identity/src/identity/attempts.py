"""Attempts at a password, counted by name in the database: every replica counts the same (S4)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.identity import AccountLocked
from shared.db import Database, Transaction
from shared.outbox import emit
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.accounts import Owner, keeps_password, owner_of
from identity.lockout import LOCK, LOCKED_FROM, Attempts
from identity.passwords import Passwords
from identity.tables import account, sign_in_attempt

_CHECKED_WITHIN = timedelta(seconds=15)
"""An attempt is counted before it is checked: by then the tenth has failed, or is forgotten."""


async def count_attempt(
    tx: Transaction, name_hash: bytes, account_id: UUID | None, now: datetime
) -> bool:
    """Count an attempt under a name; false where it comes too soon to be considered.

    The row is locked from its reading on, so that replicas count one after the other. A name takes
    the same statements whether or not it is an account's.
    """
    attempt = insert(sign_in_attempt).values(
        name_hash=name_hash, failures=0, last_at=now, account_id=account_id
    )
    row = (
        await tx.execute(
            attempt.on_conflict_do_update(
                index_elements=["name_hash"], set_={"account_id": attempt.excluded.account_id}
            ).returning(
                sign_in_attempt.c.failures,
                sign_in_attempt.c.last_at,
                sign_in_attempt.c.is_lock_told,
            )
        )
    ).one()
    known = Attempts(row.failures, row.last_at)
    counted = known.with_one_more(now)
    kept = counted or known
    await tx.execute(
        update(sign_in_attempt)
        .where(sign_in_attempt.c.name_hash == name_hash)
        .values(
            failures=kept.failures,
            last_at=kept.last_at,
            is_lock_told=row.is_lock_told and counted is None,
        )
    )
    return counted is not None


async def prove_password(
    database: Database, passwords: Passwords, owner: Owner, password: str
) -> None:
    """Have who is signed in prove to be the owner; raises ``wrong_password``.

    It is counted like a sign-in: who found a session open cannot guess at it. What it was asked
    for goes on with :func:`hold_proof`.
    """
    async with database.transaction() as tx:
        is_admitted = await count_attempt(tx, owner.name_hash, owner.account_id, datetime.now(UTC))
    if not await passwords.match(password, owner.password_hash if is_admitted else None):
        raise _wrong_password()


async def hold_proof(tx: Transaction, owner: Owner) -> None:
    """Hold the password that was proved until the transaction ends, and forget what failed under
    its name; raises ``wrong_password`` where it was changed meanwhile.
    """
    if not await keeps_password(tx, owner.account_id, owner.password_hash):
        raise _wrong_password()
    await forget_failures(tx, owner.name_hash)


async def forget_failures(tx: Transaction, name_hash: bytes) -> None:
    """Forget what failed under a name: neither slowed down nor locked any more."""
    await tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.name_hash == name_hash))


def _wrong_password() -> Rejection:
    return Rejection(
        "wrong_password",
        "Le mot de passe actuel ne convient pas. Vérifiez-le ; après plusieurs essais, patientez"
        " avant de recommencer.",
    )


async def tell_locks(database: Database) -> None:
    """Tell the owners of accounts that were locked, once a lock.

    Apart from the attempt that locks: its answer would take longer where there is an account.
    """
    now = datetime.now(UTC)
    locked = (
        select(sign_in_attempt.c.name_hash, sign_in_attempt.c.account_id, sign_in_attempt.c.last_at)
        .join(account, account.c.id == sign_in_attempt.c.account_id)
        .where(
            sign_in_attempt.c.failures >= LOCKED_FROM,
            sign_in_attempt.c.is_lock_told.is_(False),
            sign_in_attempt.c.last_at <= now - _CHECKED_WITHIN,
            sign_in_attempt.c.last_at > now - LOCK,
        )
        .limit(100)
        .with_for_update(of=sign_in_attempt, skip_locked=True)
    )
    async with database.transaction() as tx:
        for row in (await tx.execute(locked)).all():
            to = (await owner_of(tx, row.account_id)).addressee
            if to.email:
                locked_until = row.last_at + LOCK
                await emit(
                    tx, AccountLocked(account_id=row.account_id, to=to, locked_until=locked_until)
                )
            await tx.execute(
                update(sign_in_attempt)
                .where(sign_in_attempt.c.name_hash == row.name_hash)
                .values(is_lock_told=True)
            )
