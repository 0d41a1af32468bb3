"""Sessions opened, renewed and ended."""

from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller, TokenSigner
from shared.contract import Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import RefreshSession, SignIn, SignOut
from shared.db import Database, Transaction
from shared.identifiers import new_id
from shared.observability import get_logger
from sqlalchemy import insert, select, update

from identity.accounts import account_named, keeps_password, name_hash
from identity.attempts import count_attempt, forget_failures
from identity.devices import end_sessions
from identity.passwords import Passwords
from identity.sessions import (
    ACCESS_LIFE,
    RefreshToken,
    Session,
    Use,
    expiry,
    judge,
    new_seed,
)
from identity.tables import account, guardian, session

log = get_logger()


def _wrong_credentials() -> Rejection:
    return Rejection(
        "wrong_credentials",
        "Le site, l'identifiant ou le mot de passe ne convient pas. Vérifiez-les. À partir de cinq"
        " échecs, patientez avant de recommencer ; à partir de dix, une heure. « Mot de passe"
        " oublié ? » permet d'entrer sans attendre.",
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
    counted_by = name_hash(command.site_id, command.username)
    with passwords.turn():
        async with database.transaction() as tx:
            account_id, known = await account_named(tx, command.site_id, command.username)
            is_admitted = await count_attempt(tx, counted_by, account_id, now)
        is_right = await passwords.match(command.password, known if is_admitted else None)
    if account_id is None or not is_right:
        raise _wrong_credentials()
    async with database.transaction() as tx:
        if not await keeps_password(tx, account_id, known):
            raise _wrong_credentials()
        await forget_failures(tx, counted_by)
        return await _open_session(tx, account_id, command.device, signer, now)


async def _open_session(
    tx: Transaction, account_id: UUID, device: str, signer: TokenSigner, now: datetime
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
            device=device,
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
            await end_sessions(tx, row.account_id, this_session)
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
    """End the caller's session; who verifies tokens is told to take no more of its."""
    await end_sessions(tx, caller.account_id, session.c.id == caller.session_id)
