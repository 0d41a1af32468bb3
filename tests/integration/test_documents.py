"""Documents on a real database, broker and store: from the ticket to the download."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aio_pika
import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings, resources, service
from shared.broker import EVENTS_EXCHANGE
from shared.contract import Ask, Rejection
from shared.contracts.documents import (
    MAX_DOCUMENT_BYTES,
    ImportPieces,
    ListPieces,
    OpenDocument,
    OpenUpload,
    RegisterUpload,
    RemoveDocument,
)
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import JPEG, pdf, png
from tests.document_households import PIECES, code_of, household, lines, send
from tests.harness import Running, eventually, operator, running

pytestmark = pytest.mark.servers


@dataclass
class Subscriber:
    """Another system that listens to documents' events."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    async def listen(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        self.heard.append((str(message.type), str(message.headers["cloudEvents:subject"])))
        await message.ack()

    def of(self, *document_ids: UUID) -> list[tuple[str, UUID]]:
        wanted = {str(one) for one in document_ids}
        return [(kind, UUID(subject)) for kind, subject in self.heard if subject in wanted]


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def subscriber(documents: Running[DocumentsSettings]) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    async with await aio_pika.connect(documents.settings.broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(await channel.get_exchange(EVENTS_EXCHANGE), "documents.#")
        await queue.consume(subscriber.listen)
        yield subscriber


async def test_a_pdf_goes_straight_to_the_store_and_serves_every_student_of_the_family(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents, None, None)
    content = pdf()
    document = await family.give(content, "Relevé d'août.pdf")
    assert (document.state, document.size) == ("deposited", len(content))
    assert document == await family.given("domicile", 0) == await family.given("domicile", 1)
    downloaded, disposition = await family.download(document.id)
    assert downloaded == content
    assert disposition.startswith("attachment")
    assert "Relev%C3%A9%20d%27ao%C3%BBt.pdf" in disposition


@pytest.mark.parametrize(
    ("content", "filename"), [(png(), "capture.png"), (JPEG, "photo.JPG"), (JPEG, "photo.jpeg")]
)
async def test_an_image_is_a_document_too(
    documents: Running[DocumentsSettings], content: bytes, filename: str
) -> None:
    family = await household(documents)
    document = await family.give(content, filename)
    assert (await family.download(document.id))[0] == content


async def test_a_file_of_3_mo_is_refused_before_it_travels_and_by_the_store(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    heavy = pdf() + b"\0" * (3 * 1024 * 1024)
    assert await code_of(family.open(size=len(heavy))) == "file_too_large"
    ticket = await family.open(size=1000)
    assert 400 <= await send(ticket, heavy) < 500
    assert await code_of(family.register(ticket.document_id)) == "upload_not_received"
    assert family.stored() == set()


async def test_a_file_of_exactly_the_limit_is_taken(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    filler = b"\n%" + b" " * (MAX_DOCUMENT_BYTES - len(pdf()) - 3) + b"\n"
    whole = pdf()
    content = whole[:9] + filler + whole[9:]
    assert len(content) == MAX_DOCUMENT_BYTES
    assert (await family.give(content)).size == MAX_DOCUMENT_BYTES


async def test_an_empty_file_or_another_format_gets_no_ticket(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    assert await code_of(family.open(size=0)) == "file_empty"
    assert await code_of(family.open(filename="lettre.docx")) == "file_type_refused"


async def test_a_text_renamed_pdf_is_refused_each_time_and_leaves_nothing_in_the_store(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, b"Ceci n'est pas un PDF.")
    for _ in range(2):
        with pytest.raises(Rejection, match="n'est pas un document PDF") as raised:
            await family.register(ticket.document_id)
        assert (raised.value.code, raised.value.status) == ("file_not_what_its_name_says", 422)
    assert await family.given("domicile") is None
    assert family.stored() == set()


@pytest.mark.parametrize("changed", [{"Content-Type": "text/html"}, {"key": "incoming/elsewhere"}])
async def test_a_ticket_serves_for_its_own_place_and_type_alone(
    documents: Running[DocumentsSettings], changed: dict[str, str]
) -> None:
    family = await household(documents)
    assert 400 <= await send(await family.open(), pdf(), **changed) < 500


async def test_a_second_sending_under_the_same_ticket_changes_nothing_that_was_checked(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    content = pdf()
    await send(ticket, content)
    document = await family.register(ticket.document_id)
    await send(ticket, b"something else, which nobody checked")
    assert await family.register(ticket.document_id) == document
    assert (await family.download(document.id))[0] == content


async def test_an_upload_that_was_not_sent_is_not_received_and_can_still_be(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    assert await code_of(family.register(ticket.document_id)) == "upload_not_received"
    await send(ticket, pdf())
    assert (await family.register(ticket.document_id)).state == "deposited"


async def test_nobody_reads_a_file_before_it_was_checked(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, pdf())
    unread = OpenDocument(document_id=ticket.document_id)
    assert await code_of(documents.ask(unread, family.caller)) == "not_found"


async def test_asking_twice_for_a_ticket_expects_one_file(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    question = OpenUpload(
        document_id=new_id(),
        campaign_id=family.campaign_id,
        student_id=family.students[0],
        type_code="rib",
        filename="rib.pdf",
        size=100,
    )
    first = await documents.ask(question, family.caller)
    renamed = question.model_copy(update={"filename": "rib.png"})
    second = await documents.ask(renamed, family.caller)
    assert first.fields["key"] == second.fields["key"]
    assert second.fields["Content-Type"] == "application/pdf"
    elsewhere = question.model_copy(update={"type_code": "domicile"})
    assert await code_of(documents.ask(elsewhere, family.caller)) == "not_found"


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
        OpenDocument(document_id=given.id),
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
    document = await family.register(ticket.document_id)
    removal = RemoveDocument(document_id=document.id)
    assert await code_of(documents.ask(removal, family.caller)) == "documents_closed"
    assert await family.given("domicile") == document


async def test_a_new_file_replaces_the_former_one_and_both_facts_are_told(
    documents: Running[DocumentsSettings], subscriber: Subscriber
) -> None:
    family = await household(documents)
    former = await family.give(pdf(100))
    present = await family.give(pdf(300), "plus récent.pdf")
    assert await family.given("domicile") == present
    assert await code_of(family.register(former.id)) == "not_found"
    assert not any(str(former.id) in key for key in family.stored())
    await eventually(lambda: len(subscriber.of(former.id, present.id)) == 3)
    assert subscriber.of(former.id, present.id) == [
        ("documents.document_deposited.v1", former.id),
        ("documents.document_removed.v1", former.id),
        ("documents.document_deposited.v1", present.id),
    ]


async def test_registering_many_times_at_once_deposits_once(
    documents: Running[DocumentsSettings], subscriber: Subscriber
) -> None:
    family = await household(documents)
    ticket = await family.open()
    await send(ticket, pdf())
    answers = await asyncio.gather(*(family.register(ticket.document_id) for _ in range(6)))
    assert len(set(answers)) == 1
    last = await family.give(pdf(300))
    await eventually(lambda: subscriber.of(last.id))
    assert [kind for kind, _ in subscriber.of(ticket.document_id)] == [
        "documents.document_deposited.v1",
        "documents.document_removed.v1",
    ]


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
    async with documents.database.transaction() as tx:
        states = await tx.execute(
            sa.select(tables.document.c.state).where(
                tables.document.c.campaign_id == family.campaign_id
            )
        )
    assert sorted(states.scalars()) == ["deposited", "removed", "removed", "removed"]
    assert await family.given("domicile") is not None


async def test_a_document_taken_back_is_gone_and_taking_it_back_again_is_harmless(
    documents: Running[DocumentsSettings], subscriber: Subscriber
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    for _ in range(2):
        await documents.ask(RemoveDocument(document_id=document.id), family.caller)
    assert await family.given("domicile") is None
    assert family.stored() == set()
    link = OpenDocument(document_id=document.id)
    assert await code_of(documents.ask(link, family.caller)) == "not_found"
    last = await family.give(pdf())
    await eventually(lambda: subscriber.of(last.id))
    assert len(subscriber.of(document.id)) == 2
