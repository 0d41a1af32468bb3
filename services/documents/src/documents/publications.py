"""What a site publishes for its students: bulletins, absences (S18)."""

from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import OpenPublication, Publication, PublishedDocuments
from shared.contracts.files import UploadTicket
from shared.db import Database, Transaction
from sqlalchemy import select

from documents import uploads
from documents.records import UPLOAD, find_student_site, visible_to
from documents.retention import purge_after
from documents.store import ObjectStore
from documents.tables import document
from documents.tickets import give_ticket
from documents.uploads import Upload


async def open_publication(
    command: OpenPublication, caller: Caller, database: Database, store: ObjectStore
) -> UploadTicket:
    """Expect a file to publish for a student, and say where to send it."""
    now = datetime.now(UTC)
    caller.staff_site()  # a family publishes nothing
    filename, content_type = uploads.check_file(command.filename, command.size)
    _check_kept(command.school_year, now)
    await store.prepare()
    async with database.transaction() as tx:
        upload = Upload(
            id=command.document_id,
            site_id=await find_student_site(tx, command.student_id, caller),
            campaign_id=None,
            family_id=None,
            student_id=command.student_id,
            type_code=None,
            title=command.title,
            school_year=command.school_year,
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


async def published_documents(
    query: PublishedDocuments, caller: Caller, tx: Transaction
) -> tuple[Publication, ...]:
    """Give what was published for a student, the latest first."""
    await find_student_site(tx, query.student_id, caller)
    found = await tx.execute(
        select(*UPLOAD)
        .where(
            document.c.student_id == query.student_id,
            document.c.title != "",
            document.c.state == "deposited",
            visible_to(caller),
        )
        .order_by(document.c.deposited_at.desc(), document.c.id)
    )
    return tuple(_publication(Upload(**row)) for row in found.mappings())


def _check_kept(school_year: str, now: datetime) -> None:
    """Refuse what the next purge would take away."""
    if purge_after(school_year) <= now:
        raise Rejection(
            "no_longer_kept",
            "Les documents de l'année scolaire %(school_year)s ne sont plus conservés. "
            "Vérifiez l'année indiquée.",
            status=422,
            school_year=school_year,
        )


def _publication(upload: Upload) -> Publication:
    return Publication(
        id=upload.id,
        title=upload.title,
        school_year=upload.school_year,
        filename=upload.filename,
        content_type=upload.content_type,
        size=upload.size,
        published_at=upload.deposited_at or upload.opened_at,
    )
