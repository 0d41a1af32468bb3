"""Documents on a real database, broker and store: from the ticket to the download."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings, resources, service
from shared.contract import Ask
from shared.contracts.documents import (
    DocumentHistory,
    ImportPieces,
    ListPieces,
    MissingPieces,
    OpenDocument,
    OpenUpload,
    RegisterUpload,
    RemoveDocument,
    ShowDocument,
)
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf, png
from tests.document_households import (
    PIECES,
    Household,
    code_of,
    household,
    lines,
    send,
)
from tests.document_listeners import Listener, listening
from tests.harness import Running, eventually, operator, running, staff_caller

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def listener(documents: Running[DocumentsSettings]) -> AsyncIterator[Listener]:
    async with listening(documents.settings.broker_url) as listener:
        yield listener


async def test_a_pdf_goes_straight_to_the_store_and_serves_every_student_of_the_family(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents, None, None)
    content = pdf()
    handed_in = await family.hand_in(content, "Relevé d'août.pdf")
    document = await family.verified(handed_in.id)
    assert (document.state, document.size) == ("deposited", len(content))
    assert document.deposited_at == handed_in.deposited_at
    assert document == await family.given("domicile", 0) == await family.given("domicile", 1)
    downloaded, disposition = await family.download(document.id)
    assert downloaded == content
    assert disposition.startswith("attachment")
    assert "Relev%C3%A9%20d%27ao%C3%BBt.pdf" in disposition


@pytest.mark.parametrize("filename", ["capture.png", "CAPTURE.PNG"])
async def test_an_image_is_a_document_too(
    documents: Running[DocumentsSettings], filename: str
) -> None:
    family = await household(documents)
    document = await family.give(png(), filename)
    assert (document.state, document.is_readable) == ("deposited", True)
    downloaded, _ = await family.download(document.id)
    assert downloaded.startswith(png()[:8])
    assert len(downloaded) == document.size


async def test_a_text_renamed_pdf_is_refused_says_why_and_leaves_nothing_in_the_store(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    refused = await family.give(b"Ceci n'est pas un PDF.")
    assert (refused.state, refused.is_readable) == ("refused", False)
    assert "PDF" in refused.refusal
    piece = await family.piece("domicile")
    assert (piece.document, piece.attempt) == (None, refused)
    await eventually(lambda: not family.stored())
    await eventually(lambda: listener.of(refused.id))
    assert listener.of(refused.id) == ["document_refused"]


async def test_a_refused_file_replaces_nothing_and_gives_way_to_the_next(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    refused = await family.give(b"Ceci n'est pas un PDF.")
    piece = await family.piece("domicile")
    assert (piece.document, piece.attempt) == (document, refused)
    present = await family.give(pdf(300))
    piece = await family.piece("domicile")
    assert (piece.document, piece.attempt) == (present, None)


async def test_a_refused_file_can_be_dismissed(documents: Running[DocumentsSettings]) -> None:
    family = await household(documents)
    refused = await family.give(b"Ceci n'est pas un PDF.")
    await documents.ask(RemoveDocument(document_id=refused.id), family.caller)
    assert (await family.piece("domicile")).attempt is None


async def test_nobody_reads_a_file_before_it_was_verified(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, pdf())
    unread = OpenDocument(document_id=ticket.document_id)
    for reader in (family.caller, family.staff):
        assert await code_of(documents.ask(unread, reader)) == "not_found"


async def test_a_family_s_piece_is_sent_without_any_student_s_page(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    of_family = await documents.ask(ListPieces(campaign_id=family.campaign_id), family.caller)
    assert {piece.type_code for piece in of_family.family} == {"domicile", "rib"}
    assert of_family.student == ()
    opening = OpenUpload(
        document_id=new_id(),
        campaign_id=family.campaign_id,
        type_code="domicile",
        filename="x" * 400 + ".pdf",
        size=len(pdf()),
    )
    ticket = await documents.ask(opening, family.caller)
    await send(ticket, pdf())
    await family.register(ticket.document_id)
    document = await family.verified(ticket.document_id)
    assert await family.given("domicile") == document
    assert document.filename == "x" * 251 + ".pdf"
    certificate = opening.model_copy(update={"document_id": new_id(), "type_code": "medical-danse"})
    assert await code_of(documents.ask(certificate, family.caller)) == "not_found"


async def test_another_family_finds_nothing_by_any_identifier(
    documents: Running[DocumentsSettings],
) -> None:
    family, other = await household(documents), await household(documents)
    given = await family.give(pdf())
    ticket = await family.open("rib")
    upload = OpenUpload(
        document_id=new_id(),
        campaign_id=other.campaign_id,
        student_id=family.students[0],
        type_code="rib",
        filename="rib.pdf",
        size=100,
    )
    asked: tuple[Ask[Any], ...] = (
        ListPieces(campaign_id=family.campaign_id, student_id=family.students[0]),
        ListPieces(campaign_id=other.campaign_id, student_id=family.students[0]),
        ListPieces(campaign_id=family.campaign_id, student_id=other.students[0]),
        MissingPieces(
            campaign_id=family.campaign_id,
            family_id=family.caller.family(),
            student_id=family.students[0],
        ),
        OpenDocument(document_id=given.id),
        ShowDocument(document_id=given.id),
        DocumentHistory(document_id=given.id),
        RegisterUpload(document_id=given.id),
        RegisterUpload(document_id=ticket.document_id),
        RemoveDocument(document_id=given.id),
        upload,
        upload.model_copy(update={"campaign_id": family.campaign_id}),
        upload.model_copy(
            update={"document_id": ticket.document_id, "student_id": other.students[0]}
        ),
        upload.model_copy(update={"student_id": other.students[0], "type_code": "unknown"}),
    )
    for question in asked:
        assert await code_of(documents.ask(question, other.caller)) == "not_found", question
    assert await family.given("domicile") == given


async def test_the_deadline_and_the_preparation_date_are_kept_by_the_server(
    documents: Running[DocumentsSettings],
) -> None:
    late = await household(documents, due_in=timedelta(seconds=-1))
    assert await code_of(late.open()) == "documents_closed"
    early = await household(documents, prepared_in=timedelta(hours=1))
    assert await code_of(early.open()) == "documents_not_open"
    assert (await late.pieces()).family


async def test_what_was_begun_before_the_deadline_is_kept_and_can_no_more_be_taken_back(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, pdf())
    async with documents.database.transaction() as tx:
        await tx.execute(
            sa.update(tables.campaign)
            .where(tables.campaign.c.id == family.campaign_id)
            .values(documents_due_at=datetime.now(UTC))
        )
    await family.register(ticket.document_id)
    document = await family.verified(ticket.document_id)
    removal = RemoveDocument(document_id=document.id)
    assert await code_of(documents.ask(removal, family.caller)) == "documents_closed"
    assert await family.given("domicile") == document


async def test_a_new_file_replaces_the_former_one_and_both_facts_are_told(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    former = await family.give(pdf(100))
    present = await family.give(pdf(300), "plus récent.pdf")
    assert await family.given("domicile") == present
    assert await code_of(family.register(former.id)) == "not_found"
    await eventually(lambda: not any(str(former.id) in key for key in family.stored()))
    await eventually(lambda: listener.of(present.id))
    assert listener.of(former.id) == ["document_deposited", "document_removed"]
    assert listener.of(present.id) == ["document_deposited"]


async def test_registering_many_times_at_once_deposits_once(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, pdf())
    answers = await asyncio.gather(*(family.register(ticket.document_id) for _ in range(6)))
    assert {answer.id for answer in answers} == {ticket.document_id}
    await family.verified(ticket.document_id)
    last = await family.give(pdf(300))
    await eventually(lambda: listener.of(last.id))
    assert listener.of(ticket.document_id) == ["document_deposited", "document_removed"]


async def is_verified(family: Household) -> bool:
    """Whether nothing is being analysed for the proof of address."""
    return (await family.piece("domicile")).attempt is None


async def test_two_guardians_giving_the_same_piece_at_once_leave_one_document(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    tickets = [await family.open() for _ in range(4)]
    for ticket in tickets:
        await send(ticket, pdf())
    await asyncio.gather(
        *(family.register(ticket.document_id) for ticket in tickets), return_exceptions=True
    )
    await eventually(lambda: is_verified(family))
    async with documents.database.transaction() as tx:
        states = await tx.execute(
            sa.select(tables.document.c.state).where(
                tables.document.c.campaign_id == family.campaign_id
            )
        )
    assert sorted(states.scalars()) == ["deposited", "removed", "removed", "removed"]
    assert await family.given("domicile") is not None


async def test_a_document_taken_back_is_gone_and_taking_it_back_again_is_harmless(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    for _ in range(2):
        await documents.ask(RemoveDocument(document_id=document.id), family.caller)
    assert await family.given("domicile") is None
    await eventually(lambda: not family.stored())
    link = OpenDocument(document_id=document.id)
    assert await code_of(documents.ask(link, family.caller)) == "not_found"
    last = await family.give(pdf())
    await eventually(lambda: listener.of(last.id))
    assert listener.of(document.id) == ["document_deposited", "document_removed"]


async def test_everything_that_happened_to_a_document_is_told(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    await documents.ask(RemoveDocument(document_id=document.id), family.caller)
    asked = DocumentHistory(document_id=document.id)
    for reader in (family.caller, family.staff):
        steps = await documents.ask(asked, reader)
        assert [(step.state, step.by) for step in steps] == [
            ("expected", "family"),
            ("analysing", "family"),
            ("deposited", "service"),
            ("removed", "family"),
        ]
        assert [step.happened_at for step in steps] == sorted(step.happened_at for step in steps)


async def test_each_reading_is_logged(documents: Running[DocumentsSettings]) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    await family.download(document.id)
    await documents.ask(OpenDocument(document_id=document.id), family.staff)
    async with documents.database.transaction() as tx:
        readings = await tx.execute(
            sa.select(tables.document_reading.c.actor, tables.document_reading.c.account_id)
            .where(tables.document_reading.c.document_id == document.id)
            .order_by(tables.document_reading.c.id)
        )
        logged = [tuple(row) for row in readings]
    assert logged[0] == ("family", family.caller.account_id)
    assert [actor for actor, _ in logged] == ["family", "staff"]


async def test_what_is_missing_is_told_to_the_family_and_to_the_staff_of_its_site(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    asked = MissingPieces(
        campaign_id=family.campaign_id,
        family_id=family.caller.family(),
        student_id=family.students[0],
    )
    for reader in (family.caller, family.staff, operator()):
        told = await documents.ask(asked, reader)
        assert [piece.type_code for piece in told.pieces] == ["domicile"]
    assert await code_of(documents.ask(asked, staff_caller())) == "not_found"
    await family.give(pdf())
    assert (await documents.ask(asked, family.caller)).pieces == ()
