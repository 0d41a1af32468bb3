"""What a family asks to be done with its documents, and the staff with what they publish."""

from dataclasses import asdict
from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import OpenUpload, RegisterUpload, RemoveDocument
from shared.contracts.files import Document, UploadTicket
from shared.db import Database, Transaction
from shared.observability import get_logger

from documents import changes, pieces, uploads
from documents.erasure import erase_closed
from documents.records import (
    find_campaign,
    find_of_piece,
    find_own_upload,
    find_wanted,
    lock_upload,
)
from documents.store import ObjectStore, StoreUnavailable
from documents.tables import document
from documents.tickets import give_ticket
from documents.uploads import ENDED, Upload

log = get_logger()


async def open_upload(
    command: OpenUpload, caller: Caller, database: Database, store: ObjectStore
) -> UploadTicket:
    """Expect a file for a piece, and say where to send it.

    Nothing is locked: what changes meanwhile, an erasure or the staff's decision, is looked at
    again when the file is registered.
    """
    now = datetime.now(UTC)
    filename, content_type = uploads.check_file(command.filename, command.size)
    await store.prepare()
    async with database.autocommit() as tx:
        wanted = await find_wanted(
            tx, command.campaign_id, caller.family(), command.type_code, command.student_id
        )
        pieces.check_open(wanted.campaign, now)
        if wanted.is_accepted:
            raise uploads.already_accepted()
        upload = Upload(
            id=command.document_id,
            site_id=wanted.campaign.site_id,
            **asdict(wanted.piece),
            title="",
            school_year=wanted.campaign.school_year,
            filename=filename,
            content_type=content_type,
            size=command.size,
            state="expected",
            refusal="",
            opened_at=now,
            deposited_at=None,
            attempts=0,
        )
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
    async with database.autocommit() as tx:
        upload = await find_own_upload(tx, command.document_id, caller)
        if upload.state != "expected":
            return await _registered(tx, upload)
    size = await store.received(upload.key)
    if size is None:
        raise uploads.not_received()
    async with database.transaction() as tx:
        locked = await lock_upload(tx, upload.id)
        if locked is None:
            raise Rejection.not_found()
        if locked.state != "expected":
            return await _registered(tx, locked)
        begun = await changes.begin_analysis(tx, locked, size, now, caller)
    if begun.state == "abandoned":
        raise uploads.already_accepted()
    return begun.document()


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


async def _registered(tx: Transaction, upload: Upload) -> Document:
    """Show what was registered before, or refuse again for the reason of then."""
    if upload.state == "abandoned" and upload.piece is not None:
        present = await find_of_piece(tx, upload.piece)
        if any(one.state == "accepted" for one in present):
            raise uploads.already_accepted()
    return upload.document()


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
