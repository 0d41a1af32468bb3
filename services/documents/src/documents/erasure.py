"""Files that nobody may read any more leave the store; uploads never finished are ended."""

import asyncio
from datetime import UTC, datetime

from shared.db import Database
from sqlalchemy import ColumnElement, delete, select, update

from documents import changes
from documents.orphans import SETTLED_AFTER, clear_incoming
from documents.records import UPLOAD, lock_upload
from documents.store import TICKET_LIFE, ObjectStore, or_later
from documents.tables import document
from documents.uploads import Upload

_AT_ONCE = 200
_UNFINISHED_FOR = TICKET_LIFE * 3
"""A ticket in time lets a slow sending go on after its end."""


async def sweep_uploads(database: Database, store: ObjectStore) -> None:
    """Finish the uploads that were left, and erase what nobody wants any more."""
    now = datetime.now(UTC)
    with or_later("the sweep of uploads"):
        await store.prepare()
        await finish_uploads(database, store, begun_before=now - _UNFINISHED_FOR)
        await erase_closed(database, store)
        await clear_incoming(database, store, stored_before=now - SETTLED_AFTER)


async def finish_uploads(database: Database, store: ObjectStore, begun_before: datetime) -> None:
    """Settle the uploads that were begun before an instant and never registered.

    What arrived is registered, since the browser only failed to tell; the others are abandoned.
    """
    unfinished = (document.c.state == "expected", document.c.opened_at < begun_before)
    while found := await _find(database, *unfinished):
        sizes = await asyncio.gather(*(store.received(one.key) for one in found))
        for one, size in zip(found, sizes, strict=True):
            await _finish(database, one, size)


async def erase_closed(database: Database, store: ObjectStore, *among: ColumnElement[bool]) -> None:
    """Erase the files of documents that were removed, abandoned or found unfit.

    The row says first that the file has to go, and last that it is gone: whatever stops in
    between is done again by the sweep.
    """
    closed = (document.c.closed_at.is_not(None), document.c.erased_at.is_(None))
    while found := await _find(database, *closed, *among):
        await store.erase(one.key for one in found)
        async with database.transaction() as tx:
            await tx.execute(
                update(document)
                .where(document.c.id.in_([one.id for one in found]))
                .values(erased_at=datetime.now(UTC))
            )


async def purge(database: Database, store: ObjectStore, *among: ColumnElement[bool]) -> int:
    """Take documents off the records with their history, once their files have left the store.

    Gives how many. One that is being changed meanwhile is left for the next time.
    """
    count = 0
    while found := await _close_some(database, *among):
        await store.erase(one.key for one in found)
        async with database.transaction() as tx:
            await tx.execute(delete(document).where(document.c.id.in_([one.id for one in found])))
        count += len(found)
    return count


async def _find(database: Database, *where: ColumnElement[bool]) -> list[Upload]:
    async with database.transaction() as tx:
        found = await tx.execute(select(*UPLOAD).where(*where).limit(_AT_ONCE))
        return [Upload(**row) for row in found.mappings()]


async def _finish(database: Database, upload: Upload, size: int | None) -> None:
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        locked = await lock_upload(tx, upload.id)
        if locked is None:  # its family was erased while it was announced
            await changes.end(tx, [upload], "abandoned", now)
            return
        if locked.state != "expected" or locked.opened_at != upload.opened_at:
            return  # told of meanwhile, or given another ticket
        if size is None:
            await changes.end(tx, [locked], "abandoned", now)
        else:
            await changes.adopt(tx, locked, size, now)


async def _close_some(database: Database, *among: ColumnElement[bool]) -> list[Upload]:
    """Take some documents away from everyone, before anything of them is gone."""
    async with database.transaction() as tx:
        found = await tx.execute(
            select(*UPLOAD, document.c.closed_at)
            .where(*among)
            .order_by(document.c.id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        rows = [dict(row) for row in found.mappings()]
        open_ones = [row["id"] for row in rows if row.pop("closed_at") is None]
        uploads = [Upload(**row) for row in rows]
        await changes.end(
            tx, [one for one in uploads if one.id in open_ones], "removed", datetime.now(UTC)
        )
        return uploads
