"""Nothing is read before it was scanned and opened; each file is settled once, whatever fails."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables, verification
from documents.app import DocumentsSettings, resources, service
from documents.findings import Finding
from documents.inspectors import InspectionCrashed, Inspectors, InspectorsUnavailable
from documents.scanner import Scanner
from documents.store import ObjectStore
from documents.uploads import Upload
from documents.verification import FAILURES_ALLOWED, Verification, verify_uploads
from PIL import ExifTags, Image
from shared.contracts.documents import ImportPieces, OpenDocument, RemoveDocument, ShowDocument
from shared.contracts.files import ContentType, Document
from stack.remembered import free_port
from stack.running import Stack

from tests.antivirus import antivirus, clean
from tests.document_files import LEGITIMATE, pdf, photograph, png
from tests.document_households import PIECES, Household, code_of, household, lines
from tests.harness import Running, eventually, operator, running
from tests.hostile_files import HOSTILE, INFECTED_FILES
from tests.hostile_parts import Hostile

pytestmark = pytest.mark.servers

SENDING_AT_ONCE = 8
WITHIN_SECONDS = 240


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    """The service with its real antivirus, verifying what it is sent."""
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def idle(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    """The service, verifying only what a test has it verify."""
    without_chores = dataclasses.replace(service, chores=())
    async with running(servers, without_chores, DocumentsSettings, resources) as idle:
        await idle.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield idle


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once what has to wait."""
    monkeypatch.setattr(verification, "_AGAIN_AFTER", verification.LEASE * 0)


def given[Wanted](running: Running[DocumentsSettings], wanted: type[Wanted]) -> Wanted:
    found = running.replica.given[wanted]
    assert isinstance(found, wanted)
    return found


def replica(
    running: Running[DocumentsSettings],
    *,
    scanner: Scanner | None = None,
    inspectors: Inspectors | None = None,
) -> Verification:
    """One more replica's part in the verification, with another antivirus or other inspectors."""
    return Verification(
        running.database,
        given(running, ObjectStore),
        scanner or given(running, Scanner),
        inspectors or given(running, Inspectors),
    )


async def verify(
    running: Running[DocumentsSettings],
    *,
    scanner: Scanner | None = None,
    inspectors: Inspectors | None = None,
) -> None:
    """Have a replica go once through what waits."""
    await verify_uploads(
        running.database,
        given(running, ObjectStore),
        scanner or given(running, Scanner),
        inspectors or given(running, Inspectors),
    )


async def shown(family: Household, document_id: UUID) -> Document:
    return await family.running.ask(ShowDocument(document_id=document_id), family.caller)


async def steps(running: Running[DocumentsSettings], document_id: UUID) -> list[str]:
    async with running.database.transaction() as tx:
        step = tables.document_step
        found = await tx.scalars(
            sa.select(step.c.state).where(step.c.document_id == document_id).order_by(step.c.id)
        )
        return list(found)


async def let_the_lease_run_out(running: Running[DocumentsSettings], document_id: UUID) -> None:
    async with running.database.transaction() as tx:
        await tx.execute(
            sa.update(tables.document)
            .where(tables.document.c.id == document_id)
            .values(verify_after=sa.func.now())
        )


async def hand_in_all(
    documents: Running[DocumentsSettings], files: Sequence[tuple[str, bytes]]
) -> list[tuple[Household, Document]]:
    """Send files as so many families would, and wait until all were verified."""
    turn = asyncio.Semaphore(SENDING_AT_ONCE)

    async def hand_in(filename: str, content: bytes) -> tuple[Household, Document]:
        async with turn:
            family = await household(documents)
            return family, await family.hand_in(content, filename)

    sent = await asyncio.gather(*(hand_in(*one) for one in files))
    await eventually(
        lambda: nothing_waits(documents), within_seconds=WITHIN_SECONDS, every_seconds=0.5
    )
    return [(family, await shown(family, document.id)) for family, document in sent]


async def nothing_waits(documents: Running[DocumentsSettings]) -> bool:
    async with documents.database.transaction() as tx:
        waiting = sa.exists().where(tables.document.c.state == "analysing")
        return not await tx.scalar(sa.select(waiting))


async def test_no_hostile_file_becomes_readable_and_each_says_why(
    documents: Running[DocumentsSettings],
) -> None:
    corpus: list[Hostile] = [*HOSTILE, *INFECTED_FILES]
    files = await asyncio.to_thread(lambda: [(one.filename, one.content) for one in corpus])
    ended = await hand_in_all(documents, files)
    for hostile, (family, document) in zip(corpus, ended, strict=True):
        assert (hostile.what, document.state) == (hostile.what, "refused")
        assert (hostile.what, hostile.word in document.refusal) == (hostile.what, True)
        opening = family.running.ask(OpenDocument(document_id=document.id), family.caller)
        assert await code_of(opening) == "not_found"
        assert "\n" not in document.filename
        assert "/" not in document.filename
    await eventually(lambda: not any(family.stored() for family, _ in ended))


async def test_what_families_send_is_deposited_and_no_photograph_tells_where_it_was_taken(
    documents: Running[DocumentsSettings],
) -> None:
    files = [(filename, make()) for filename, make in LEGITIMATE.values()]
    ended = await hand_in_all(documents, files)
    for what, (_, document) in zip(LEGITIMATE, ended, strict=True):
        assert (what, document.state, document.refusal) == (what, "deposited", "")
    for (filename, sent), (family, document) in zip(files, ended, strict=True):
        downloaded, disposition = await family.download(document.id)
        assert len(downloaded) == document.size
        assert filename in disposition
        if document.content_type == "application/pdf":
            assert downloaded == sent
        else:
            exif = Image.open(io.BytesIO(downloaded)).getexif()
            assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
            assert b"chez nous" not in downloaded


async def test_replicas_share_what_waits_and_settle_each_file_once(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    others = [await household(idle) for _ in range(11)]
    sent = [await one.hand_in(pdf(), "facture.pdf") for one in (family, *others)]
    await asyncio.gather(verify(idle), verify(idle), verify(idle))
    for document in sent:
        assert await steps(idle, document.id) == ["expected", "analysing", "deposited"]


async def test_what_a_killed_replica_was_at_is_taken_up_and_its_late_answer_changes_nothing(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    document = await family.hand_in(pdf())
    killed = replica(idle)
    (claimed,) = await killed.claim(1)
    assert not await replica(idle).claim(1)
    await let_the_lease_run_out(idle, document.id)
    await verify(idle)
    assert (await shown(family, document.id)).state == "deposited"
    await killed.verify(claimed)
    assert await steps(idle, document.id) == ["expected", "analysing", "deposited"]
    assert family.stored() == {f"{family.campaign_id}/{family.caller.family_id}/{document.id}"}


async def test_a_file_waits_for_the_antivirus_however_long_and_passes_when_it_is_back(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    document = await family.hand_in(pdf())
    port = free_port(())
    away = Scanner(f"tcp://127.0.0.1:{port}")
    for _ in range(FAILURES_ALLOWED + 2):
        await verify(idle, scanner=away)
    waiting = await shown(family, document.id)
    assert (waiting.state, waiting.is_readable) == ("analysing", False)
    async with antivirus(clean, port):
        await verify(idle, scanner=away)
    assert (await shown(family, document.id)).state == "deposited"


async def test_a_file_waits_where_no_process_can_open_any(
    idle: Running[DocumentsSettings],
) -> None:
    class Helpless(Inspectors):
        async def inspect(self, content: bytes, announced: ContentType) -> Finding:
            raise InspectorsUnavailable(f"{announced}, {len(content)} bytes")

    family = await household(idle)
    document = await family.hand_in(pdf())
    for _ in range(FAILURES_ALLOWED + 2):
        await verify(idle, inspectors=Helpless(1))
    assert (await shown(family, document.id)).state == "analysing"
    await verify(idle)
    assert (await shown(family, document.id)).state == "deposited"


async def test_a_file_that_brings_its_process_down_each_time_is_refused_in_the_end(
    idle: Running[DocumentsSettings],
) -> None:
    class Crashing(Inspectors):
        times = 0

        async def inspect(self, content: bytes, announced: ContentType) -> Finding:
            self.times += 1
            raise InspectionCrashed(f"{announced}, {len(content)} bytes")

    family = await household(idle)
    document = await family.hand_in(pdf())
    crashing = Crashing(1)
    await verify(idle, inspectors=crashing)
    assert crashing.times == FAILURES_ALLOWED
    refused = await shown(family, document.id)
    assert refused.state == "refused"
    assert "n'a pas pu être analysé" in refused.refusal


async def test_a_file_removed_while_it_is_verified_leaves_nothing_in_the_store(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    document = await family.hand_in(photograph(600, 400), "photo.jpg")
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def linger(content: bytes) -> bytes:
        asked.set()
        await go_on.wait()
        return await clean(content)

    async with antivirus(linger) as url:
        verifying = asyncio.create_task(verify(idle, scanner=Scanner(url)))
        await asked.wait()
        await idle.ask(RemoveDocument(document_id=document.id), family.caller)
        go_on.set()
        await verifying
    assert family.stored() == set()
    assert await steps(idle, document.id) == ["expected", "analysing", "removed"]


async def test_a_file_kept_while_it_is_being_erased_leaves_the_store_too(
    idle: Running[DocumentsSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    family = await household(idle)
    document = await family.hand_in(pdf())
    (claimed,) = await replica(idle).claim(1)
    store = given(idle, ObjectStore)
    fetch, erase = store.fetch, store.erase
    fetched, erased, settled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def fetch_early(key: str) -> bytes | None:
        content = await fetch(key)
        fetched.set()
        await erased.wait()
        return content

    async def erase_slowly(keys: Iterable[str]) -> None:
        await erase(keys)
        erased.set()
        await settled.wait()

    class SettlingBeforeTheErasureIsNoted(Verification):
        async def _settle(self, claimed: Upload, finding: Finding) -> str:
            outcome = await super()._settle(claimed, finding)
            settled.set()
            await removing
            return outcome

    monkeypatch.setattr(store, "fetch", fetch_early)
    monkeypatch.setattr(store, "erase", erase_slowly)
    verification = SettlingBeforeTheErasureIsNoted(
        idle.database, store, given(idle, Scanner), given(idle, Inspectors)
    )
    verifying = asyncio.create_task(verification.verify(claimed))
    await fetched.wait()
    removal = RemoveDocument(document_id=document.id)
    removing = asyncio.create_task(idle.ask(removal, family.caller))
    assert await verifying
    assert family.stored() == set()


async def test_the_former_document_stays_until_the_new_one_is_verified(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    former = await family.hand_in(pdf())
    await verify(idle)
    latter = await family.hand_in(png(), "facture.png")
    piece = await family.piece("domicile")
    assert piece.document is not None
    assert piece.attempt is not None
    assert (piece.document.id, piece.attempt.id) == (former.id, latter.id)
    await verify(idle)
    piece = await family.piece("domicile")
    assert piece.document is not None
    assert (piece.document.id, piece.attempt) == (latter.id, None)
    assert family.stored() == {f"{family.campaign_id}/{family.caller.family_id}/{latter.id}"}


async def test_a_service_that_ends_gives_back_what_it_was_at(
    idle: Running[DocumentsSettings],
) -> None:
    family = await household(idle)
    document = await family.hand_in(pdf())
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def linger(content: bytes) -> bytes:
        asked.set()
        await go_on.wait()
        return await clean(content)

    async with antivirus(linger) as url:
        verifying = asyncio.create_task(verify(idle, scanner=Scanner(url)))
        await asked.wait()
        verifying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await verifying
        go_on.set()
    await verify(idle)
    assert (await shown(family, document.id)).state == "deposited"
