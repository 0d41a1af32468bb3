"""The store against the records: objects that no document explains, documents without their file.

Both sides are walked in the order of names, a page of the store at a time.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import Counter, Gauge
from shared.db import Database
from shared.observability import get_logger
from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, case, collate, func, literal, select

from documents.records import UPLOAD
from documents.store import INCOMING, ObjectStore, Stored, or_later
from documents.tables import document
from documents.uploads import COUNTING, Upload

log = get_logger()

STRAYS = Gauge(
    "rentree_store_strays", "Objects of the store that no document explains, when last compared."
)
STRAYS_REMOVED = Counter("rentree_store_strays_removed", "Stray objects that were removed.")
MISSING = Gauge(
    "rentree_store_missing", "Documents whose file the store does not have, when last compared."
)

SETTLED_AFTER = timedelta(hours=1)
"""What is younger may belong to a document that is just being written."""
_ALWAYS_FEW = 100
_FEW_OF = 10
_REMOVED_AT_ONCE = 500
_NAMED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found: how many objects, which of them are strays, which documents lack theirs."""

    objects: int
    strays: Sequence[str]
    missing: Sequence[UUID]

    @property
    def is_credible(self) -> bool:
        """Tell whether so many strays can be what crashes left behind.

        Beyond a tenth of the store, it is rather the records that lack something: a database that
        was restored, or another one's address.
        """
        return len(self.strays) <= max(_ALWAYS_FEW, self.objects // _FEW_OF)


def is_wanted(name: str, upload: Upload, *, is_erased: bool) -> bool:
    """Tell whether a document explains an object of that name.

    One that ended explains its files until they are erased.
    """
    if name == upload.key:
        return upload.state != "expected" and not is_erased
    if name == INCOMING + upload.key:
        waits = upload.state in {"expected", "analysing"}
        return waits or (upload.state not in COUNTING and not is_erased)
    return False


async def sweep_orphans(database: Database, store: ObjectStore) -> None:
    """Compare the store with the records, remove the strays, report both."""
    with or_later("the comparison with the store"):
        await store.prepare()
        await put_right(database, store, stored_before=datetime.now(UTC) - SETTLED_AFTER)


async def put_right(database: Database, store: ObjectStore, stored_before: datetime) -> None:
    """Remove the strays that were stored before an instant, as far as their number is credible."""
    found = await compare(database, store, stored_before)
    STRAYS.set(len(found.strays))
    MISSING.set(len(found.missing))
    told = log.bind(objects=found.objects, strays=len(found.strays), missing=len(found.missing))
    if found.missing:
        told.error("files are missing from the store", document_ids=_named(found.missing))
    if not found.is_credible:
        told.error("so many strays were left alone: see check-store")
        return
    await remove_strays(store, found.strays)
    told.info("the store was compared with the records")


async def compare(database: Database, store: ObjectStore, stored_before: datetime) -> Comparison:
    """Walk the whole bucket beside the documents; only what was stored before is a stray."""
    objects = 0
    strays: list[str] = []
    missing: list[UUID] = []
    after = ""
    async for page in _pages(store):
        objects += len(page)
        strays.extend(await _strays(database, page, stored_before))
        last = page[-1].name
        missing += await _missing(database, store, page, _key > after, _key <= last)
        after = last
    missing += await _missing(database, store, (), _key > after)
    return Comparison(objects, tuple(strays), tuple(missing))


async def remove_strays(store: ObjectStore, strays: Sequence[str]) -> None:
    """Remove objects that nothing explains."""
    for start in range(0, len(strays), _REMOVED_AT_ONCE):
        some = strays[start : start + _REMOVED_AT_ONCE]
        await store.remove(some)
        STRAYS_REMOVED.inc(len(some))


async def clear_incoming(database: Database, store: ObjectStore, stored_before: datetime) -> None:
    """Remove what was sent and is not waited for: a second sending, or one that ended since.

    What belongs to no document on record is left to the comparison, which doubts large numbers.
    """
    async for page in _pages(store, INCOMING):
        strays = await _strays(database, page, stored_before)
        await remove_strays(store, [name for name, is_on_record in strays.items() if is_on_record])


async def _pages(store: ObjectStore, prefix: str = "") -> AsyncIterator[Sequence[Stored]]:
    after = ""
    while page := await store.listed(prefix, after):
        yield page
        after = page[-1].name


async def _strays(
    database: Database, page: Iterable[Stored], stored_before: datetime
) -> dict[str, bool]:
    """Give the objects that nothing explains, and whether the document that they name is on
    record.
    """
    named = {one.name: _document_id(one.name) for one in page if one.stored_at < stored_before}
    async with database.transaction() as tx:
        found = await tx.execute(
            select(*UPLOAD, document.c.erased_at).where(
                document.c.id.in_([each for each in named.values() if each])
            )
        )
        rows = [dict(row) for row in found.mappings()]
    known = {}
    for row in rows:
        is_erased = row.pop("erased_at") is not None
        known[row["id"]] = Upload(**row), is_erased
    return {
        name: document_id in known
        for name, document_id in sorted(named.items())
        if document_id not in known
        or not is_wanted(name, known[document_id][0], is_erased=known[document_id][1])
    }


def _named(document_ids: Sequence[UUID]) -> list[str]:
    return [str(each) for each in document_ids[:_NAMED_AT_MOST]]


def _document_id(name: str) -> UUID | None:
    try:
        return UUID(name.rpartition("/")[2])
    except ValueError:
        return None


async def _missing(
    database: Database, store: ObjectStore, page: Iterable[Stored], *between: ColumnElement[bool]
) -> list[UUID]:
    """Give the documents of a stretch of names that the page does not show.

    One that was written since the page was read is there when it is looked for by itself.
    """
    there = {one.name for one in page if one.is_there}
    async with database.transaction() as tx:
        found = await tx.execute(
            select(document.c.id, _key.label("key")).where(_COUNTS, *between).order_by(_key)
        )
        absent = [(row.id, row.key) for row in found if row.key not in there]
    lost = [document_id for document_id, key in absent if not await store.holds(key)]
    async with database.transaction() as tx:
        # one array, however many: a lost bucket would exceed what a statement takes of parameters
        among = document.c.id == any_(literal(lost, ARRAY(Uuid)))
        still = await tx.scalars(select(document.c.id).where(_COUNTS, among).order_by(_key))
        return list(still)


_COUNTS = document.c.state.in_(COUNTING)

# Upload.key, as the database writes it and in the store's order: that of bytes
_key = collate(
    case(
        (
            document.c.title != "",
            func.concat_ws(
                "/", "published", document.c.site_id, document.c.student_id, document.c.id
            ),
        ),
        else_=func.concat_ws("/", document.c.campaign_id, document.c.family_id, document.c.id),
    ),
    "C",
)
