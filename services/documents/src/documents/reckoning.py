"""Telling what each family still has to provide: reminders and receipts are written from it.

What a family lacks changes with its documents, its students, what they follow and the types of the
campaign. Rather than at each of those, it is reckoned anew every minute, and told where it differs
from what was told last: nothing can be forgotten, and what was missed is made good by itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import batched
from uuid import UUID

from shared.contracts.documents import LackingFamily, LackingPiece, PiecesReckoned
from shared.db import Database, Transaction
from shared.outbox import emit
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from documents.pieces import Campaign, DocumentType, Student, lacking_pieces
from documents.records import CAMPAIGN, find_all_students, find_all_types
from documents.tables import campaign, declined_piece, document, told_pieces
from documents.uploads import GIVEN

FAMILIES_AN_EVENT = 200
RECKONER_LOCK = 0x5245434B
"""Spells "RECK": one replica at a time tells what changed."""

type Lacking = tuple[LackingPiece, ...]


async def tell_missing_pieces(database: Database) -> None:
    """Tell what families lack in the campaigns that take documents, where that changed."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        found = await tx.execute(
            select(*CAMPAIGN).where(
                campaign.c.prepares_at <= now, campaign.c.documents_due_at > now
            )
        )
        campaigns = [Campaign(**row) for row in found.mappings()]
    for each in campaigns:
        async with database.transaction() as tx:
            if await tx.scalar(select(func.pg_try_advisory_xact_lock(RECKONER_LOCK))):
                await _tell_changes(tx, each)


async def _tell_changes(tx: Transaction, of: Campaign) -> None:
    # after the lock: who reckons later also says so, and is the one who is believed
    now = datetime.now(UTC)
    told = await _told(tx, of.id)
    lacking = await _reckon(tx, of)
    changed = {
        family_id: pieces
        for family_id, pieces in lacking.items()
        # of a family that lacks nothing and was never told of, there is nothing to tell
        if pieces != told.get(family_id, ())
    }
    for some in batched(sorted(changed), FAMILIES_AN_EVENT):
        families = tuple(LackingFamily(family_id=one, pieces=changed[one]) for one in some)
        await emit(tx, PiecesReckoned(campaign_id=of.id, families=families, reckoned_at=now))
        await _remember(tx, of.id, families)


async def _reckon(tx: Transaction, of: Campaign) -> dict[UUID, Lacking]:
    types = await find_all_types(tx, of)
    given = await _given(tx, of.id)
    return {
        family_id: _lacking(types, of, students, given[family_id])
        for family_id, students in (await find_all_students(tx, of)).items()
    }


def _lacking(
    types: Sequence[DocumentType],
    of: Campaign,
    students: tuple[Student, ...],
    given: set[tuple[str, UUID | None]],
) -> Lacking:
    return tuple(
        LackingPiece(student_id=student_id, name=kind.name)
        for kind, student_id in lacking_pieces(types, of, students, given)
    )


async def _given(tx: Transaction, campaign_id: UUID) -> Mapping[UUID, set[tuple[str, UUID | None]]]:
    """Give what each family need not send: it has, or declared that it will not."""
    found = await tx.execute(
        select(document.c.family_id, document.c.type_code, document.c.student_id).where(
            document.c.campaign_id == campaign_id, document.c.state.in_(GIVEN)
        )
    )
    declined = await tx.execute(
        select(
            declined_piece.c.family_id, declined_piece.c.type_code, declined_piece.c.student_id
        ).where(declined_piece.c.campaign_id == campaign_id)
    )
    given: Mapping[UUID, set[tuple[str, UUID | None]]] = defaultdict(set)
    for row in (*found, *declined):
        given[row.family_id].add((row.type_code, row.student_id))
    return given


async def _told(tx: Transaction, campaign_id: UUID) -> dict[UUID, Lacking]:
    found = await tx.execute(select(told_pieces).where(told_pieces.c.campaign_id == campaign_id))
    return {
        row.family_id: tuple(LackingPiece.model_validate(piece) for piece in row.pieces)
        for row in found
    }


async def _remember(tx: Transaction, campaign_id: UUID, families: Sequence[LackingFamily]) -> None:
    told = insert(told_pieces).values(
        [
            {"campaign_id": campaign_id, **family.model_dump(mode="json")}
            | {"family_id": family.family_id}
            for family in families
        ]
    )
    await tx.execute(
        told.on_conflict_do_update(
            index_elements=["campaign_id", "family_id"], set_={"pieces": told.excluded.pieces}
        )
    )
