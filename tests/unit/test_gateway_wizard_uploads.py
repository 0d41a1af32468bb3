import re
from collections.abc import Iterator
from typing import IO, Any

import pytest
from gateway.store import StoreDoor
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.documents import OpenUpload, RegisterUpload
from shared.contracts.enrolment import ListMyApplications, MyApplications, ShowApplication
from shared.contracts.files import MAX_DOCUMENT_BYTES, UploadTicket
from shared.identifiers import new_id

from tests.deposits import a_document, a_ticket
from tests.forms import filled_in, words
from tests.portal import Portal
from tests.wizard import Household, household

PIECE = "documents/domicile"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What reached the store."""
    reached: list[tuple[str, bytes]] = []

    async def keep(_: StoreDoor, ticket: UploadTicket, filename: str, file: IO[bytes]) -> None:
        assert ticket.fields
        reached.append((filename, file.read()))

    monkeypatch.setattr(StoreDoor, "send", keep)
    return reached


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(3)
        seated.answer({OpenUpload: a_ticket_for, RegisterUpload: a_document()})
        yield seated


def a_ticket_for(question: Any) -> UploadTicket:
    return a_ticket().model_copy(update={"document_id": question.document_id})


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


def test_a_form_whose_file_was_left_empty_asks_for_one(family: Household) -> None:
    path = family.at(PIECE)
    (token,) = re.findall(r'name="_csrf_token" value="([^"]+)"', family.reads(path))[-1:]
    parts = (
        'Content-Disposition: form-data; name="file"; filename=""\r\n\r\n',
        f'Content-Disposition: form-data; name="_csrf_token"\r\n\r\n{token}',
    )
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = family.client.post(path, content=body, headers=headers, follow_redirects=False)
    assert answer.status_code == 422
    assert "Choisissez un fichier" in words(answer.text)


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


def test_a_late_document_comes_back_to_the_students_documents(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    family.stands_at(6, state="submitted")
    fields = [("document_id", str(new_id()))]
    answer = family.uploads(family.at(PIECE), fields, "quittance.pdf", b"%PDF")
    assert answer.headers["location"] == f"/eleves/{family.student.id}/documents"
    assert stored


@pytest.mark.parametrize("place", ["student", "family"])
def test_a_document_is_given_without_an_application_and_comes_back_where_one_was(
    family: Household, stored: list[tuple[str, bytes]], place: str
) -> None:
    family.without(ShowApplication)
    is_students = place == "student"
    here = f"/eleves/{family.student.id}/documents" if is_students else "/famille/documents"
    back = here if is_students else "/famille#mes-documents"
    page = family.reads(f"{here}/domicile")
    assert f'href="{back}"' in page
    assert ('aria-label="Élève"' in page) == is_students
    fields = [pair for pair in filled_in(page, f"{here}/domicile") if pair[0] != "file"]
    answer = family.uploads(f"{here}/domicile", fields, "quittance.pdf", b"%PDF")
    assert answer.headers["location"] == back
    (opened,) = family.asked(OpenUpload)
    assert opened.student_id == (family.student.id if is_students else None)
    assert opened.campaign_id == family.application.campaign.id
    arrived = family.says(f"{here}/domicile/depose", {"document_id": str(opened.document_id)})
    assert arrived.json() == {"next": back}
    assert len(stored) == 1


def test_there_is_nothing_to_give_where_no_campaign_is_prepared(family: Household) -> None:
    family.answer({ListMyApplications: MyApplications(campaign=None, applications=())})
    assert "Page introuvable" in family.reads("/famille/documents/domicile", status=404)


def test_two_files_posted_without_script_are_not_taken_for_one(family: Household) -> None:
    path = family.at(PIECE)
    (token,) = re.findall(r'name="_csrf_token" value="([^"]+)"', family.reads(path))[-1:]
    files = [("file", ("a.jpg", b"a")), ("file", ("b.jpg", b"b"))]
    answer = family.client.post(path, data={"_csrf_token": token}, files=files)
    assert answer.status_code == 422
    assert "Choisissez un seul fichier" in words(answer.text)


def test_a_long_name_is_left_to_documents_to_cut(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    long = f"{'a' * 300}.pdf"
    family.uploads(family.at(PIECE), [("document_id", str(new_id()))], long, b"%PDF")
    family.says(family.at(f"{PIECE}/ticket"), {"filename": long, "size": 4})
    assert [opened.filename for opened in family.asked(OpenUpload)] == [long, long]
    assert [name for name, _ in stored] == [long]


def test_a_name_that_no_computer_gives_is_refused(
    family: Household, stored: list[tuple[str, bytes]]
) -> None:
    endless = f"{'a' * 1000}.pdf"
    fields = [("document_id", str(new_id()))]
    answer = family.uploads(family.at(PIECE), fields, endless, b"%PDF")
    assert answer.status_code == 422
    assert "Le nom du fichier est trop long" in words(answer.text)
    said = family.says(family.at(f"{PIECE}/ticket"), {"filename": endless, "size": 4})
    assert said.status_code == 422
    assert not stored


def test_a_piece_that_is_not_asked_for_does_not_exist(family: Household) -> None:
    assert "Page introuvable" in family.reads(family.at("documents/autre"), status=404)
