"""The erasure of a family (S96): asked by an event, done when the store lets it, then told.

Asked, it closes every document at once: from then on nobody reads them. Its family is remembered
by its identifier alone, so that what is told of it late is not kept again. The rows go with the
files, in the end: until then they say what is left to do, whatever stops in between.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from shared.contracts.documents import FamilyDocumentsErased
from shared.db import Database, Transaction
from shared.observability import get_logger
from shared.outbox import emit
from sqlalchemy import ColumnElement, and_, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from documents import changes
from documents.erasure import purge
from documents.records import UPLOAD, lock_family
from documents.store import TICKET_LIFE, ObjectStore, or_later
from documents.tables import (
    declined_piece,
    document,
    erasure,
    family,
    student,
    student_disciplines,
    told_pieces,
)
from documents.uploads import ENDED, Upload

log = get_logger()

_LAST_SENDING = TICKET_LIFE * 3
"""What may still be on its way when the erasure is asked: a ticket's life, and a slow line's."""


async def find_erased(tx: Transaction, family_ids: Iterable[UUID]) -> set[UUID]:
    """Give those of these families that were erased, or are being; until the end of the
    transaction no other is.
    """
    await tx.execute(text("LOCK TABLE erasure IN SHARE MODE"))
    found = await tx.scalars(
        select(erasure.c.family_id).where(erasure.c.family_id.in_(list(family_ids)))
    )
    return set(found)


async def begin_erasure(
    tx: Transaction, family_id: UUID, student_ids: Sequence[UUID], now: datetime
) -> None:
    """Close all that concerns a family and forget who it is; asked again it changes nothing."""
    await tx.execute(
        insert(erasure)
        .values(family_id=family_id, student_ids=list(student_ids), asked_at=now)
        .on_conflict_do_nothing()
    )
    await lock_family(tx, family_id)
    await tx.execute(delete(student).where(student.c.family_id == family_id))
    await tx.execute(delete(told_pieces).where(told_pieces.c.family_id == family_id))
    await tx.execute(delete(declined_piece).where(declined_piece.c.family_id == family_id))
    await tx.execute(delete(family).where(family.c.id == family_id))
    orphaned = and_(
        student_disciplines.c.student_id.in_(student_ids),
        student_disciplines.c.student_id.not_in(select(student.c.id)),
    )
    await tx.execute(delete(student_disciplines).where(orphaned))
    left = await _find(tx, _concerning(family_id, student_ids))
    await changes.end(tx, [one for one in left if one.state not in ENDED], "removed", now)


async def finish_erasures(database: Database, store: ObjectStore) -> None:
    """Finish the erasures that were asked long enough ago."""
    with or_later("the erasure of families"):
        await finish_asked_by(datetime.now(UTC) - _LAST_SENDING, database, store)


async def finish_asked_by(instant: datetime, database: Database, store: ObjectStore) -> None:
    """Purge what concerns the families whose erasure was asked before an instant, and say so.

    What was on its way to the store when it was asked has to have arrived.
    """
    async with database.transaction() as tx:
        asked = await tx.execute(
            select(erasure.c.family_id, erasure.c.student_ids).where(
                erasure.c.done_at.is_(None), erasure.c.asked_at <= instant
            )
        )
        families = [(row.family_id, row.student_ids) for row in asked]
    for family_id, student_ids in families:
        concerning = _concerning(family_id, student_ids)
        count = await purge(database, store, concerning)
        async with database.transaction() as tx:
            if await _find(tx, concerning):
                continue  # one was being changed: next time
            await _conclude(tx, family_id)
        log.info("family erased", family_id=str(family_id), documents=count)


async def _conclude(tx: Transaction, family_id: UUID) -> None:
    """Say that nothing is left, once; keep but the family's identifier."""
    now = datetime.now(UTC)
    concluded = await tx.execute(
        update(erasure)
        .where(erasure.c.family_id == family_id, erasure.c.done_at.is_(None))
        .values(done_at=now, student_ids=[])
    )
    # told or declared while it was erased
    await tx.execute(delete(told_pieces).where(told_pieces.c.family_id == family_id))
    await tx.execute(delete(declined_piece).where(declined_piece.c.family_id == family_id))
    if concluded.rowcount:
        await emit(tx, FamilyDocumentsErased(family_id=family_id, erased_at=now))


async def _find(tx: Transaction, concerning: ColumnElement[bool]) -> list[Upload]:
    found = await tx.execute(select(*UPLOAD).where(concerning))
    return [Upload(**row) for row in found.mappings()]


def _concerning(family_id: UUID, student_ids: Sequence[UUID]) -> ColumnElement[bool]:
    """What a family gave, and what was published for its students who have no other."""
    orphans = and_(
        document.c.title != "",
        document.c.student_id.in_(student_ids),
        document.c.student_id.not_in(select(student.c.id)),
    )
    return or_(document.c.family_id == family_id, orphans)
