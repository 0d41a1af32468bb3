"""The staff's review (S83): next to check, accept, or refuse with a reason that is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from documents.app import DocumentsSettings, resources, service
from shared.contract import Ask
from shared.contracts.documents import (
    AcceptDocument,
    DocumentAccepted,
    DocumentHistory,
    ImportPieces,
    MissingPieces,
    OpenDocument,
    RefuseDocument,
    RemoveDocument,
    ReviewQueue,
    ShowDocument,
)
from shared.contracts.files import Document, DocumentLink
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, Household, code_of, household, lines, send
from tests.document_listeners import Listener, listening
from tests.harness import Running, eventually, operator, running, staff_caller
from tests.households import subscribed

pytestmark = pytest.mark.servers

TOO_OLD = "Ce justificatif a plus de 3 mois."


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def listener(documents: Running[DocumentsSettings]) -> AsyncIterator[Listener]:
    async with listening(documents.settings.broker_url) as listener:
        yield listener


async def accept(family: Household, document: Document) -> Document:
    return await family.running.ask(AcceptDocument(document_id=document.id), family.staff)


async def refuse(family: Household, document: Document, reason: str = TOO_OLD) -> Document:
    command = RefuseDocument(document_id=document.id, reason=reason)
    return await family.running.ask(command, family.staff)


async def link(family: Household, document: Document) -> DocumentLink:
    return await family.running.ask(OpenDocument(document_id=document.id), family.caller)


async def test_the_longest_waiting_document_is_the_next_to_check(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    first = await family.give(pdf())
    second = await family.give(pdf(300), "rib.pdf", "rib")
    queue = ReviewQueue(campaign_id=family.campaign_id)
    waiting = await documents.ask(queue, family.staff)
    assert waiting == await documents.ask(queue, operator())
    assert [item.document for item in waiting] == [first, second]
    assert (waiting[0].name, waiting[0].type_code) == ("Justificatif de domicile", "domicile")
    assert (waiting[0].family_id, waiting[0].student_id) == (family.caller.family_id, None)
    (next_one,) = await documents.ask(queue.model_copy(update={"limit": 1}), family.staff)
    assert next_one.document == first
    await accept(family, first)
    (left,) = await documents.ask(queue, family.staff)
    assert left.document == second


async def test_who_hears_of_an_accepted_document_hears_the_name_of_its_piece(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    async with subscribed(documents.settings.broker_url, DocumentAccepted) as acceptances:
        await accept(family, document)
        told = await acceptances.next()
    assert (told.document_id, told.name) == (document.id, (await family.piece("domicile")).name)


async def test_an_accepted_document_is_kept_as_it_is(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    accepted = await accept(family, document)
    assert accepted == await accept(family, document) == await family.given("domicile")
    assert (accepted.state, accepted.is_readable) == ("accepted", True)
    piece = await family.piece("domicile")
    assert (piece.may_send, piece.may_remove) == (False, False)
    assert await code_of(family.open()) == "document_accepted"
    removal = RemoveDocument(document_id=document.id)
    assert await code_of(documents.ask(removal, family.caller)) == "document_reviewed"
    await eventually(lambda: len(listener.of(document.id)) == 2)
    assert listener.of(document.id) == ["document_deposited", "document_accepted"]


async def test_once_a_piece_is_accepted_no_other_file_is_wanted_for_it(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document, ticket = await family.give(pdf()), await family.open()
    await family.give(b"Ceci n'est pas un PDF.")
    await send(ticket, pdf(300))
    accepted = await accept(family, document)
    for _ in range(2):
        assert await code_of(family.register(ticket.document_id)) == "document_accepted"
    piece = await family.piece("domicile")
    assert (piece.document, piece.attempt) == (accepted, None)
    last = (await documents.ask(DocumentHistory(document_id=ticket.document_id), family.staff))[-1]
    assert (last.state, last.by) == ("abandoned", "service")


async def test_a_refused_document_says_why_stays_readable_and_can_be_replaced(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    refused = await refuse(family, document)
    assert refused == await refuse(family, document) == await family.given("domicile")
    assert (refused.state, refused.refusal, refused.is_readable) == ("refused", TOO_OLD, True)
    await link(family, refused)
    missing = MissingPieces(
        campaign_id=family.campaign_id,
        family_id=family.caller.family(),
        student_id=family.students[0],
    )
    (told,) = (await documents.ask(missing, family.caller)).pieces
    assert (told.type_code, told.refusal) == ("domicile", TOO_OLD)
    present = await family.give(pdf(300))
    assert await family.given("domicile") == present
    assert await code_of(refuse(family, document)) == "not_reviewable"
    await eventually(lambda: len(listener.of(document.id)) == 3)
    assert listener.of(document.id) == [
        "document_deposited",
        "document_refused",
        "document_removed",
    ]


async def test_a_refused_document_can_be_taken_back(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    await refuse(family, document)
    await documents.ask(RemoveDocument(document_id=document.id), family.caller)
    assert await family.given("domicile") is None


async def test_the_staff_may_change_its_mind_and_every_step_is_kept(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    await accept(family, document)
    await refuse(family, document)
    await refuse(family, document, "Il manque la seconde page.")
    accepted = await accept(family, document)
    assert (accepted.state, accepted.refusal) == ("accepted", "")
    steps = await documents.ask(DocumentHistory(document_id=document.id), family.caller)
    assert [(step.state, step.by, step.reason) for step in steps[3:]] == [
        ("accepted", "staff", ""),
        ("refused", "staff", TOO_OLD),
        ("refused", "staff", "Il manque la seconde page."),
        ("accepted", "staff", ""),
    ]


async def test_what_the_verification_refused_is_not_for_the_staff_to_decide(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    unfit = await family.give(b"Ceci n'est pas un PDF.")
    assert await code_of(accept(family, unfit)) == "not_reviewable"
    assert await documents.ask(ReviewQueue(campaign_id=family.campaign_id), family.staff) == ()


async def test_the_staff_of_another_site_finds_nothing(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    asked: tuple[Ask[Any], ...] = (
        ReviewQueue(campaign_id=family.campaign_id),
        ReviewQueue(campaign_id=new_id()),
        AcceptDocument(document_id=document.id),
        RefuseDocument(document_id=document.id, reason=TOO_OLD),
        ShowDocument(document_id=document.id),
        OpenDocument(document_id=document.id),
        DocumentHistory(document_id=document.id),
        RemoveDocument(document_id=document.id),
    )
    for question in asked:
        assert await code_of(documents.ask(question, staff_caller())) == "not_found", question
    assert await family.given("domicile") == document


async def test_a_family_decides_on_nothing_not_even_on_its_own(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    asked: tuple[Ask[Any], ...] = (
        ReviewQueue(campaign_id=family.campaign_id),
        AcceptDocument(document_id=document.id),
        RefuseDocument(document_id=document.id, reason=TOO_OLD),
    )
    for question in asked:
        assert await code_of(documents.ask(question, family.caller)) == "not_found", question
    assert await family.given("domicile") == document


async def test_the_staff_takes_back_nothing_that_a_family_gave(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    removal = RemoveDocument(document_id=document.id)
    assert await code_of(documents.ask(removal, family.staff)) == "not_found"


async def test_while_the_antivirus_is_away_the_former_document_counts_and_nothing_is_lost(
    servers: Stack,
) -> None:
    """What a family sees of a file that waits for its verification."""

    def antivirus_away(settings: DocumentsSettings) -> dict[object, object]:
        return dict(resources(settings.model_copy(update={"clamd_url": "tcp://127.0.0.1:9"})))

    async with running(servers, service, DocumentsSettings, antivirus_away) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        family = await household(documents)
        first = await family.hand_in(pdf())
        piece = await family.piece("domicile")
        assert (piece.document, piece.attempt) == (None, first)
        assert (first.state, piece.may_send, piece.may_remove) == ("analysing", True, True)
        assert await code_of(link(family, first)) == "not_found"
        assert await code_of(accept(family, first)) == "not_reviewable"
        second = await family.hand_in(pdf(300))
        assert (await family.piece("domicile")).attempt == second
        assert await code_of(family.register(first.id)) == "not_found"
        await documents.ask(RemoveDocument(document_id=second.id), family.caller)
        assert (await family.piece("domicile")).attempt is None
