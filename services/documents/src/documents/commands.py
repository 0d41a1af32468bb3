"""What a family asks to be done with its documents."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import (
    Document,
    DocumentDeposited,
    DocumentRemoved,
    OpenUpload,
    RegisterUpload,
    RemoveDocument,
    UploadTicket,
)
from shared.db import Database, Transaction
from shared.observability import get_logger
from shared.outbox import emit
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from documents import pieces
from documents.erasure import erase_closed
from documents.inspection import objection
from documents.pieces import Upload
from documents.records import (
    find_campaign,
    find_deposited,
    find_types,
    find_upload,
    lock_family,
)
from documents.store import Admission, ObjectStore, StoreUnavailable
from documents.tables import document

log = get_logger()


async def open_upload(
    command: OpenUpload, caller: Caller, database: Database, store: ObjectStore
) -> UploadTicket:
    """Expect a file, and say where to send it."""
    now = datetime.now(UTC)
    family_id = caller.family()
    filename = pieces.bare_filename(command.filename)
    content_type = pieces.accepted_content_type(filename)
    pieces.check_size(command.size)
    await store.prepare()
    async with database.transaction() as tx:
        campaign = await find_campaign(tx, command.campaign_id, family_id)
        types = await find_types(tx, campaign, family_id, command.student_id)
        kind = next((kind for kind in types if kind.code == command.type_code), None)
        if kind is None:
            raise Rejection.not_found()
        pieces.check_open(campaign, now)
        upload = await _expect(
            tx,
            Upload(
                id=command.document_id,
                campaign_id=campaign.id,
                family_id=family_id,
                student_id=command.student_id if kind.owner == "student" else None,
                type_code=kind.code,
                filename=filename,
                content_type=content_type,
                size=command.size,
                state="expected",
                refusal="",
                deposited_at=None,
            ),
            now,
        )
    ticket = store.ticket(upload.key, upload.content_type, now)
    return UploadTicket(
        document_id=upload.id, url=ticket.url, fields=ticket.fields, expires_at=ticket.expires_at
    )


async def register_upload(
    command: RegisterUpload, caller: Caller, database: Database, store: ObjectStore
) -> Document:
    """Check the file that was sent and attach it, replacing the former one.

    One announced before the deadline may be registered after: its ticket was its permission.
    No connection is held while the store works.
    """
    now = datetime.now(UTC)
    family_id = caller.family()
    async with database.transaction() as tx:
        upload = await find_upload(tx, command.document_id, family_id)
    if upload.state != "expected":
        return upload.document()
    admission = await store.admit(upload.key, upload.content_type, objection)
    async with database.transaction() as tx:
        await lock_family(tx, family_id)
        upload = await find_upload(tx, command.document_id, family_id)
        if admission is not None:
            upload = await _settle(tx, upload, admission, now)
    await _erase_now(family_id, database, store)
    return upload.document()


async def remove_document(
    command: RemoveDocument, caller: Caller, database: Database, store: ObjectStore
) -> None:
    """Take a document back, until the deadline; its file goes with it."""
    now = datetime.now(UTC)
    family_id = caller.family()
    async with database.transaction() as tx:
        await lock_family(tx, family_id)
        upload = await find_upload(tx, command.document_id, family_id)
        if upload.state not in {"expected", "deposited"}:
            return
        pieces.check_open(await find_campaign(tx, upload.campaign_id, family_id), now)
        await tx.execute(
            update(document)
            .where(document.c.id == upload.id)
            .values(state="removed", closed_at=now)
        )
        if upload.state == "deposited":
            await emit(tx, _removed(upload))
    await _erase_now(family_id, database, store)


async def _expect(tx: Transaction, upload: Upload, now: datetime) -> Upload:
    """Record that a file is expected; one announced twice stays as it was first."""
    await tx.execute(
        insert(document)
        .values(**asdict(upload), opened_at=now)
        .on_conflict_do_nothing(index_elements=["id"])
    )
    expected = await find_upload(tx, upload.id, upload.family_id)
    if expected.state != "expected" or _piece(expected) != _piece(upload):
        raise Rejection.not_found()
    return expected


async def _settle(tx: Transaction, upload: Upload, admission: Admission, now: datetime) -> Upload:
    """Write down what became of a file that arrived. The family's row is locked."""
    change = update(document).where(document.c.id == upload.id)
    if upload.state in {"removed", "abandoned"}:
        # it ended while it was being checked: what was kept meanwhile is to erase again
        await tx.execute(change.values(erased_at=None))
    if upload.state != "expected":
        return upload
    if admission.objection is not None:
        refused = replace(upload, state="refused", refusal=admission.objection)
        await tx.execute(change.values(state=refused.state, refusal=refused.refusal, closed_at=now))
        return refused
    deposited = replace(upload, state="deposited", size=admission.size, deposited_at=now)
    former = await _take_away_former(tx, upload, now)
    await tx.execute(change.values(state=deposited.state, size=deposited.size, deposited_at=now))
    await emit(
        tx,
        *(_removed(one) for one in former),
        DocumentDeposited(
            document_id=upload.id,
            campaign_id=upload.campaign_id,
            family_id=upload.family_id,
            student_id=upload.student_id,
            type_code=upload.type_code,
            deposited_at=now,
        ),
    )
    return deposited


async def _take_away_former(tx: Transaction, upload: Upload, now: datetime) -> list[Upload]:
    deposited = await find_deposited(tx, upload.campaign_id, upload.family_id)
    former = [one for one in deposited if _piece(one) == _piece(upload)]
    await tx.execute(
        update(document)
        .where(document.c.id.in_([one.id for one in former]))
        .values(state="removed", closed_at=now)
    )
    return former


async def _erase_now(family_id: UUID, database: Database, store: ObjectStore) -> None:
    """Erase the files that this change closed; where the store is away the sweep will."""
    try:
        await erase_closed(database, store, document.c.family_id == family_id)
    except StoreUnavailable:
        log.info("files left for the sweep to erase", family_id=str(family_id))


def _piece(upload: Upload) -> tuple[UUID, UUID, UUID | None, str]:
    return upload.campaign_id, upload.family_id, upload.student_id, upload.type_code


def _removed(upload: Upload) -> DocumentRemoved:
    return DocumentRemoved(
        document_id=upload.id,
        campaign_id=upload.campaign_id,
        family_id=upload.family_id,
        student_id=upload.student_id,
        type_code=upload.type_code,
    )
