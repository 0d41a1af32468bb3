"""What documents finishes, erases and compares by itself, in a bucket of the test's own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings
from documents.check_store import run
from documents.erasure import erase_closed, finish_uploads, sweep_uploads
from documents.orphans import clear_incoming, compare, put_right, remove_strays
from documents.store import ObjectStore, StoreUnavailable
from prometheus_client import REGISTRY
from shared.contracts.documents import DocumentHistory, OpenUpload, RemoveDocument
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import code_of, household, send
from tests.document_stores import (
    LATER,
    documents_apart,
    ids,
    names,
    new_bucket,
    put_back,
    states,
    store_away,
    store_given,
    store_of,
)
from tests.harness import Running, eventually

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with documents_apart(servers, new_bucket()) as documents:
        yield documents


@pytest.fixture
def store(documents: Running[DocumentsSettings]) -> ObjectStore:
    return store_given(documents)


async def test_a_file_that_arrived_and_that_nobody_told_of_is_registered_by_the_service(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    ticket = await family.open()
    content = pdf()
    await send(ticket, content)
    await put_back(documents, ticket.document_id)
    await sweep_uploads(documents.database, store)
    assert (await family.verified(ticket.document_id)).state == "deposited"
    assert (await family.download(ticket.document_id))[0] == content
    steps = await documents.ask(DocumentHistory(document_id=ticket.document_id), family.caller)
    assert [(step.state, step.by) for step in steps] == [
        ("expected", "family"),
        ("analysing", "service"),
        ("deposited", "service"),
    ]


async def test_two_replicas_that_sweep_at_once_register_a_file_once(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    tickets = [await family.open(code) for code in ("domicile", "rib")]
    for ticket in tickets:
        await send(ticket, pdf())
    await asyncio.gather(
        *(finish_uploads(documents.database, store, datetime.now(UTC)) for _ in range(3)),
        *(family.register(ticket.document_id) for ticket in tickets),
    )
    for ticket in tickets:
        await family.verified(ticket.document_id)
        steps = await documents.ask(DocumentHistory(document_id=ticket.document_id), family.caller)
        assert [step.state for step in steps] == ["expected", "analysing", "deposited"]


async def test_a_late_arrival_does_not_replace_what_was_sent_since(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    forgotten = await family.open()
    await send(forgotten, pdf(100))
    present = await family.give(pdf(300))
    await put_back(documents, forgotten.document_id)
    await sweep_uploads(documents.database, store)
    assert await family.given("domicile") == present
    assert await states(documents, forgotten.document_id) == {forgotten.document_id: "abandoned"}
    assert await ids(store, incoming=True) == set()


async def test_an_upload_that_never_arrived_is_abandoned_and_a_recent_one_is_waited_for(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    ticket, recent = await family.open(), await family.open("rib")
    await put_back(documents, ticket.document_id)
    await sweep_uploads(documents.database, store)
    assert await code_of(family.register(ticket.document_id)) == "upload_not_received"
    await send(recent, pdf())
    await family.register(recent.document_id)
    assert (await family.verified(recent.document_id)).state == "deposited"


async def test_an_upload_whose_ticket_was_given_again_is_waited_for_again(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    opening = OpenUpload(
        document_id=new_id(),
        campaign_id=family.campaign_id,
        type_code="domicile",
        filename="facture.pdf",
        size=len(pdf()),
    )
    await documents.ask(opening, family.caller)
    await put_back(documents, opening.document_id)
    ticket = await documents.ask(opening, family.caller)
    await sweep_uploads(documents.database, store)
    await send(ticket, pdf())
    await family.register(ticket.document_id)
    assert (await family.verified(ticket.document_id)).state == "deposited"


async def test_what_waits_for_its_verification_is_not_cleared_however_long_it_waits(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    waiting, second = await family.open(), await family.open("rib")
    for ticket in (waiting, second):
        await send(ticket, pdf())
    given = await family.register(second.document_id)
    await family.verified(given.id)
    await send(second, b"sent again with the same ticket")
    assert await ids(store, incoming=True) == {waiting.document_id, given.id}
    await clear_incoming(documents.database, store, datetime.now(UTC) + LATER)
    assert await ids(store, incoming=True) == {waiting.document_id}
    assert await ids(store) == {given.id}


async def test_files_are_erased_once_the_store_is_back(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    removed, kept = await family.give(pdf()), await family.give(pdf(), type_code="rib")
    away = store_away()
    await documents.ask(RemoveDocument(document_id=removed.id), family.caller)
    async with documents.database.transaction() as tx:
        await tx.execute(
            sa.update(tables.document)
            .where(tables.document.c.id == removed.id)
            .values(erased_at=None)
        )
    await store.keep(
        f"{family.campaign_id}/{family.caller.family()}/{removed.id}", b"x", "image/png"
    )
    with pytest.raises(StoreUnavailable):
        await erase_closed(documents.database, away)
    assert await ids(store) == {removed.id, kept.id}
    await sweep_uploads(documents.database, away)
    await sweep_uploads(documents.database, store)
    assert await ids(store) == {kept.id}


async def test_the_store_and_the_records_are_compared_page_by_page(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    lost, kept = await family.give(pdf()), await family.give(pdf(), type_code="rib")
    published = await family.publish(pdf())
    await eventually_cleared(store)
    key = f"{family.campaign_id}/{family.caller.family()}/"
    await store.remove([f"{key}{lost.id}"])
    strays = [f"{key}{new_id()}", "notes.txt", f"published/{new_id()}/{new_id()}/{new_id()}"]
    for name in strays:
        await store.keep(name, b"stray", "application/pdf")
    young = await compare(documents.database, store, datetime.now(UTC) - LATER)
    assert (young.objects, young.strays, young.missing) == (5, (), (lost.id,))
    found = await compare(documents.database, store, datetime.now(UTC) + LATER)
    assert (set(found.strays), found.missing) == (set(strays), (lost.id,))
    await remove_strays(store, found.strays)
    assert await ids(store) == {kept.id, published.id}


async def test_a_missing_file_is_found_wherever_its_name_falls_between_pages(
    documents: Running[DocumentsSettings], store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    families = [await household(documents) for _ in range(5)]
    kept = {}
    for family in families:
        given = await family.give(pdf())
        kept[f"{family.campaign_id}/{family.caller.family()}/{given.id}"] = given.id
    await eventually_cleared(store)
    in_order = sorted(kept)
    await store.remove([in_order[0], in_order[2], in_order[4]])
    monkeypatch.setattr("documents.store.PAGE", 1)
    found = await compare(documents.database, store, datetime.now(UTC) + LATER)
    assert (found.objects, found.strays) == (2, ())
    assert found.missing == (kept[in_order[0]], kept[in_order[2]], kept[in_order[4]])


async def test_an_empty_bucket_shows_every_document_missing(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    family = await household(documents)
    given = await family.give(pdf())
    published = await family.publish(pdf())
    await store.remove(await names(store))
    found = await compare(documents.database, store, datetime.now(UTC))
    assert (found.objects, set(found.missing)) == (0, {given.id, published.id})


async def test_the_sweep_removes_strays_but_not_the_files_of_a_lost_database(
    documents: Running[DocumentsSettings], store: ObjectStore
) -> None:
    soon = datetime.now(UTC) + LATER
    await store.keep("stray", b"stray", "application/pdf")
    await put_right(documents.database, store, soon)
    assert await names(store) == set()
    of_a_family = {f"{new_id()}/{new_id()}/{new_id()}" for _ in range(100)}
    of_a_family.add(f"incoming/{new_id()}/{new_id()}/{new_id()}")
    for name in of_a_family:
        await store.keep(name, b"a family's", "application/pdf")
    await put_right(documents.database, store, soon)
    await clear_incoming(documents.database, store, soon)
    assert await names(store) == of_a_family
    assert REGISTRY.get_sample_value("rentree_store_strays") == 101


async def test_check_store_names_what_is_wrong_and_mends_what_can_be(
    documents: Running[DocumentsSettings], store: ObjectStore, capsys: pytest.CaptureFixture[str]
) -> None:
    family = await household(documents)
    given = await family.give(pdf())

    async def check(*words: str) -> tuple[int, list[str]]:
        """Give the exit code and what was said, without the log's lines."""
        capsys.readouterr()
        code = await run(documents.database, store, words, datetime.now(UTC) + LATER)
        said = capsys.readouterr().out.splitlines()
        return code, [line for line in said if not line.startswith("20")]

    await eventually_cleared(store)
    assert await check() == (0, ["1 object(s), nothing wrong"])
    await store.keep("stray", b"stray", "application/pdf")
    explained = ["stray: no document explains it", "2 object(s), 1 wrong"]
    assert await check() == (1, explained)
    assert (await check("--mend"))[0] == 0
    assert await ids(store) == {given.id}
    await store.remove(await names(store))
    assert await check("--mend") == (
        1,
        [f"{given.id}: its file is missing", "0 object(s) removed", "0 object(s), 1 wrong"],
    )


async def test_check_store_is_a_command_of_the_service(
    servers: Stack, documents: Running[DocumentsSettings]
) -> None:
    family = await household(documents)
    await family.give(pdf())
    bucket, administrator = new_bucket(), servers.store.administrator
    await store_of(servers, bucket).set_up()
    given = servers.variables("documents") | {
        "RENTREE_DATABASE_URL": documents.settings.database_url,
        "RENTREE_STORE_BUCKET": bucket,
        "RENTREE_STORE_ACCESS_KEY": administrator.access_key,
        "RENTREE_STORE_SECRET_KEY": administrator.secret_key,
    }
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "documents", "check-store"),
        env=os.environ | given,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await command.communicate()
    assert said.decode().splitlines()[-1] == "0 object(s), 1 wrong"
    assert command.returncode == 1


async def eventually_cleared(store: ObjectStore) -> None:
    """Wait until what was verified no longer lies as it was sent."""

    async def is_cleared() -> bool:
        return await ids(store, incoming=True) == set()

    await eventually(is_cleared)
