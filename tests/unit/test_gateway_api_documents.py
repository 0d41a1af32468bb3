"""The JSON API of documents: pieces, uploads, review, publications."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from shared.contract import Ask, Rejection
from shared.contracts.documents import (
    AcceptDocument,
    DeclinePiece,
    DocumentHistory,
    ListPieces,
    Missing,
    MissingPieces,
    OpenDocument,
    OpenPublication,
    OpenUpload,
    Pieces,
    Publication,
    PublishedDocuments,
    RefuseDocument,
    RegisterUpload,
    RemoveDocument,
    ReviewItem,
    ReviewQueue,
    ShowDocument,
    TakeBackPieceDecline,
)
from shared.contracts.files import Document, DocumentLink, DocumentStep, UploadTicket
from shared.identifiers import new_id

from tests.harness import family_caller, staff_caller
from tests.portal import Portal

type Program = TestClient[Litestar]

NOW = datetime.now(UTC)
ID = new_id()
DOCUMENT = Document(
    id=ID,
    filename="facture.pdf",
    content_type="application/pdf",
    size=1234,
    state="deposited",
    deposited_at=NOW,
    is_readable=True,
)
TICKET = UploadTicket(
    document_id=ID, url="https://store.example/b", fields={"key": "k"}, expires_at=NOW
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def portal(gateway: Portal) -> Portal:
    gateway.reset({})
    return gateway


@pytest.fixture
def program(portal: Portal) -> Iterator[Program]:
    with portal.program(family_caller()) as program:
        yield program


@pytest.fixture
def staff(portal: Portal) -> Iterator[Program]:
    with portal.program(staff_caller()) as program:
        yield program


def of_piece(document_id: UUID) -> ReviewItem:
    return ReviewItem(
        document=DOCUMENT.model_copy(update={"id": document_id}),
        family_id=new_id(),
        student_id=None,
        campaign_id=new_id(),
        type_code="domicile",
        name="Justificatif de domicile",
    )


def test_a_family_s_program_sends_follows_and_reads_a_document(
    portal: Portal, program: Program
) -> None:
    campaign, student = new_id(), new_id()
    pieces = Pieces(due_at=NOW, family=(), student=())
    portal.services.answers |= {
        ListPieces: pieces,
        OpenUpload: TICKET,
        RegisterUpload: DOCUMENT,
        ShowDocument: DOCUMENT,
        DocumentHistory: (DocumentStep(state="deposited", happened_at=NOW, by="service"),),
        OpenDocument: DocumentLink(url="https://store.example/b/k", expires_at=NOW),
        RemoveDocument: None,
    }
    wish = OpenUpload(
        document_id=ID, campaign_id=campaign, type_code="rib", filename="rib.pdf", size=1234
    )
    body = wish.model_dump(mode="json", exclude_none=True)
    named = f"campaign_id={campaign}"
    for answer in (
        program.get(f"/api/v1/pieces?{named}"),
        program.get(f"/api/v1/students/{student}/pieces?{named}"),
        program.post("/api/v1/uploads", json=body),
        program.put(f"/api/v1/uploads/{ID}/registration"),
        program.get(f"/api/v1/documents/{ID}"),
        program.get(f"/api/v1/documents/{ID}/history"),
        program.get(f"/api/v1/documents/{ID}/link"),
        program.delete(f"/api/v1/documents/{ID}"),
    ):
        assert answer.is_success, answer.text
    assert portal.services.asked == [
        ListPieces(campaign_id=campaign),
        ListPieces(campaign_id=campaign, student_id=student),
        wish,
        RegisterUpload(document_id=ID),
        ShowDocument(document_id=ID),
        DocumentHistory(document_id=ID),
        OpenDocument(document_id=ID),
        RemoveDocument(document_id=ID),
    ]


def test_a_family_s_program_declines_a_piece_and_takes_that_back(
    portal: Portal, program: Program
) -> None:
    campaign, student = new_id(), new_id()
    portal.services.answers |= {DeclinePiece: None, TakeBackPieceDecline: None}
    family_s = f"/api/v1/pieces/domicile/decline?campaign_id={campaign}"
    student_s = f"/api/v1/students/{student}/pieces/medical/decline?campaign_id={campaign}"
    for path in (family_s, student_s):
        assert program.put(path).status_code == 204
        assert program.delete(path).status_code == 204
    family_piece = {"campaign_id": campaign, "type_code": "domicile"}
    student_piece = {"campaign_id": campaign, "type_code": "medical", "student_id": student}
    assert portal.services.asked == [
        DeclinePiece.model_validate(family_piece),
        TakeBackPieceDecline.model_validate(family_piece),
        DeclinePiece.model_validate(student_piece),
        TakeBackPieceDecline.model_validate(student_piece),
    ]


def test_what_is_missing_and_published_is_told(portal: Portal, program: Program) -> None:
    campaign, family, student = new_id(), new_id(), new_id()
    published = Publication(
        id=ID,
        title="Bulletin",
        school_year="2026-2027",
        filename="bulletin.pdf",
        content_type="application/pdf",
        size=1,
        published_at=NOW,
    )
    portal.services.answers |= {
        MissingPieces: Missing(due_at=NOW, pieces=()),
        PublishedDocuments: (published,),
    }
    missing = program.get(
        f"/api/v1/families/{family}/students/{student}/missing-pieces?campaign_id={campaign}"
    )
    assert Missing.model_validate_json(missing.content).pieces == ()
    (listed,) = program.get(f"/api/v1/students/{student}/publications").json()
    assert listed["title"] == "Bulletin"
    assert portal.services.asked == [
        MissingPieces(campaign_id=campaign, family_id=family, student_id=student),
        PublishedDocuments(student_id=student),
    ]


def test_the_staff_reviews_and_publishes(portal: Portal, staff: Program) -> None:
    campaign, item = new_id(), of_piece(ID)
    portal.services.answers |= {
        ReviewQueue: (item,),
        AcceptDocument: DOCUMENT,
        RefuseDocument: DOCUMENT,
        OpenPublication: TICKET,
    }
    to_review = f"/api/v1/campaigns/{campaign}/documents-to-review"
    (listed,) = staff.get(to_review).json()
    assert ReviewItem.model_validate(listed) == item
    assert staff.get(f"{to_review}?limit=1").is_success
    assert staff.put(f"/api/v1/documents/{ID}/acceptance").is_success
    refusal = staff.put(f"/api/v1/documents/{ID}/refusal", json={"reason": " Illisible. "})
    assert refusal.is_success, refusal.text
    publication = OpenPublication(
        document_id=ID,
        student_id=new_id(),
        title="Bulletin",
        school_year="2026-2027",
        filename="bulletin.pdf",
        size=1,
    )
    opened = staff.post("/api/v1/publications", json=publication.model_dump(mode="json"))
    assert UploadTicket.model_validate_json(opened.content) == TICKET
    assert portal.services.asked == [
        ReviewQueue(campaign_id=campaign),
        ReviewQueue(campaign_id=campaign, limit=1),
        AcceptDocument(document_id=ID),
        RefuseDocument(document_id=ID, reason="Illisible."),
        publication,
    ]


@pytest.mark.parametrize("limit", [0, 201, "x"])
def test_a_limit_out_of_bounds_is_refused(portal: Portal, staff: Program, limit: object) -> None:
    answer = staff.get(f"/api/v1/campaigns/{new_id()}/documents-to-review?limit={limit}")
    assert answer.status_code in {400, 422}
    assert portal.services.asked == []


def test_a_document_is_not_refused_without_a_reason(portal: Portal, staff: Program) -> None:
    answer = staff.put(f"/api/v1/documents/{ID}/refusal", json={"reason": "  "})
    assert answer.status_code == 422
    assert portal.services.asked == []


@pytest.mark.parametrize(
    ("question", "method", "path"),
    [
        (ShowDocument, "GET", f"/api/v1/documents/{ID}"),
        (DocumentHistory, "GET", f"/api/v1/documents/{ID}/history"),
        (AcceptDocument, "PUT", f"/api/v1/documents/{ID}/acceptance"),
        (ReviewQueue, "GET", f"/api/v1/campaigns/{ID}/documents-to-review"),
        (PublishedDocuments, "GET", f"/api/v1/students/{ID}/publications"),
    ],
)
def test_what_is_not_ones_own_is_not_found(
    portal: Portal, program: Program, question: type[Ask[object]], method: str, path: str
) -> None:
    portal.services.answers |= {question: Rejection.not_found()}
    answer = program.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
