"""What a site publishes for its students (S18), and what each campaign asks for."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from documents.app import DocumentsSettings, resources, service
from shared.contract import Ask, Rejection
from shared.contracts.documents import (
    DocumentHistory,
    ImportPieces,
    OpenDocument,
    OpenPublication,
    PublishedDocuments,
    RefuseDocument,
    RegisterUpload,
    RemoveDocument,
    ReviewQueue,
    ShowDocument,
)
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, Household, code_of, household, lines
from tests.document_listeners import Listener, listening
from tests.harness import Running, eventually, family_caller, operator, running, staff_caller

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


def opening(family: Household) -> OpenPublication:
    return OpenPublication(
        document_id=new_id(),
        student_id=family.students[0],
        title="Récapitulatif des absences",
        school_year="2026-2027",
        filename="absences.pdf",
        size=len(pdf()),
    )


async def test_what_is_published_for_a_student_is_verified_listed_and_downloaded(
    documents: Running[DocumentsSettings], listener: Listener
) -> None:
    family = await household(documents, None, None)
    published = await family.publish(pdf())
    assert published.state == "deposited"
    asked = PublishedDocuments(student_id=family.students[0])
    (listed,) = await documents.ask(asked, family.caller)
    assert (listed.id, listed.title) == (published.id, "Bulletin du premier semestre")
    assert (listed.school_year, listed.filename) == ("2026-2027", "bulletin.pdf")
    content, disposition = await family.download(published.id)
    assert content == pdf()
    assert "bulletin.pdf" in disposition
    assert await documents.ask(asked, family.staff) == (listed,)
    of_sibling = PublishedDocuments(student_id=family.students[1])
    assert await documents.ask(of_sibling, family.caller) == ()
    await eventually(lambda: listener.of(published.id) == ["document_published"])


async def test_the_latest_publication_comes_first(documents: Running[DocumentsSettings]) -> None:
    family = await household(documents)
    former, present = await family.publish(pdf()), await family.publish(pdf(300))
    listed = await documents.ask(PublishedDocuments(student_id=family.students[0]), family.caller)
    assert [each.id for each in listed] == [present.id, former.id]


async def test_what_is_unfit_is_not_published_and_the_staff_is_told_why(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    unfit = await family.publish(b"Ceci n'est pas un PDF.")
    assert unfit.state == "refused"
    assert unfit.refusal
    asked = PublishedDocuments(student_id=family.students[0])
    assert await documents.ask(asked, family.caller) == ()


async def test_the_site_takes_back_what_it_published(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    published = await family.publish(pdf())
    removal = RemoveDocument(document_id=published.id)
    assert await code_of(documents.ask(removal, family.caller)) == "not_found"
    for _ in range(2):
        await documents.ask(removal, family.staff)
    asked = PublishedDocuments(student_id=family.students[0])
    assert await documents.ask(asked, family.caller) == ()
    reading = OpenDocument(document_id=published.id)
    assert await code_of(documents.ask(reading, family.caller)) == "not_found"


async def test_a_publication_is_no_piece_to_review(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    published = await family.publish(pdf())
    queue = ReviewQueue(campaign_id=family.campaign_id)
    assert await documents.ask(queue, family.staff) == ()
    refusal = RefuseDocument(document_id=published.id, reason="Non.")
    assert await code_of(documents.ask(refusal, family.staff)) == "not_reviewable"


async def test_nobody_else_publishes_or_sees_what_was_published(
    documents: Running[DocumentsSettings],
) -> None:
    family, other = await household(documents), await household(documents)
    published = await family.publish(pdf())
    ticket = await documents.ask(opening(family), family.staff)
    asked: tuple[Ask[Any], ...] = (
        opening(family),
        opening(family).model_copy(update={"document_id": ticket.document_id}),
        RegisterUpload(document_id=ticket.document_id),
        PublishedDocuments(student_id=family.students[0]),
        OpenDocument(document_id=published.id),
        ShowDocument(document_id=published.id),
        DocumentHistory(document_id=published.id),
        RemoveDocument(document_id=published.id),
    )
    for stranger in (other.caller, other.staff, staff_caller(), family_caller()):
        for question in asked:
            assert await code_of(documents.ask(question, stranger)) == "not_found", question
    by_the_family: tuple[Ask[Any], ...] = (
        opening(family),
        RegisterUpload(document_id=ticket.document_id),
        RegisterUpload(document_id=published.id),
    )
    for question in by_the_family:
        assert await code_of(documents.ask(question, family.caller)) == "not_found", question


async def test_a_file_to_publish_is_checked_as_any_other(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    faulty = opening(family).model_copy(update={"filename": "absences.docx"})
    assert await code_of(documents.ask(faulty, family.staff)) == "file_type_refused"
    heavy = opening(family).model_copy(update={"size": 3 * 1024 * 1024})
    assert await code_of(documents.ask(heavy, family.staff)) == "file_too_large"
    old = opening(family).model_copy(update={"school_year": "2020-2021"})
    assert await code_of(documents.ask(old, family.staff)) == "no_longer_kept"
    unknown = opening(family).model_copy(update={"student_id": new_id()})
    assert await code_of(documents.ask(unknown, operator())) == "not_found"


async def test_a_campaign_asks_for_its_own_pieces_where_it_has_any(
    documents: Running[DocumentsSettings],
) -> None:
    family, other = await household(documents), await household(documents)
    given = await family.give(pdf(), "rib.pdf", "rib")
    own = ImportPieces(
        campaign_id=family.campaign_id,
        lines=lines(
            "domicile;famille;Justificatif {annee};si justifié;;",
            "assurance;eleve;Assurance;obligatoire;;",
        ),
    )
    assert (await documents.ask(own, operator())).changed == 2
    assert (await documents.ask(own, operator())).changed == 0
    pieces = await family.pieces()
    assert [(one.type_code, one.name) for one in pieces.family] == [
        ("domicile", "Justificatif 2027")
    ]
    assert [one.type_code for one in pieces.student] == ["assurance"]
    assert {one.type_code for one in (await other.pieces()).family} == {"domicile", "rib"}
    shorter = own.model_copy(update={"lines": own.lines[:1]})
    assert (await documents.ask(shorter, operator())).changed == 1
    assert (await family.pieces()).student == ()
    queue = await documents.ask(ReviewQueue(campaign_id=family.campaign_id), family.staff)
    assert [(item.document, item.name) for item in queue] == [(given, "rib")]
    await documents.ask(OpenDocument(document_id=given.id), family.staff)


async def test_the_pieces_of_an_unknown_campaign_are_refused(
    documents: Running[DocumentsSettings],
) -> None:
    question = ImportPieces(campaign_id=new_id(), lines=lines(*PIECES))
    with pytest.raises(Rejection, match="campagne") as raised:
        await documents.ask(question, operator())
    assert (raised.value.code, raised.value.facts["errors"]) == ("import_refused", [])
