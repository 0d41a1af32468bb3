from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from gateway.pages.wizard.file_limit import FileLimit
from gateway.store import StoreDoor
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.documents import (
    MAX_DOCUMENT_BYTES,
    Document,
    DocumentLink,
    OpenDocument,
    OpenUpload,
    RegisterUpload,
    RemoveDocument,
    UploadTicket,
)
from shared.identifiers import new_id

from tests.portal import Portal
from tests.wizard import DAY, Household, filled_in, household, words

PIECE = "documents/domicile"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What reached the store."""
    reached: list[tuple[str, bytes]] = []

    async def keep(_: StoreDoor, ticket: UploadTicket, filename: str, content: bytes) -> None:
        assert ticket.fields
        reached.append((filename, content))

    monkeypatch.setattr(StoreDoor, "send", keep)
    return reached


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(3)
        seated.answer({OpenUpload: a_ticket_for, RegisterUpload: a_document()})
        yield seated


def a_document() -> Document:
    return Document(
        id=new_id(),
        filename="quittance.pdf",
        content_type="application/pdf",
        size=1000,
        state="deposited",
        deposited_at=datetime.now(UTC),
    )


def a_ticket(url: str = "http://store.example/rentree") -> UploadTicket:
    return UploadTicket(
        document_id=new_id(),
        url=url,
        fields={"key": "incoming/1", "Content-Type": "application/pdf"},
        expires_at=datetime.now(UTC) + DAY,
    )


def a_ticket_for(question: Any) -> UploadTicket:
    return a_ticket().model_copy(update={"document_id": question.document_id})


def given(family: Household) -> Document:
    """Have the piece given already."""
    document = a_document()
    (piece,) = family.pieces.family
    piece = piece.model_copy(update={"document": document})
    family.pieces = family.pieces.model_copy(update={"family": (piece,)})
    return document


def test_a_file_posted_without_script_goes_to_the_store_and_is_registered(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    path = family.at(PIECE)
    fields = [pair for pair in filled_in(family.reads(path), path) if pair[0] != "file"]
    answer = family.uploads(path, fields, "quittance.pdf", b"%PDF")
    assert (answer.status_code, answer.headers["location"]) == (303, family.at("documents"))
    (opened,), (registered,) = family.asked(OpenUpload), family.asked(RegisterUpload)
    assert stored == [("quittance.pdf", b"%PDF")]
    assert (opened.type_code, opened.filename, opened.size) == ("domicile", "quittance.pdf", 4)
    assert dict(fields)["document_id"] == str(opened.document_id) == str(registered.document_id)


def test_a_file_that_is_not_what_it_says_is_refused_on_the_pieces_page(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    refusal = Rejection("file_not_what_its_name_says", "Ce n'est pas un PDF.", status=422)
    family.answer({RegisterUpload: refusal})
    path = family.at(PIECE)
    answer = family.uploads(path, [("document_id", str(new_id()))], "texte.pdf", b"du texte")
    assert stored
    assert answer.status_code == 422
    assert 'href="#file"' in answer.text
    assert "Ce n'est pas un PDF." in words(answer.text)


def test_a_file_over_the_limit_is_refused_on_the_pieces_page_before_it_is_read(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    path = family.at(PIECE)
    heavy = b"%PDF" + bytes(3 * 1024 * 1024)
    answer = family.uploads(path, [("document_id", str(new_id()))], "lourd.pdf", heavy)
    assert answer.status_code == 303
    page = words(family.reads(answer.headers["location"], status=422))
    assert "Le fichier est trop lourd : 2 Mo au plus" in page
    assert "Justificatif de domicile" in page
    assert not stored
    assert not family.asked(OpenUpload)


async def test_no_more_than_8_mib_of_a_refused_form_is_read() -> None:
    mebibyte, passed = 1024 * 1024, 0

    async def sends_without_end() -> Any:
        nonlocal passed
        passed += 1
        return {"type": "http.request", "body": bytes(mebibyte), "more_body": True}

    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    async def page(*_: object) -> None:
        raise AssertionError

    heavy: Any = {
        "type": "http",
        "method": "POST",
        "path": "/dossiers/1/documents/domicile",
        "query_string": b"",
        "server": ("testserver.local", 80),
        "headers": [(b"content-length", str(100 * mebibyte).encode())],
    }
    await FileLimit(page)(heavy, sends_without_end, send)
    assert said[0]["status"] == 303
    assert passed == 8


def test_a_file_at_the_limit_is_let_in(family: Household, stored: list[tuple[str, bytes]]) -> None:
    content = bytes(MAX_DOCUMENT_BYTES)
    path = family.at(PIECE)
    answer = family.uploads(path, [("document_id", str(new_id()))], "plein.pdf", content)
    assert answer.status_code == 303
    assert stored == [("plein.pdf", content)]


def test_a_form_without_a_file_asks_for_one(family: Household) -> None:
    fields = [("document_id", str(new_id()))]
    page = family.sends(family.at(PIECE), [*fields, ("file", "")])
    assert "Choisissez un fichier" in words(page)


def test_a_file_sent_while_documents_is_away_is_said_to_be_lost(family: Household) -> None:
    family.answer({OpenUpload: ServiceUnavailable("documents")})
    answer = family.uploads(
        family.at(PIECE), [("document_id", str(new_id()))], "quittance.pdf", b"%PDF"
    )
    assert answer.status_code == 503
    assert "votre fichier n'a pas été enregistré" in words(answer.text)


def test_a_file_that_may_have_been_recorded_is_not_said_to_be_lost(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    family.answer(
        {RegisterUpload: ServiceUnavailable("documents", maybe_recorded=True, retry_after=7)}
    )
    fields = [("document_id", str(new_id()))]
    answer = family.uploads(family.at(PIECE), fields, "quittance.pdf", b"%PDF")
    assert stored
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert "Rechargez cette page dans 7 secondes" in words(answer.text)
    assert "votre fichier a peut-être été enregistré" in words(answer.text)
    assert "n'a pas été enregistré" not in words(answer.text)


def test_a_script_gets_a_ticket_then_tells_that_the_file_arrived(family: Household) -> None:
    said: dict[str, object] = {"filename": "quittance.pdf", "size": 4, "content_type": "x"}
    first = family.says(family.at(f"{PIECE}/ticket"), said)
    second = family.says(family.at(f"{PIECE}/ticket"), said)
    assert first.status_code == 200
    assert first.json()["fields"]["key"] == "incoming/1"
    assert first.json()["document_id"] != second.json()["document_id"]
    arrived = family.says(
        family.at(f"{PIECE}/depose"), {"document_id": second.json()["document_id"]}
    )
    assert arrived.json() == {"next": family.at("documents")}


def test_a_script_is_told_a_refusal_as_a_problem(family: Household) -> None:
    refusal = Rejection("file_too_large", "Ce fichier dépasse 2 Mo.", status=422)
    family.answer({OpenUpload: refusal})
    answer = family.says(family.at(f"{PIECE}/ticket"), {"filename": "a.pdf", "size": 3_000_000})
    assert answer.status_code == 422
    assert answer.json()["code"] == "file_too_large"
    assert answer.json()["detail"] == "Ce fichier dépasse 2 Mo."


def test_a_document_is_read_by_a_short_link(family: Household) -> None:
    document = given(family)
    link = DocumentLink(url="http://store.example/a?signed", expires_at=datetime.now(UTC))
    family.answer({OpenDocument: link})
    assert family.is_led(family.at(f"{PIECE}/consulter")) == link.url
    assert family.asked(OpenDocument) == [OpenDocument(document_id=document.id)]


def test_a_document_is_taken_back_once_confirmed(family: Household) -> None:
    document = given(family)
    family.answer({RemoveDocument: None})
    path = family.at(f"{PIECE}/supprimer")
    page = family.reads(path)
    assert "quittance.pdf" in words(page)
    assert family.goes_on(path, filled_in(page, path)) == family.at("documents")
    assert family.asked(RemoveDocument) == [RemoveDocument(document_id=document.id)]


def test_a_late_document_is_sent_from_a_submitted_application(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    family.stands_at(6, state="submitted")
    fields = [("document_id", str(new_id()))]
    answer = family.uploads(family.at(PIECE), fields, "quittance.pdf", b"%PDF")
    assert answer.headers["location"] == f"/eleves/{family.student.id}/documents"
    assert stored


def test_a_piece_that_is_not_asked_for_does_not_exist(family: Household) -> None:
    assert "Page introuvable" in family.reads(family.at("documents/autre"), status=404)


# The way to the store


@asynccontextmanager
async def a_store(status: int, received: dict[str, str]) -> AsyncIterator[str]:
    async def take(request: web.Request) -> web.Response:
        for name, value in (await request.post()).items():
            received[name] = (
                value.file.read().decode() if isinstance(value, web.FileField) else str(value)
            )
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/rentree", take)
    async with TestServer(application) as server:
        yield str(server.make_url("/rentree"))


async def test_the_store_gets_the_tickets_fields_before_the_file() -> None:
    received: dict[str, str] = {}
    async with a_store(204, received) as url:
        await StoreDoor(url).send(a_ticket(url), "quittance.pdf", b"%PDF")
    assert list(received.items()) == [
        ("key", "incoming/1"),
        ("Content-Type", "application/pdf"),
        ("file", "%PDF"),
    ]


async def test_the_store_may_be_reached_otherwise_than_by_browsers() -> None:
    received: dict[str, str] = {}
    async with a_store(204, received) as url:
        here = url.removesuffix("/rentree")
        await StoreDoor(here).send(a_ticket(), "quittance.pdf", b"%PDF")
    assert received["file"] == "%PDF"


@pytest.mark.parametrize(("status", "error"), [(403, Rejection), (500, ServiceUnavailable)])
async def test_a_store_that_refuses_is_not_one_that_fails(
    status: int, error: type[Exception]
) -> None:
    async with a_store(status, {}) as url:
        with pytest.raises(error):
            await StoreDoor(url).send(a_ticket(url), "quittance.pdf", b"%PDF")


async def test_a_store_that_is_not_there_is_documents_being_away() -> None:
    async with a_store(204, {}) as url:
        pass
    with pytest.raises(ServiceUnavailable, match="documents"):
        await StoreDoor(url).send(a_ticket(url), "quittance.pdf", b"%PDF")
