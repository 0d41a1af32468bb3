"""The staff's review of documents: next to check, accept, or refuse with a reason (S83)."""

from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import AcceptDocument, RefuseDocument, ReviewItem, ReviewQueue
from shared.contracts.files import Document
from shared.db import Transaction
from sqlalchemy import select

from documents import changes
from documents.records import UPLOAD, find_names, find_site_campaign, find_upload, lock_upload
from documents.tables import document
from documents.uploads import Upload, check_reviewable


async def review_queue(
    query: ReviewQueue, caller: Caller, tx: Transaction
) -> tuple[ReviewItem, ...]:
    """Give the documents that wait for a decision, the longest waiting first."""
    campaign = await find_site_campaign(tx, query.campaign_id, caller.staff_site())
    names = await find_names(tx, campaign)
    found = await tx.execute(
        select(*UPLOAD)
        .where(document.c.campaign_id == campaign.id, document.c.state == "deposited")
        .order_by(document.c.deposited_at, document.c.id)
        .limit(query.limit)
    )
    waiting = [Upload(**row) for row in found.mappings()]
    return tuple(
        ReviewItem(
            document=upload.document(),
            family_id=upload.piece.family_id,
            student_id=upload.student_id,
            campaign_id=campaign.id,
            type_code=upload.piece.type_code,
            name=names.get(upload.piece.type_code, upload.piece.type_code),
        )
        for upload in waiting
        if upload.piece is not None
    )


async def accept_document(command: AcceptDocument, caller: Caller, tx: Transaction) -> Document:
    """Accept a document, whatever was decided before."""
    upload = await _to_review(tx, command.document_id, caller)
    return (await changes.accept(tx, upload, datetime.now(UTC), caller)).document()


async def refuse_document(command: RefuseDocument, caller: Caller, tx: Transaction) -> Document:
    """Refuse a document, whatever was decided before, and have its family told why."""
    upload = await _to_review(tx, command.document_id, caller)
    refused = await changes.refuse(tx, upload, command.reason, datetime.now(UTC), caller)
    return refused.document()


async def _to_review(tx: Transaction, document_id: UUID, caller: Caller) -> Upload:
    caller.staff_site()  # a family decides on nothing, not even on its own
    await find_upload(tx, document_id, caller)
    upload = await lock_upload(tx, document_id)
    if upload is None:
        raise Rejection.not_found()
    check_reviewable(upload)
    return upload
