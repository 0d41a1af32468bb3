"""Nothing is left of what is purged: no row, no history, no version of a file (S96)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings
from documents.forgetting import finish_asked_by
from documents.retention import purge_after, purge_until
from documents.store import StoreUnavailable
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig
from shared.contracts.documents import OpenDocument
from shared.contracts.identity import FamilyErased
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import Household, dances, household
from tests.document_stores import (
    client,
    documents_apart,
    names,
    new_bucket,
    store_away,
    store_given,
    store_of,
)
from tests.harness import Running

pytestmark = pytest.mark.servers

KEPT_UNTIL = purge_after("2027-2028")
"""The households of these tests have a campaign for 2027-2028, and bulletins of the year before."""


@pytest_asyncio.fixture
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    """A service whose store keeps every version of every file."""
    bucket = new_bucket()
    await store_of(servers, bucket).set_up()
    versioned = VersioningConfig(ENABLED)
    client(servers, servers.store.administrator).set_bucket_versioning(bucket, versioned)
    async with documents_apart(servers, bucket) as documents:
        yield documents


async def rows(documents: Running[DocumentsSettings]) -> dict[str, int]:
    """Count what is on record of documents."""
    counted = (
        *(tables.document, tables.document_step, tables.document_reading),
        tables.student_disciplines,
        tables.declined_piece,
    )
    async with documents.database.transaction() as tx:
        return {
            table.name: await tx.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in counted
        }


async def give_all(family: Household) -> None:
    """Give a piece twice, read it, decline another, and have the site publish a bulletin."""
    await family.decline("rib")
    await family.give(pdf(100))
    given = await family.give(pdf(300))
    await family.running.ask(OpenDocument(document_id=given.id), family.caller)
    await family.publish(pdf())


async def test_what_has_been_kept_for_two_school_years_leaves_no_trace(
    documents: Running[DocumentsSettings],
) -> None:
    store = store_given(documents)
    family = await household(documents)
    await documents.react(dances(family.students[0]))
    await give_all(family)
    before_its_time = datetime(2029, 8, 31, 21, 59, tzinfo=UTC)
    await purge_until(documents.database, store, before_its_time)
    kept = await rows(documents)
    assert (kept["document"], kept["document_reading"]) == (2, 1)
    await purge_until(documents.database, store, KEPT_UNTIL)
    assert set((await rows(documents)).values()) == {0}
    assert await names(store) == set()


async def test_a_purge_that_the_store_holds_up_shows_nothing_and_is_done_later(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    await family.give(pdf())
    with pytest.raises(StoreUnavailable):
        await purge_until(documents.database, store_away(), KEPT_UNTIL)
    assert await family.given("domicile") is None
    assert (await rows(documents))["document"] == 1
    await purge_until(documents.database, store_given(documents), KEPT_UNTIL)
    assert (await rows(documents))["document"] == 0
    assert await names(store_given(documents)) == set()


async def test_no_version_of_an_erased_family_s_files_is_left_and_its_neighbour_s_are(
    documents: Running[DocumentsSettings],
) -> None:
    store = store_given(documents)
    family, neighbour = await household(documents), await household(documents)
    await give_all(family)
    given = await neighbour.give(pdf())
    await documents.react(
        FamilyErased(
            family_id=family.caller.family(),
            student_ids=family.students,
            erased_at=datetime.now(UTC),
        )
    )
    await finish_asked_by(datetime.now(UTC), documents.database, store)
    kept = f"{neighbour.campaign_id}/{neighbour.caller.family()}/{given.id}"
    left = await names(store)
    assert kept in left
    assert left <= {kept, f"incoming/{kept}"}  # the latter is cleared by its verification
    assert (await rows(documents))["document"] == 1
    assert await neighbour.given("domicile") == given
