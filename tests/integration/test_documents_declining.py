"""A family declares that it does not give a piece, and may change its mind (S55)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from documents.app import DocumentsSettings, resources, service
from shared.contracts.documents import (
    AcceptDocument,
    DeclinePiece,
    ImportPieces,
    MissingPieces,
    RefuseDocument,
    TakeBackPieceDecline,
)
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, Household, code_of, dances, household, lines
from tests.document_listeners import Listener, listening
from tests.harness import Running, eventually, family_caller, operator, running

pytestmark = pytest.mark.servers

type Documents = Running[DocumentsSettings]


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Documents]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def listener(documents: Documents) -> AsyncIterator[Listener]:
    async with listening(documents.settings.broker_url) as listener:
        yield listener


async def missing(family: Household) -> list[str]:
    """The pieces that the first student's application lacks."""
    question = MissingPieces(
        campaign_id=family.campaign_id,
        family_id=family.caller.family(),
        student_id=family.students[0],
    )
    return [piece.type_code for piece in (await family.running.ask(question, family.caller)).pieces]


async def take_back(family: Household, type_code: str = "domicile") -> None:
    await family.running.ask(
        TakeBackPieceDecline(
            campaign_id=family.campaign_id, student_id=family.students[0], type_code=type_code
        ),
        family.caller,
    )


async def test_a_declined_piece_is_not_missing_until_the_family_changes_its_mind(
    documents: Documents, listener: Listener
) -> None:
    family = await household(documents, None, None)
    await documents.react(dances(family.students[0]))
    await family.decline()
    first = (await family.piece("domicile")).declined_at
    await family.decline()
    # a family's piece is declined for all its students
    assert first is not None
    assert [(await family.piece("domicile", student)).declined_at for student in (0, 1)] == [
        first,
        first,
    ]
    await family.decline("medical-danse")
    assert await missing(family) == []
    await take_back(family)
    await take_back(family)
    assert await missing(family) == ["domicile"]
    told = ["piece_declined", "piece_declined", "piece_decline_taken_back"]
    await eventually(lambda: listener.of(family.caller.family()) == told)


async def test_a_file_given_after_all_takes_the_declaration_back(documents: Documents) -> None:
    family = await household(documents)
    await family.decline()
    document = await family.give(pdf())
    piece = await family.piece("domicile")
    assert (piece.document, piece.declined_at) == (document, None)
    assert await code_of(family.decline()) == "piece_given"


async def test_a_refused_document_that_is_accepted_after_all_takes_it_back_too(
    documents: Documents,
) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    await documents.ask(RefuseDocument(document_id=document.id, reason="Illisible."), family.staff)
    await family.decline()
    await documents.ask(AcceptDocument(document_id=document.id), family.staff)
    assert (await family.piece("domicile")).declined_at is None


async def test_nothing_is_declined_before_nor_after_documents_are_taken(
    documents: Documents,
) -> None:
    early = await household(documents, prepared_in=timedelta(hours=1))
    assert await code_of(early.decline()) == "documents_not_open"
    late = await household(documents, due_in=timedelta(seconds=-1))
    assert await code_of(late.decline()) == "documents_closed"
    assert await code_of(take_back(late)) == "documents_closed"


async def test_nobody_declines_for_another_family_nor_what_is_not_asked(
    documents: Documents,
) -> None:
    family = await household(documents)
    for caller, student_id, type_code in (
        (family_caller(), family.students[0], "domicile"),
        (family.caller, new_id(), "domicile"),
        (family.caller, family.students[0], "medical-danse"),
        (family.caller, None, "medical-danse"),
        (family.caller, family.students[0], "inconnue"),
    ):
        command = DeclinePiece(
            campaign_id=family.campaign_id, student_id=student_id, type_code=type_code
        )
        assert await code_of(documents.ask(command, caller)) == "not_found"
    assert (await family.piece("domicile")).declined_at is None
