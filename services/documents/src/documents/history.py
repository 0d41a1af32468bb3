"""What happened to documents: a step for every change of state, only ever added to."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from shared.callers import Caller
from shared.contracts.documents import Actor, DocumentHistory, DocumentStep
from shared.db import Transaction
from sqlalchemy import insert, select

from documents.records import find_upload
from documents.tables import document_step
from documents.uploads import Upload, UploadState


async def record_step(
    tx: Transaction,
    uploads: Iterable[Upload],
    state: UploadState,
    now: datetime,
    *,
    by: Actor,
    account_id: UUID | None = None,
    reason: str = "",
) -> None:
    """Write down that these uploads came to a state; it belongs to the change's transaction."""
    steps = [
        {
            "document_id": one.id,
            "state": state,
            "happened_at": now,
            "actor": by,
            "account_id": account_id,
            "reason": reason,
        }
        for one in uploads
    ]
    if steps:
        await tx.execute(insert(document_step), steps)


def actor(caller: Caller) -> Actor:
    """Say as what a person acts."""
    return "family" if caller.role == "family" else "staff"


async def document_history(
    query: DocumentHistory, caller: Caller, tx: Transaction
) -> tuple[DocumentStep, ...]:
    """Tell everything that happened to a document, oldest first."""
    upload = await find_upload(tx, query.document_id, caller)
    found = await tx.execute(
        select(document_step)
        .where(document_step.c.document_id == upload.id)
        .order_by(document_step.c.id)
    )
    return tuple(
        DocumentStep(
            state="refused" if row.state == "unfit" else row.state,
            happened_at=row.happened_at,
            by=row.actor,
            reason=row.reason,
        )
        for row in found
    )
