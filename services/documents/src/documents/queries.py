"""What families and the staff ask to see of documents."""

from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPieces,
    OpenDocument,
    Pieces,
    ShowDocument,
)
from shared.contracts.files import Document, DocumentLink
from shared.db import Transaction
from sqlalchemy import insert

from documents.declining import find_declined
from documents.history import actor
from documents.pieces import missing, two_lists
from documents.records import check_family, find_campaign, find_given, find_types, find_upload
from documents.store import ObjectStore
from documents.tables import document_reading


async def list_pieces(query: ListPieces, caller: Caller, tx: Transaction) -> Pieces:
    """Give the two lists of step 3, all year round (S5, S50)."""
    return await _pieces(tx, query.campaign_id, caller.family(), query.student_id)


async def missing_pieces(query: MissingPieces, caller: Caller, tx: Transaction) -> Missing:
    """Give what an application lacks, to its family and to the staff of its site."""
    await check_family(tx, query.family_id, caller)
    return missing(await _pieces(tx, query.campaign_id, query.family_id, query.student_id))


async def show_document(query: ShowDocument, caller: Caller, tx: Transaction) -> Document:
    """Give one document as it stands."""
    return (await find_upload(tx, query.document_id, caller)).document()


async def open_document(
    command: OpenDocument, caller: Caller, tx: Transaction, store: ObjectStore
) -> DocumentLink:
    """Give a link to a document that was verified, and write down who asked: nobody reads one
    before (S53).
    """
    now = datetime.now(UTC)
    upload = await find_upload(tx, command.document_id, caller)
    if not upload.is_readable:
        raise Rejection.not_found()
    await tx.execute(
        insert(document_reading).values(
            document_id=upload.id,
            read_at=now,
            actor=actor(caller),
            account_id=caller.account_id,
        )
    )
    return store.link(upload.key, upload.filename, upload.content_type, now)


async def _pieces(
    tx: Transaction, campaign_id: UUID, family_id: UUID, student_id: UUID | None
) -> Pieces:
    campaign = await find_campaign(tx, campaign_id, family_id)
    types = await find_types(tx, campaign, family_id, student_id)
    given = await find_given(tx, campaign.id, family_id)
    declined = await find_declined(tx, campaign.id, family_id)
    return two_lists(types, campaign, student_id, given, declined, datetime.now(UTC))
