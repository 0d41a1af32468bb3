"""A message is written down by the reaction that calls for it, in its own transaction."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from pydantic_core import to_jsonable_python
from shared.contracts.notifications import MessageKind
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import message

_MESSAGES = UUID("6c1f0a52-6f0e-5d8b-9a55-3f6d0c0f5b1e")


async def queue_message(
    tx: Transaction,
    kind: MessageKind,
    about: str,
    occurrence: Occurrence,
    *,
    content: dict[str, object],
    **columns: object,
) -> None:
    """Have a message sent: one of its kind for each ``about``, whatever is repeated.

    ``content`` is what its matter says beyond the names and dates that are looked up when it
    leaves; ``columns`` are those of the table: ``family_id`` at least.
    """
    now = datetime.now(UTC)
    await tx.execute(
        insert(message)
        .values(
            id=uuid5(_MESSAGES, f"{kind}:{about}"),
            kind=kind,
            content=to_jsonable_python(content),
            correlation_id=occurrence.correlation_id,
            created_at=now,
            state="waiting",
            state_at=now,
            due_at=now,
            **columns,
        )
        .on_conflict_do_nothing()
    )
