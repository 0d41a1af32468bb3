"""The pieces to provide: files go straight to the object store."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, RequestBody
from shared.contracts.documents import (
    Document,
    DocumentLink,
    ListPieces,
    OpenDocument,
    OpenUpload,
    Pieces,
    RegisterUpload,
    RemoveDocument,
    UploadTicket,
)

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Documents",
    description="The pieces to provide. Files go straight to the object store: open an upload, post"
    " the file where it says, then register it.",
)


@get("/students/{student_id:uuid}/pieces", responses=MINE)
async def list_pieces(
    student_id: FromPath[UUID], campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> Pieces:
    """Give the pieces to provide for a student in a campaign, and what was given for each."""
    return await person.ask(ListPieces(campaign_id=campaign_id, student_id=student_id))


@post("/uploads", status_code=200, responses=CHANGED)
async def open_upload(
    data: RequestBody[OpenUpload], person: NamedDependency[Person]
) -> UploadTicket:
    """Ask where to send a file: a presigned POST, valid until `expires_at`.

    `document_id` is the client's. Send `fields` then `file` to `url` as `multipart/form-data`.
    Refused: `file_too_large`, `file_type_refused`, `file_empty`, `documents_not_open`,
    `documents_closed`.
    """
    return await person.ask(data)


@put("/uploads/{document_id:uuid}/registration", responses=CHANGED)
async def register_upload(document_id: FromPath[UUID], person: NamedDependency[Person]) -> Document:
    """Tell that the file was sent: it is checked and attached, replacing the former one.

    Refused: `upload_not_received`, `file_not_what_its_name_says` (422).
    """
    return await person.ask(RegisterUpload(document_id=document_id))


@delete("/documents/{document_id:uuid}", responses=CHANGED)
async def remove_document(document_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Take a document back; one already removed stays so. Refused: `documents_closed`."""
    await person.ask(RemoveDocument(document_id=document_id))


@get("/documents/{document_id:uuid}/link", responses=MINE)
async def open_document(
    document_id: FromPath[UUID], person: NamedDependency[Person]
) -> DocumentLink:
    """Give a short-lived link to read a document that was checked."""
    return await person.ask(OpenDocument(document_id=document_id))


ROUTES = [list_pieces, open_upload, register_upload, remove_document, open_document]
