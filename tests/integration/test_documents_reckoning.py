"""What families lack is told as it changes, and once, whichever replica reckons (S54, S73)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
import sqlalchemy as sa
from documents.app import DocumentsSettings, resources, service
from documents.reckoning import tell_missing_pieces
from documents.tables import told_pieces
from shared.contracts.documents import (
    ImportPieces,
    LackingPiece,
    MissingPieces,
    RefuseDocument,
    RemoveDocument,
)
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, Household, dances, household, lines
from tests.document_listeners import Listener, listening
from tests.harness import Running, eventually, operator, running

pytestmark = pytest.mark.servers

type Documents = Running[DocumentsSettings]

HOME = LackingPiece(student_id=None, name="Justificatif de domicile")


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Documents]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


@pytest_asyncio.fixture(scope="module")
async def listener(documents: Documents) -> AsyncIterator[Listener]:
    async with listening(documents.settings.broker_url) as listener:
        yield listener


async def told(family: Household) -> list[LackingPiece] | None:
    """Reckon, and give what was last told of the family."""
    await tell_missing_pieces(family.running.database)
    async with family.running.database.transaction() as tx:
        pieces = await tx.scalar(
            sa.select(told_pieces.c.pieces).where(
                told_pieces.c.campaign_id == family.campaign_id,
                told_pieces.c.family_id == family.caller.family(),
            )
        )
    return None if pieces is None else [LackingPiece.model_validate(piece) for piece in pieces]


async def test_what_a_family_lacks_is_told_where_it_changed_and_once(
    documents: Documents, listener: Listener
) -> None:
    family = await household(documents)
    assert await told(family) == [HOME]
    document = await family.give(pdf())
    assert await told(family) == []
    await asyncio.gather(*(tell_missing_pieces(documents.database) for _ in range(4)))
    await documents.ask(RefuseDocument(document_id=document.id, reason="Illisible."), family.staff)
    assert await told(family) == [HOME]

    await eventually(lambda: len(listener.of(family.campaign_id)) >= 3)
    assert listener.of(family.campaign_id) == ["pieces_reckoned"] * 3


async def test_a_piece_of_a_student_is_told_with_the_student(documents: Documents) -> None:
    family = await household(documents)
    await documents.react(dances(family.students[0]))
    medical = LackingPiece(student_id=family.students[0], name="Certificat médical DANSE")
    assert await told(family) == [HOME, medical]
    asked = MissingPieces(
        campaign_id=family.campaign_id,
        family_id=family.caller.family(),
        student_id=family.students[0],
    )
    missing = await documents.ask(asked, family.caller)
    assert [piece.name for piece in missing.pieces] == [HOME.name, medical.name]


async def test_a_document_taken_back_is_lacking_again(documents: Documents) -> None:
    family = await household(documents)
    document = await family.give(pdf())
    assert not await told(family)
    await documents.ask(RemoveDocument(document_id=document.id), family.caller)
    assert await told(family) == [HOME]


async def test_nothing_is_told_of_a_campaign_that_takes_no_documents(documents: Documents) -> None:
    early = await household(documents, prepared_in=timedelta(hours=1))
    late = await household(documents, due_in=timedelta(seconds=-1))
    assert await told(early) is None
    assert await told(late) is None
