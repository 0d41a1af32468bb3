"""What is forgotten by itself: nothing about a person is kept longer than it serves."""

from datetime import UTC, datetime

from shared.db import Database
from sqlalchemy import delete, or_

from identity.devices import REMEMBERED_FOR
from identity.links import REQUESTS_WITHIN
from identity.lockout import LOCK
from identity.tables import link_request, mailed_link, session, sign_in_attempt


async def forget_attempts(database: Database) -> None:
    """Forget the failures of names that were left alone for as long as the longest lock."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await tx.execute(delete(sign_in_attempt).where(sign_in_attempt.c.last_at <= now - LOCK))


async def forget_links(database: Database) -> None:
    """Forget the links that are over, and who asked for some."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await tx.execute(delete(mailed_link).where(mailed_link.c.expires_at <= now))
        await tx.execute(
            delete(link_request).where(
                link_request.c.since <= now - REQUESTS_WITHIN, link_request.c.is_pending.is_(False)
            )
        )


async def forget_sessions(database: Database) -> None:
    """Forget sessions that are over, once no token of theirs could be valid."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await tx.execute(
            delete(session).where(
                or_(session.c.expires_at <= now, session.c.ended_at <= now - REMEMBERED_FOR)
            )
        )
