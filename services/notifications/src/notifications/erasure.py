"""The erasure of a family (S96): it is known here no more, and nothing more is written to it."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from shared.contracts.identity import FamilyErased
from shared.contracts.notifications import FamilyMessagesErased
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import (
    application,
    family,
    message,
    missing_pieces,
    remarks,
    reminder,
    reminder_refusal,
)

LAST_REVISION: Final = 2**63 - 1
"""No record of a family is newer: what is told of it late is not kept."""

_NOBODY: Final[dict[str, object]] = {
    "site_id": None,
    "revision": LAST_REVISION,
    "guardians": [],
    "students": {},
    "language": "fr",
}


async def erase_family(event: FamilyErased, tx: Transaction) -> None:
    """Forget a family with its messages, their addresses and attempts, and say so.

    Its identifier alone stays, by which what comes late is known to be of an erased family.
    """
    # the family first, then its messages: in the order of what records it
    erased = insert(family).values(id=event.family_id, **_NOBODY)
    await tx.execute(erased.on_conflict_do_update(index_elements=["id"], set_=_NOBODY))
    for table in (reminder, message, application, missing_pieces, remarks, reminder_refusal):
        await tx.execute(delete(table).where(table.c.family_id == event.family_id))
    await emit(tx, FamilyMessagesErased(family_id=event.family_id, erased_at=datetime.now(UTC)))


async def is_erased(tx: Transaction, family_id: UUID) -> bool:
    """Tell whether a family was erased; one that is known stays so until the transaction ends."""
    revision = await tx.scalar(
        select(family.c.revision).where(family.c.id == family_id).with_for_update(read=True)
    )
    return revision == LAST_REVISION
