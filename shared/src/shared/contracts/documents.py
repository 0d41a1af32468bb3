"""What documents answers and tells: the pieces to provide, uploads and their state."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from shared.contract import Command, Contract, Event, ImportFile, Query

MAX_DOCUMENT_BYTES = 2 * 1024 * 1024
"""The most a file may weigh (S51)."""

type ContentType = Literal["application/pdf", "image/jpeg", "image/png"]

CONTENT_TYPES: dict[str, ContentType] = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}
"""The formats accepted, by the ending of the file's name (S51)."""

type Requirement = Literal["required", "if_justified", "optional"]
type DocumentState = Literal["expected", "analysing", "deposited"]


class Document(Contract):
    """A file that a family gave. ``size`` in bytes."""

    id: UUID
    filename: str
    content_type: ContentType
    size: int
    state: DocumentState
    deposited_at: datetime


class Piece(Contract):
    """A document type of a campaign (S52) and what the family gave for it."""

    type_code: str
    name: str
    requirement: Requirement
    help: str
    document: Document | None = None


class Pieces(Contract):
    """The two lists of step 3 (S50), and until when they may be given."""

    due_at: datetime
    family: tuple[Piece, ...]
    student: tuple[Piece, ...]


class ListPieces(Query[Pieces]):
    """The pieces to provide for one student of the caller's family in one campaign."""

    campaign_id: UUID
    student_id: UUID


class UploadTicket(Contract):
    """A presigned POST (S3): send ``fields`` then ``file`` to ``url`` before ``expires_at``."""

    document_id: UUID
    url: str
    fields: dict[str, str]
    expires_at: datetime


class OpenUpload(Command[UploadTicket]):
    """Ask where to send a file. Refused: ``file_too_large``, ``file_type_refused``,
    ``file_empty``, ``documents_not_open``, ``documents_closed``, ``store_unavailable`` (503),
    ``not_found``.

    ``student_id`` names whose page it is; a family's piece serves all its students (S56).
    """

    document_id: UUID
    campaign_id: UUID
    student_id: UUID
    type_code: str
    filename: str = Field(min_length=1, max_length=255)
    size: int = Field(ge=0)


class RegisterUpload(Command[Document]):
    """Tell that the file was sent: it is checked and attached, replacing the former one.

    Refused: ``upload_not_received``, ``file_not_what_its_name_says``, ``store_unavailable`` (503),
    ``not_found``. Repeating it gives the same answer.
    """

    document_id: UUID


class RemoveDocument(Command[None]):
    """Take a document back; one already removed stays so.

    Refused: ``documents_closed`` once the deadline has passed, ``not_found``.
    """

    document_id: UUID


class DocumentLink(Contract):
    """A short-lived link to read a document."""

    url: str
    expires_at: datetime


class OpenDocument(Query[DocumentLink]):
    """A link to read one's own document ("Consulter")."""

    document_id: UUID


class ImportPieces(ImportFile):
    """``pieces.csv``: code;pour;nom;exigence;condition;aide."""


class DocumentDeposited(Event, about="document_id"):
    """A document was checked and attached; ``student_id`` is absent for a family's piece."""

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
    deposited_at: datetime


class DocumentRemoved(Event, about="document_id"):
    """A document was taken back or replaced."""

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
