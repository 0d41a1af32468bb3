"""The devices that an account is signed in on: sessions, listed, ended one by one or together."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.accounts import OpenSession
from shared.contracts.identity import (
    EndOtherSessions,
    EndSession,
    ListSessions,
    RecentlyEndedSessions,
    SessionsEnded,
)
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import ColumnElement, select, update

from identity.sessions import ACCESS_LIFE
from identity.tables import session

REMEMBERED_FOR = ACCESS_LIFE + timedelta(minutes=1)
"""How long an ended session is told of: by then no token of its is valid on any clock."""


async def list_sessions(
    _: ListSessions, caller: Caller, tx: Transaction
) -> tuple[OpenSession, ...]:
    """Answer the caller's sessions that are open at this moment."""
    rows = await tx.execute(
        select(session)
        .where(
            session.c.account_id == caller.account_id,
            session.c.ended_at.is_(None),
            session.c.expires_at > datetime.now(UTC),
        )
        .order_by((session.c.id == caller.session_id).desc(), session.c.rotated_at.desc())
    )
    return tuple(
        OpenSession(
            id=row.id,
            device=row.device,
            opened_at=row.opened_at,
            last_seen_at=row.rotated_at,
            is_this_one=row.id == caller.session_id,
        )
        for row in rows
    )


async def end_session(command: EndSession, caller: Caller, tx: Transaction) -> None:
    """Sign one of the caller's sessions out; one that is over already is left as it is."""
    its_own = (session.c.account_id == caller.account_id) & (session.c.id == command.session_id)
    if await tx.scalar(select(session.c.id).where(its_own)) is None:
        raise Rejection.not_found()
    await end_sessions(tx, caller.account_id, session.c.id == command.session_id)


async def end_other_sessions(_: EndOtherSessions, caller: Caller, tx: Transaction) -> None:
    """Sign the caller out everywhere but here."""
    await end_sessions(tx, caller.account_id, session.c.id != caller.session_id)


async def recently_ended_sessions(_: RecentlyEndedSessions, tx: Transaction) -> tuple[UUID, ...]:
    """Answer the sessions whose access tokens would still be valid, had they not been ended."""
    ended = await tx.scalars(
        select(session.c.id).where(session.c.ended_at > datetime.now(UTC) - REMEMBERED_FOR)
    )
    return tuple(ended)


async def end_sessions(tx: Transaction, account_id: UUID, *which: ColumnElement[bool]) -> None:
    """End an account's sessions, all or those ``which`` says, and tell who verifies tokens."""
    now = datetime.now(UTC)
    ended = await tx.scalars(
        update(session)
        .where(session.c.account_id == account_id, session.c.ended_at.is_(None), *which)
        .values(ended_at=now)
        .returning(session.c.id)
    )
    if session_ids := tuple(ended):
        await emit(tx, SessionsEnded(account_id=account_id, session_ids=session_ids, ended_at=now))
