"""The erasure of a family (S96): at once for everyone, then from the store, then acknowledged."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings
from documents.forgetting import finish_asked_by, finish_erasures
from documents.reactions import remember_families
from documents.store import StoreUnavailable
from shared.contracts.documents import ListPieces, OpenDocument, PublishedDocuments
from shared.contracts.identity import FamilyErased
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import Household, code_of, dances, household, recorded, send
from tests.document_listeners import Listener, listening
from tests.document_stores import documents_apart, ids, new_bucket, store_given
from tests.harness import Running, eventually, family_caller

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with documents_apart(servers, new_bucket()) as documents:
        yield documents


@pytest_asyncio.fixture(scope="module")
async def listener(documents: Running[DocumentsSettings]) -> AsyncIterator[Listener]:
    async with listening(documents.settings.broker_url) as listener:
        yield listener


async def erase(family: Household) -> None:
    """Have identity tell that a family is erased."""
    await family.running.react(
        FamilyErased(
            family_id=family.caller.family(),
            student_ids=family.students,
            erased_at=datetime.now(UTC),
        )
    )


async def finish(documents: Running[DocumentsSettings]) -> None:
    """Finish the erasures as if they had been asked long ago."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    await finish_asked_by(now, documents.database, store_given(documents))


async def rows_of(family: Household) -> int:
    """Count what is on record of a family, its students and their documents."""
    family_id, students = family.caller.family(), family.students
    statements = (
        sa.select(tables.document.c.id).where(
            sa.or_(
                tables.document.c.family_id == family_id,
                tables.document.c.student_id.in_(students),
            )
        ),
        sa.select(tables.family.c.id).where(tables.family.c.id == family_id),
        sa.select(tables.told_pieces.c.family_id).where(
            tables.told_pieces.c.family_id == family_id
        ),
        sa.select(tables.declined_piece.c.family_id).where(
            tables.declined_piece.c.family_id == family_id
        ),
        sa.select(tables.student.c.id).where(tables.student.c.family_id == family_id),
        sa.select(tables.student_disciplines.c.student_id).where(
            tables.student_disciplines.c.student_id.in_(students)
        ),
    )
    async with family.running.database.transaction() as tx:
        return sum([len((await tx.execute(one)).all()) for one in statements])


async def test_nothing_is_left_of_an_erased_family_and_that_is_told(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family, other = await household(documents), await household(documents)
    await documents.react(dances(family.students[0]))
    given, published = await family.give(pdf()), await family.publish(pdf())
    begun = await family.open("rib")
    await send(begun, pdf())
    await family.decline("medical-danse")
    kept = await other.give(pdf())
    await erase(family)
    for question in (
        OpenDocument(document_id=given.id),
        OpenDocument(document_id=published.id),
        ListPieces(campaign_id=family.campaign_id),
        PublishedDocuments(student_id=family.students[0]),
    ):
        assert await code_of(documents.ask(question, family.caller)) == "not_found"
    await finish(documents)
    assert await rows_of(family) == 0
    store = store_given(documents)
    left = await ids(store) | await ids(store, incoming=True)
    assert not left & {given.id, published.id, begun.document_id}
    assert (await other.download(kept.id))[0] == pdf()
    await eventually(lambda: listener.of(family.caller.family()))
    await finish(documents)
    assert listener.of(family.caller.family()) == ["piece_declined", "family_documents_erased"]


async def test_it_is_not_told_while_a_ticket_may_still_bring_a_file(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    await family.open()
    await erase(family)
    await finish_erasures(documents.database, store_given(documents))
    assert await rows_of(family) == 1


async def test_what_is_told_late_of_an_erased_family_is_not_kept(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    await erase(family)
    await documents.react(recorded(family, {family.students[0]: None}, revision=7))
    assert await rows_of(family) == 0
    assert await code_of(family.open()) == "not_found"


async def test_what_is_told_while_a_family_is_erased_is_not_kept(
    documents: Running[DocumentsSettings],
) -> None:
    family = Household(documents, family_caller(), new_id(), (new_id(),))
    async with asyncio.TaskGroup() as group, documents.database.transaction() as tx:
        await remember_families(recorded(family, {family.students[0]: None}), tx)
        erasing = group.create_task(erase(family))
        await eventually(lambda: is_waiting(documents, erasing))
    assert await rows_of(family) == 0


async def is_waiting(documents: Running[DocumentsSettings], erasing: asyncio.Task[None]) -> bool:
    """Whether an erasure waits for somebody's lock, or is over."""
    async with documents.database.transaction() as tx:
        waiting = sa.text(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
            " WHERE datname = current_database() AND NOT granted"
        )
        return bool(await tx.scalar(waiting)) or erasing.done()


async def test_a_student_s_publications_stay_where_another_family_has_the_student(
    documents: Running[DocumentsSettings],
) -> None:
    family, other = await household(documents), await household(documents)
    published = await family.publish(pdf())
    await documents.react(recorded(other, {family.students[0]: None}, revision=2))
    await erase(family)
    await finish(documents)
    assert (await other.download(published.id))[0] == pdf()


async def test_while_the_store_is_away_the_erasure_waits_and_is_not_told(
    documents: Running[DocumentsSettings], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = await household(documents)
    given = await family.give(pdf())
    await erase(family)

    async def away(_: object) -> None:
        raise StoreUnavailable("store_unavailable", "", status=503)

    store = store_given(documents)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(store, "erase", away)
        with pytest.raises(StoreUnavailable):
            await finish(documents)
    assert await rows_of(family) == 1
    await finish(documents)
    assert await rows_of(family) == 0
    assert given.id not in await ids(store)
    await eventually(lambda: listener.of(family.caller.family()))
