"""The pieces to provide: files go straight to the object store."""

from typing import Annotated
from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, QueryParameter, RequestBody
from shared.contract import Contract
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
    Reason,
    RefuseDocument,
    RegisterUpload,
    RemoveDocument,
    ReviewItem,
    ReviewQueue,
    ShowDocument,
    TakeBackPieceDecline,
)
from shared.contracts.files import Document, DocumentLink, DocumentStep, UploadTicket

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Documents",
    description="The pieces to provide, their review, and what sites publish for their students."
    " Files go straight to the object store: open an upload, post the file where it says, then"
    " register it. It is `analysing` until it was scanned and opened; nobody reads it before.",
)


class Refusal(Contract):
    """Why the staff refuse a document, in words that reach the family."""

    reason: Reason


@get("/pieces", responses=MINE)
async def list_family_pieces(
    campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> Pieces:
    """Give the pieces of the family alone in a campaign, and what was given for each."""
    return await person.ask(ListPieces(campaign_id=campaign_id))


@get("/students/{student_id:uuid}/pieces", responses=MINE)
async def list_pieces(
    student_id: FromPath[UUID], campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> Pieces:
    """Give the pieces to provide for a student in a campaign, and what was given for each.

    `document` is what counts; `attempt` a file sent since, being analysed or refused by the
    verification; `declined_at` when the family declared that it gives none. `may_send`,
    `may_remove` and `may_decline` say what the family may do now.
    """
    return await person.ask(ListPieces(campaign_id=campaign_id, student_id=student_id))


@get("/families/{family_id:uuid}/students/{student_id:uuid}/missing-pieces", responses=MINE)
async def list_missing_pieces(
    family_id: FromPath[UUID],
    student_id: FromPath[UUID],
    campaign_id: FromQuery[UUID],
    person: NamedDependency[Person],
) -> Missing:
    """Give the required pieces that a student's application lacks, and until when (family, or
    staff of its site). Neither a file under analysis nor a declined piece is missing.
    """
    return await person.ask(
        MissingPieces(campaign_id=campaign_id, family_id=family_id, student_id=student_id)
    )


@post("/uploads", status_code=200, responses=CHANGED)
async def open_upload(
    data: RequestBody[OpenUpload], person: NamedDependency[Person]
) -> UploadTicket:
    """Ask where to send a file for a piece: a presigned POST, valid until `expires_at`, once.

    `document_id` is the client's; `student_id` is left out for a piece of the family. Send `fields`
    then `file` to `url` as `multipart/form-data`. Refused: `file_too_large`, `file_type_refused`,
    `file_empty` (422), `documents_not_open`, `documents_closed`, `document_accepted`,
    `ticket_used` (mint another `document_id`).
    """
    return await person.ask(data)


@put("/uploads/{document_id:uuid}/registration", responses=CHANGED)
async def register_upload(document_id: FromPath[UUID], person: NamedDependency[Person]) -> Document:
    """Tell that the file was sent: it is analysed, then takes the former one's place.

    Until then the former one counts. Repeating gives the document as it stands. Refused:
    `upload_not_received`.
    """
    return await person.ask(RegisterUpload(document_id=document_id))


@get("/documents/{document_id:uuid}", responses=MINE)
async def show_document(document_id: FromPath[UUID], person: NamedDependency[Person]) -> Document:
    """Give a document as it stands (family, or staff of its site); `refusal` says why not."""
    return await person.ask(ShowDocument(document_id=document_id))


@get("/documents/{document_id:uuid}/history", responses=MINE)
async def show_document_history(
    document_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[DocumentStep, ...]:
    """Give every change of a document's state, oldest first (family, or staff of its site)."""
    return await person.ask(DocumentHistory(document_id=document_id))


@get("/documents/{document_id:uuid}/link", responses=MINE)
async def open_document(
    document_id: FromPath[UUID], person: NamedDependency[Person]
) -> DocumentLink:
    """Give a short-lived link to download a document that was verified (family, or staff of its
    site). Who asked is written down.
    """
    return await person.ask(OpenDocument(document_id=document_id))


@delete("/documents/{document_id:uuid}", responses=CHANGED)
async def remove_document(document_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Take a document back (family), or what was published (staff); one removed stays so.

    Refused: `documents_closed`, `document_reviewed` (it was accepted).
    """
    await person.ask(RemoveDocument(document_id=document_id))


@get("/campaigns/{campaign_id:uuid}/documents-to-review", responses=MINE)
async def list_documents_to_review(
    campaign_id: FromPath[UUID],
    person: NamedDependency[Person],
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 20,
) -> tuple[ReviewItem, ...]:
    """Give the documents of a campaign that wait for a decision, the longest waiting first (staff
    of its site, or operator). `limit` is at most 200.
    """
    return await person.ask(ReviewQueue(campaign_id=campaign_id, limit=limit))


@put("/documents/{document_id:uuid}/acceptance", responses=CHANGED)
async def accept_document(document_id: FromPath[UUID], person: NamedDependency[Person]) -> Document:
    """Accept a document (staff of its site, or operator). Accepting again changes nothing.

    Refused: `not_reviewable` (being analysed, replaced or taken back).
    """
    return await person.ask(AcceptDocument(document_id=document_id))


@put("/documents/{document_id:uuid}/refusal", responses=CHANGED)
async def refuse_document(
    document_id: FromPath[UUID], data: RequestBody[Refusal], person: NamedDependency[Person]
) -> Document:
    """Refuse a document (staff of its site, or operator): the family is told why and may replace
    it. Refused: `not_reviewable` (being analysed, replaced or taken back).
    """
    return await person.ask(RefuseDocument(document_id=document_id, reason=data.reason))


@post("/publications", status_code=200, responses=CHANGED)
async def open_publication(
    data: RequestBody[OpenPublication], person: NamedDependency[Person]
) -> UploadTicket:
    """Ask where to send a document to publish for a student (staff of its site, or operator).

    It is then registered and analysed as any upload; the family sees it once it is `deposited`.
    Refused: `file_too_large`, `file_type_refused`, `file_empty`, `no_longer_kept` (422),
    `ticket_used`.
    """
    return await person.ask(data)


@get("/students/{student_id:uuid}/publications", responses=MINE)
async def list_publications(
    student_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[Publication, ...]:
    """Give what the site published for a student, the latest first (family, or staff)."""
    return await person.ask(PublishedDocuments(student_id=student_id))


@put("/pieces/{type_code:str}/decline", status_code=204, responses=CHANGED)
async def decline_family_piece(
    type_code: FromPath[str], campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> None:
    """Declare that the family does not give a piece of its own: the highest fee applies.

    Refused: `piece_given`, `documents_not_open`, `documents_closed`.
    """
    await person.ask(DeclinePiece(campaign_id=campaign_id, type_code=type_code))


@put(
    "/students/{student_id:uuid}/pieces/{type_code:str}/decline",
    status_code=204,
    responses=CHANGED,
)
async def decline_piece(
    student_id: FromPath[UUID],
    type_code: FromPath[str],
    campaign_id: FromQuery[UUID],
    person: NamedDependency[Person],
) -> None:
    """Declare that the family does not give a student's piece: the highest fee applies.

    Refused: `piece_given`, `documents_not_open`, `documents_closed`.
    """
    await person.ask(
        DeclinePiece(campaign_id=campaign_id, student_id=student_id, type_code=type_code)
    )


@delete("/pieces/{type_code:str}/decline", responses=CHANGED)
async def take_back_family_decline(
    type_code: FromPath[str], campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> None:
    """Take that declaration back. Refused: `documents_not_open`, `documents_closed`."""
    await person.ask(TakeBackPieceDecline(campaign_id=campaign_id, type_code=type_code))


@delete("/students/{student_id:uuid}/pieces/{type_code:str}/decline", responses=CHANGED)
async def take_back_piece_decline(
    student_id: FromPath[UUID],
    type_code: FromPath[str],
    campaign_id: FromQuery[UUID],
    person: NamedDependency[Person],
) -> None:
    """Take that declaration back. Refused: `documents_not_open`, `documents_closed`."""
    await person.ask(
        TakeBackPieceDecline(campaign_id=campaign_id, student_id=student_id, type_code=type_code)
    )


ROUTES = [
    decline_family_piece,
    decline_piece,
    take_back_family_decline,
    take_back_piece_decline,
    list_family_pieces,
    list_pieces,
    list_missing_pieces,
    open_upload,
    register_upload,
    show_document,
    show_document_history,
    open_document,
    remove_document,
    list_documents_to_review,
    accept_document,
    refuse_document,
    open_publication,
    list_publications,
]
