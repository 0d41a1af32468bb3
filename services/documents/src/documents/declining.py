"""A family may declare that it does not give a piece (S55): it is no longer missing, and whoever
reckons fees applies the highest. A file given after all takes the declaration back.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import (
    DeclinePiece,
    PieceDeclined,
    PieceDeclineTakenBack,
    TakeBackPieceDecline,
)
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from documents.pieces import Declined, check_open
from documents.records import Wanted, find_of_piece, find_wanted, lock_family
from documents.tables import declined_piece
from documents.uploads import GIVEN, PieceKey


async def decline_piece(command: DeclinePiece, caller: Caller, tx: Transaction) -> None:
    """Write down that the family does not give a piece; declared twice, it was the first time."""
    now = datetime.now(UTC)
    await lock_family(tx, caller.family())
    wanted = await _find(tx, command, caller, now)
    if any(one.state in GIVEN for one in await find_of_piece(tx, wanted.piece)):
        raise Rejection(
            "piece_given",
            "Un fichier a été envoyé pour cette pièce. Supprimez-le d'abord si vous ne souhaitez "
            "plus la fournir.",
        )
    piece = wanted.piece
    declared = await tx.execute(
        insert(declined_piece)
        .values(**asdict(piece), declined_at=now, account_id=caller.account_id)
        .on_conflict_do_nothing()
    )
    if declared.rowcount:
        await emit(tx, PieceDeclined(**asdict(piece), declined_at=now))


async def take_back_piece_decline(
    command: TakeBackPieceDecline, caller: Caller, tx: Transaction
) -> None:
    """Ask the family for the piece again; taken back twice, nothing changes."""
    wanted = await _find(tx, command, caller, datetime.now(UTC))
    await end_decline(tx, wanted.piece)


async def end_decline(tx: Transaction, piece: PieceKey) -> None:
    """Take back what was declared of a piece, if anything was."""
    ended = await tx.execute(
        delete(declined_piece).where(
            declined_piece.c.family_id == piece.family_id,
            declined_piece.c.campaign_id == piece.campaign_id,
            declined_piece.c.student_id.is_not_distinct_from(piece.student_id),
            declined_piece.c.type_code == piece.type_code,
        )
    )
    if ended.rowcount:
        await emit(tx, PieceDeclineTakenBack(**asdict(piece)))


async def find_declined(tx: Transaction, campaign_id: UUID, family_id: UUID) -> Declined:
    """Give what a family declined in a campaign."""
    found = await tx.execute(
        select(declined_piece).where(
            declined_piece.c.campaign_id == campaign_id, declined_piece.c.family_id == family_id
        )
    )
    return {(row.type_code, row.student_id): row.declined_at for row in found}


async def _find(
    tx: Transaction,
    command: DeclinePiece | TakeBackPieceDecline,
    caller: Caller,
    now: datetime,
) -> Wanted:
    wanted = await find_wanted(
        tx, command.campaign_id, caller.family(), command.type_code, command.student_id
    )
    check_open(wanted.campaign, now)
    return wanted
