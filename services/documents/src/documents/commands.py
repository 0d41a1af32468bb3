"""What a family asks to be done with its documents, and the staff with what they publish."""

from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import (
    Document,
    OpenUpload,
    RegisterUpload,
    RemoveDocument,
    UploadTicket,
)
from shared.db import Database, Transaction
from shared.observability import get_logger

from documents import changes, pieces, uploads
from documents.erasure import erase_closed
from documents.records import (
    find_campaign,
    find_of_piece,
    find_own_upload,
    find_types,
    lock_family,
    lock_upload,
)
from documents.store import ObjectStore, StoreUnavailable
from documents.tables import document
from documents.tickets import give_ticket
from documents.uploads import COUNTING, ENDED, Upload

log = get_logger()


async def open_upload(
    command: OpenUpload, caller: Caller, database: Database, store: ObjectStore
) -> UploadTicket:
    """Expect a file for a piece, and say where to send it."""
    now = datetime.now(UTC)
    family_id = caller.family()
    filename, content_type = uploads.check_file(command.filename, command.size)
    await store.prepare()
    async with database.transaction() as tx:
        await lock_family(tx, family_id)
        campaign = await find_campaign(tx, command.campaign_id, family_id)
        types = await find_types(tx, campaign, family_id, command.student_id)
        kind = next((kind for kind in types if kind.code == command.type_code), None)
        if kind is None or (kind.owner == "student" and command.student_id is None):
            raise Rejection.not_found()
        upload = Upload(
            id=command.document_id,
            site_id=campaign.site_id,
            campaign_id=campaign.id,
            family_id=family_id,
            student_id=command.student_id if kind.owner == "student" else None,
            type_code=kind.code,
            title="",
            school_year=campaign.school_year,
            filename=filename,
            content_type=content_type,
            size=command.size,
            state="expected",
            refusal="",
            opened_at=now,
            deposited_at=None,
            attempts=0,
        )
        pieces.check_open(campaign, now)
        await _check_replaceable(tx, upload)
        return await give_ticket(tx, upload, now, caller, store)


async def register_upload(
    command: RegisterUpload, caller: Caller, database: Database, store: ObjectStore
) -> Document:
    """See that the file arrived, and queue it for its verification.

    One announced before the deadline may be registered after: its ticket was its permission.
    No connection is held while the store works. What it took the place of is erased after its
    verification.
    """
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        upload = await find_own_upload(tx, command.document_id, caller)
    if upload.state != "expected":
        return upload.document()
    size = await store.received(upload.key)
    if size is None:
        raise uploads.not_received()
    async with database.transaction() as tx:
        locked = await lock_upload(tx, upload.id)
        if locked is None:
            raise Rejection.not_found()
        if locked.state == "expected":
            locked = await changes.begin_analysis(tx, locked, size, now, caller)
    return locked.document()


async def remove_document(
    command: RemoveDocument, caller: Caller, database: Database, store: ObjectStore
) -> None:
    """Take a document back, until the deadline; its file goes with it."""
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await find_own_upload(tx, command.document_id, caller)
        upload = await lock_upload(tx, command.document_id)
        if upload is None or upload.state in ENDED:
            return
        uploads.check_removable(upload)
        if upload.piece is not None:
            piece = upload.piece
            pieces.check_open(await find_campaign(tx, piece.campaign_id, piece.family_id), now)
        await changes.end(tx, [upload], "removed", now, caller)
    await _erase_now(upload, database, store)


async def _check_replaceable(tx: Transaction, upload: Upload) -> None:
    if upload.piece is None:
        return
    given = await find_of_piece(tx, upload.piece)
    uploads.check_replaceable(next((one for one in given if one.state in COUNTING), None))


async def _erase_now(upload: Upload, database: Database, store: ObjectStore) -> None:
    """Erase the files that this change closed; where the store is away the sweep will."""
    among = (
        document.c.id == upload.id
        if upload.family_id is None
        else document.c.family_id == upload.family_id
    )
    try:
        await erase_closed(database, store, among)
    except StoreUnavailable:
        log.warning("files left for the sweep", document_id=str(upload.id))
