"""A message is written down by the reaction that calls for it, in its own transaction."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from pydantic_core import to_jsonable_python
from shared.contracts.notifications import MessageKind
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from notifications.digest import NEWS, leaves_at
from notifications.erasure import is_erased
from notifications.tables import HAS_LEFT, message

_MESSAGES = UUID("6c1f0a52-6f0e-5d8b-9a55-3f6d0c0f5b1e")


def message_id(kind: MessageKind, about: str) -> UUID:
    """Give the identifier of the one message of its kind about this."""
    return uuid5(_MESSAGES, f"{kind}:{about}")


async def queue_message(
    tx: Transaction,
    kind: MessageKind,
    about: str,
    occurrence: Occurrence,
    *,
    family_id: UUID,
    content: dict[str, object],
    **columns: object,
) -> None:
    """Have a message sent: one of its kind for each ``about``, whatever is repeated.

    ``content`` is what its matter says beyond the names and dates that are looked up when it
    leaves; ``columns`` are those of the table. News may have to wait, to leave with other news.
    Nothing is sent to a family that was erased.
    """
    if await is_erased(tx, family_id):
        return
    now = datetime.now(UTC)
    last_left_at = await _last_news_at(tx, family_id) if kind in NEWS else None
    await tx.execute(
        insert(message)
        .values(
            id=message_id(kind, about),
            kind=kind,
            content=to_jsonable_python(content),
            correlation_id=occurrence.correlation_id,
            created_at=now,
            state="waiting",
            state_at=now,
            due_at=leaves_at(last_left_at, now),
            family_id=family_id,
            **columns,
        )
        .on_conflict_do_nothing()
    )


async def _last_news_at(tx: Transaction, family_id: UUID) -> datetime | None:
    last_left_at: datetime | None = await tx.scalar(
        select(func.max(message.c.state_at)).where(
            message.c.family_id == family_id, message.c.kind.in_(NEWS), HAS_LEFT
        )
    )
    return last_left_at
