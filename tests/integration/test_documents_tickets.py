"""Tickets: for one file, in one place, of one type, within the limit, once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from documents.app import DocumentsSettings, resources, service
from shared.contracts.documents import ImportPieces, OpenUpload
from shared.contracts.files import MAX_DOCUMENT_BYTES
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, code_of, household, lines, send
from tests.harness import Running, operator, running

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


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
    whole = pdf()
    end = whole.rindex(b"startxref")
    filler = b"%" + b" " * (MAX_DOCUMENT_BYTES - len(whole) - 2) + b"\n"
    content = whole[:end] + filler + whole[end:]
    assert len(content) == MAX_DOCUMENT_BYTES
    document = await family.give(content)
    assert (document.state, document.size) == ("deposited", MAX_DOCUMENT_BYTES)


async def test_an_empty_file_or_another_format_gets_no_ticket(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    assert await code_of(family.open(size=0)) == "file_empty"
    assert await code_of(family.open(filename="lettre.docx")) == "file_type_refused"


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
    await family.register(ticket.document_id)
    document = await family.verified(ticket.document_id)
    await send(ticket, b"something else, which nobody checked")
    assert await family.register(ticket.document_id) == document
    assert (await family.download(document.id))[0] == content


async def test_a_ticket_serves_once(documents: Running[DocumentsSettings]) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    again = OpenUpload(
        document_id=document.id,
        campaign_id=family.campaign_id,
        type_code="domicile",
        filename="facture.pdf",
        size=1000,
    )
    assert await code_of(documents.ask(again, family.caller)) == "ticket_used"


async def test_an_upload_that_was_not_sent_is_not_received_and_can_still_be(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    ticket = await family.open()
    assert await code_of(family.register(ticket.document_id)) == "upload_not_received"
    await send(ticket, pdf())
    await family.register(ticket.document_id)
    assert (await family.verified(ticket.document_id)).state == "deposited"


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
