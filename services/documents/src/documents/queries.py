"""What a family asks to see of its documents."""

from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import DocumentLink, ListPieces, OpenDocument, Pieces
from shared.db import Transaction

from documents.pieces import two_lists
from documents.records import find_campaign, find_deposited, find_types, find_upload
from documents.store import ObjectStore


async def list_pieces(query: ListPieces, caller: Caller, tx: Transaction) -> Pieces:
    """Give the two lists of step 3 for one student, all year round (S5, S50)."""
    family_id = caller.family()
    campaign = await find_campaign(tx, query.campaign_id, family_id)
    types = await find_types(tx, campaign, family_id, query.student_id)
    uploads = await find_deposited(tx, campaign.id, family_id)
    return two_lists(types, campaign, query.student_id, uploads)


async def open_document(
    query: OpenDocument, caller: Caller, tx: Transaction, store: ObjectStore
) -> DocumentLink:
    """Give a link to a document that was checked: nobody reads one before (S53)."""
    now = datetime.now(UTC)
    upload = await find_upload(tx, query.document_id, caller.family())
    if upload.state != "deposited":
        raise Rejection.not_found()
    return store.link(upload.key, upload.filename, upload.content_type, now)
