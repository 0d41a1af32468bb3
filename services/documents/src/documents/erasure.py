"""Files that nobody may read any more leave the store; uploads never finished are closed."""

from datetime import UTC, datetime, timedelta

from shared.db import Database
from sqlalchemy import ColumnElement, select, update

from documents.pieces import Upload
from documents.records import UPLOAD
from documents.store import ObjectStore
from documents.tables import document

_UNFINISHED_FOR = timedelta(hours=1)
_AT_ONCE = 200


async def erase_closed(database: Database, store: ObjectStore, *among: ColumnElement[bool]) -> None:
    """Erase the files of documents that were removed, refused or abandoned.

    The row says first that the file has to go, and last that it is gone: whatever stops in
    between is done again by the sweep.
    """
    async with database.transaction() as tx:
        found = await tx.execute(
            select(*UPLOAD)
            .where(document.c.closed_at.is_not(None), document.c.erased_at.is_(None), *among)
            .limit(_AT_ONCE)
        )
        closed = [Upload(**row) for row in found.mappings()]
    if not closed:
        return
    await store.erase([upload.key for upload in closed])
    async with database.transaction() as tx:
        await tx.execute(
            update(document)
            .where(document.c.id.in_([upload.id for upload in closed]))
            .values(erased_at=datetime.now(UTC))
        )


async def sweep_uploads(database: Database, store: ObjectStore) -> None:
    """Close the uploads begun more than an hour ago, and erase what was left behind."""
    now = datetime.now(UTC)
    await store.prepare()
    async with database.transaction() as tx:
        await tx.execute(
            update(document)
            .where(document.c.state == "expected", document.c.opened_at < now - _UNFINISHED_FOR)
            .values(state="abandoned", closed_at=now)
        )
    await store.clear_incoming(now - _UNFINISHED_FOR)
    await erase_closed(database, store)
