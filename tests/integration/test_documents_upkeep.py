"""What documents knows of others, and how it does without its store."""

from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from documents.app import DocumentsSettings, resources, service
from pydantic import TypeAdapter
from shared.contract import LineError, Rejection
from shared.contracts.documents import ImportPieces, ListPieces
from shared.identifiers import new_id
from stack.running import Stack

from tests.document_files import pdf
from tests.document_households import PIECES, code_of, dances, household, lines, recorded
from tests.harness import Running, family_caller, operator, running

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def documents(servers: Stack) -> AsyncIterator[Running[DocumentsSettings]]:
    async with running(servers, service, DocumentsSettings, resources) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


async def test_a_dance_certificate_is_asked_of_the_dancer_alone_and_stays_that_student_s(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents, None, None)
    assert await code_of(family.open("medical-danse")) == "not_found"
    await documents.react(dances(family.students[0]))
    certificate = await family.give(pdf(), "certificat.pdf", "medical-danse")
    assert await family.given("medical-danse") == certificate
    assert (await family.pieces(1)).student == ()


async def test_pieces_follow_the_household_and_name_the_campaign_s_year(
    documents: Running[DocumentsSettings],
) -> None:
    one = await household(documents, date(2017, 1, 1))
    assert {piece.type_code for piece in (await one.pieces()).family} >= {"domicile", "rib"}
    assert "caf" not in {piece.type_code for piece in (await one.pieces()).family}
    two = await household(documents, date(2017, 1, 1), date(2015, 1, 1))
    names = [piece.name for piece in (await two.pieces()).family if piece.type_code == "caf"]
    assert names == ["Attestation CAF 2027"]


async def test_families_told_in_any_order_end_the_same(
    documents: Running[DocumentsSettings],
) -> None:
    one, other = await household(documents), await household(documents)
    moved = new_id()
    await documents.react(recorded(other, {moved: None}, revision=2))
    await documents.react(recorded(one, {one.students[0]: None}, revision=3))
    await documents.react(recorded(one, {one.students[0]: None, moved: None}, revision=2))
    there = ListPieces(campaign_id=other.campaign_id, student_id=moved)
    assert (await documents.ask(there, other.caller)).family
    here = ListPieces(campaign_id=one.campaign_id, student_id=moved)
    assert await code_of(documents.ask(here, one.caller)) == "not_found"


async def test_importing_the_types_again_changes_nothing(
    documents: Running[DocumentsSettings],
) -> None:
    again = await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
    assert (again.read, again.changed) == (len(PIECES), 0)


async def test_a_broken_line_is_told_and_nothing_of_its_file_is_kept(
    documents: Running[DocumentsSettings],
) -> None:
    family = await household(documents)
    rows = (
        "neuve;famille;Neuve;obligatoire;;",
        "neuve;voisin;Neuve;souhaité;cursus:FM;En {mois}",
    )
    with pytest.raises(Rejection) as raised:
        await documents.ask(ImportPieces(lines=lines(*rows)), operator())
    assert raised.value.code == "import_refused"
    errors = TypeAdapter(list[LineError]).validate_python(raised.value.facts["errors"])
    wrong = {(error.line, error.column) for error in errors}
    assert wrong == {(3, name) for name in ("code", "pour", "exigence", "condition", "aide")}
    assert "neuve" not in {piece.type_code for piece in (await family.pieces()).family}


async def test_a_family_cannot_import(documents: Running[DocumentsSettings]) -> None:
    question = ImportPieces(lines=lines(*PIECES))
    assert await code_of(documents.ask(question, family_caller())) == "not_found"


async def test_without_the_store_a_family_is_told_and_its_pieces_are_still_listed(
    servers: Stack,
) -> None:
    def store_away(settings: DocumentsSettings) -> dict[object, object]:
        return dict(resources(settings.model_copy(update={"store_url": "http://127.0.0.1:9"})))

    async with running(servers, service, DocumentsSettings, store_away) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        family = await household(documents)
        with pytest.raises(Rejection, match="momentanément indisponible") as raised:
            await family.open()
        assert (raised.value.code, raised.value.status) == ("store_unavailable", 503)
        assert (await family.pieces()).family
