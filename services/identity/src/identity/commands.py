"""What identity is asked to do: open, renew and end sessions; record what a family declares."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller, TokenSigner
from shared.contract import Rejection
from shared.contracts.identity import (
    Guardian,
    RefreshSession,
    SignedIn,
    SignIn,
    SignOut,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.db import Database, Transaction
from shared.identifiers import new_id
from shared.observability import get_logger
from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from identity.contact_details import Details, as_recorded, differing
from identity.families import Person, people, tell_families
from identity.lockout import Attempts
from identity.passwords import Passwords, plain_username
from identity.sessions import (
    ACCESS_LIFE,
    RefreshToken,
    Session,
    Use,
    expiry,
    judge,
    new_seed,
)
from identity.tables import (
    account,
    contact_change,
    family,
    guardian,
    session,
    sign_in_attempt,
    student,
)

log = get_logger()


def _wrong_credentials() -> Rejection:
    return Rejection(
        "wrong_credentials",
        "Le site, l'identifiant ou le mot de passe ne convient pas. Vérifiez-les ; après plusieurs"
        " essais, patientez avant de recommencer : jusqu'à une heure après dix échecs.",
        status=401,
    )


def _session_expired() -> Rejection:
    return Rejection("session_expired", "Votre session a expiré. Reconnectez-vous.", status=401)


async def sign_in(
    command: SignIn, database: Database, passwords: Passwords, signer: TokenSigner
) -> SignedIn:
    """Open a session, or refuse without telling what was wrong, nor whether it was too soon.

    Every refusal takes the same steps: the attempt is counted and committed, one hash is checked
    while no connection is held.
    """
    now = datetime.now(UTC)
    username = plain_username(command.username)
    name_hash = hashlib.sha256(f"{command.site_id}/{username}".encode()).digest()
    with passwords.turn():
        async with database.transaction() as tx:
            is_admitted = await _count_attempt(tx, name_hash, now)
            found = await _account_named(tx, command.site_id, username)
        password_hash = found.password_hash if is_admitted and found else None
        is_right = await passwords.match(command.password, password_hash)
    if found is None or not is_right:
        raise _wrong_credentials()
    async with database.transaction() as tx:
        await tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.name_hash == name_hash))
        return await _open_session(tx, found.id, signer, now)


@dataclass(frozen=True, slots=True)
class _Account:
    id: UUID
    password_hash: str | None


async def _account_named(tx: Transaction, site_id: UUID, username: str) -> _Account | None:
    found = await tx.execute(
        select(account.c.id, account.c.password_hash).where(
            account.c.site_id == site_id, account.c.username == username
        )
    )
    row = found.one_or_none()
    return _Account(*row) if row else None


async def _count_attempt(tx: Transaction, name_hash: bytes, now: datetime) -> bool:
    """Count an attempt under a name; false where it comes too soon to be considered.

    The row is locked from its reading on, so that replicas count one after the other.
    """
    untouched = {"failures": sign_in_attempt.c.failures}
    row = (
        await tx.execute(
            upsert(sign_in_attempt)
            .values(name_hash=name_hash, failures=0, last_at=now)
            .on_conflict_do_update(index_elements=["name_hash"], set_=untouched)
            .returning(sign_in_attempt.c.failures, sign_in_attempt.c.last_at)
        )
    ).one()
    known = Attempts(row.failures, row.last_at)
    counted = known.with_one_more(now)
    kept = counted or known
    await tx.execute(
        update(sign_in_attempt)
        .where(sign_in_attempt.c.name_hash == name_hash)
        .values(failures=kept.failures, last_at=kept.last_at)
    )
    return counted is not None


async def _open_session(
    tx: Transaction, account_id: UUID, signer: TokenSigner, now: datetime
) -> SignedIn:
    token = RefreshToken.mint(new_id())
    await tx.execute(
        insert(session).values(
            id=token.session_id,
            account_id=account_id,
            token_hash=token.hash,
            opened_at=now,
            rotated_at=now,
            expires_at=expiry(now, now),
        )
    )
    return await _signed_in(tx, token, signer, now)


async def refresh_session(
    command: RefreshSession, database: Database, signer: TokenSigner
) -> SignedIn:
    """Replace a session's tokens; a replaced token that comes back late ends the session."""
    now = datetime.now(UTC)
    token = RefreshToken.read(command.refresh_token)
    if token is None:
        raise _session_expired()
    async with database.transaction() as tx:
        successor = await _replace_token(tx, token, now)
        signed_in = await _signed_in(tx, successor, signer, now) if successor else None
    if signed_in is None:
        raise _session_expired()
    return signed_in


async def _replace_token(
    tx: Transaction, token: RefreshToken, now: datetime
) -> RefreshToken | None:
    """Give the token that follows; none where the session is over."""
    this_session = session.c.id == token.session_id
    row = (await tx.execute(select(session).where(this_session).with_for_update())).one_or_none()
    if row is None:
        return None
    known = Session(
        token_hash=row.token_hash,
        previous_token_hash=row.previous_token_hash,
        rotated_at=row.rotated_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
    match judge(known, token.hash, now):
        case Use.OVER:
            return None
        case Use.REPLAY:
            log.warning("session ended: a replaced token came back", session=str(token.session_id))
            await tx.execute(update(session).where(this_session).values(ended_at=now))
            return None
        case Use.TWIN:
            return token.successor(row.rotation_seed)
        case Use.RENEWS:
            seed = new_seed()
            successor = token.successor(seed)
            await tx.execute(
                update(session)
                .where(this_session)
                .values(
                    token_hash=successor.hash,
                    previous_token_hash=token.hash,
                    rotation_seed=seed,
                    rotated_at=now,
                    expires_at=expiry(row.opened_at, now),
                )
            )
            return successor


async def _signed_in(
    tx: Transaction, token: RefreshToken, signer: TokenSigner, now: datetime
) -> SignedIn:
    row = (
        await tx.execute(
            select(
                session.c.account_id,
                session.c.expires_at,
                account.c.site_id,
                guardian.c.family_id,
                guardian.c.details,
            )
            .join_from(session, account)
            .join(guardian)
            .where(session.c.id == token.session_id)
        )
    ).one()
    name = (row.details[part] for part in ("civility", "last_name", "first_name"))
    caller = Caller(
        account_id=row.account_id,
        session_id=token.session_id,
        role="family",
        name=" ".join(filter(None, name)),
        site_id=row.site_id,
        family_id=row.family_id,
    )
    return SignedIn(
        access_token=signer.sign(caller, now, ACCESS_LIFE),
        access_expires_at=now + ACCESS_LIFE,
        refresh_token=token.text,
        refresh_expires_at=row.expires_at,
    )


async def sign_out(_: SignOut, caller: Caller, tx: Transaction) -> None:
    """End the caller's session; access tokens already out live their ten minutes at most."""
    await tx.execute(
        update(session)
        .where(session.c.id == caller.session_id, session.c.ended_at.is_(None))
        .values(ended_at=datetime.now(UTC))
    )


async def update_guardian(command: UpdateGuardian, caller: Caller, tx: Transaction) -> Guardian:
    """Replace the details of a guardian of the caller's family."""
    now = datetime.now(UTC)
    declared = as_recorded(command.details)
    person = await _declare(tx, caller, guardian, command.guardian_id, declared, now)
    return person.as_guardian()


async def update_student(command: UpdateStudent, caller: Caller, tx: Transaction) -> Student:
    """Replace the details of a student of the caller's family."""
    now = datetime.now(UTC)
    declared = as_recorded(command.details)
    person = await _declare(tx, caller, student, command.student_id, declared, now)
    return person.as_student()


async def _declare(
    tx: Transaction,
    caller: Caller,
    table: Table,
    person_id: UUID,
    declared: Details,
    now: datetime,
) -> Person:
    """Keep what a family declares of one of its own, with who changed what and when."""
    family_id = caller.family()
    # one change of a family at a time: its revisions follow each other
    await tx.execute(select(family.c.id).where(family.c.id == family_id).with_for_update())
    its_own = (table.c.id == person_id) & (table.c.family_id == family_id)
    found = await people(tx, table, its_own)
    if not found:
        raise Rejection.not_found()
    (before,) = found
    after = Person(person_id, family_id, declared, before.imported)
    fields = differing(before.details, declared)
    if not fields:
        return after
    await tx.execute(update(table).where(table.c.id == person_id).values(details=declared))
    await tx.execute(
        insert(contact_change),
        [
            {
                "id": new_id(),
                "family_id": family_id,
                "record": table.name,
                "record_id": person_id,
                "field": field,
                "old_value": before.details.get(field, ""),
                "new_value": declared[field],
                "changed_by": caller.account_id,
                "changed_at": now,
            }
            for field in fields
        ],
    )
    await tell_families(tx, [family_id])
    return after
