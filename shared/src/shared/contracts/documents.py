"""What documents answers and tells: the pieces to provide, uploads, their state, publications."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contract import Command, Contract, Event, ImportFile, Query
from shared.contracts.files import (
    ContentType,
    Document,
    DocumentLink,
    DocumentStep,
    Filename,
    UploadTicket,
)

type Owner = Literal["family", "student"]
"""Whose a piece is: a family's serves all its students, a student's that one only (S56)."""
type Requirement = Literal["required", "if_justified", "optional"]
type SchoolYear = Annotated[str, StringConstraints(pattern=r"^20\d{2}-20\d{2}$")]
type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Piece(Contract):
    """A document type of a campaign (S52) and what the family gave for it.

    ``document`` is what counts; ``attempt`` a file sent since, which is being analysed or which
    the verification refused; ``declined_at`` tells when the family declared that it gives none
    (S55). ``may_send``, ``may_remove`` and ``may_decline`` say what the family may do now.
    """

    type_code: str
    name: str
    owner: Owner
    requirement: Requirement
    help: str
    document: Document | None = None
    attempt: Document | None = None
    may_send: bool = False
    may_remove: bool = False
    may_decline: bool = False
    declined_at: datetime | None = None


class Pieces(Contract):
    """The two lists of step 3 (S50), and until when they may be given."""

    due_at: datetime
    family: tuple[Piece, ...]
    student: tuple[Piece, ...]


class ListPieces(Query[Pieces]):
    """The pieces to provide for one student of the caller's family in one campaign; without a
    student, those of the family alone.
    """

    campaign_id: UUID
    student_id: UUID | None = None


class MissingPiece(Contract):
    """A required piece that was not given, or whose file was refused, and then why."""

    type_code: str
    name: str
    owner: Owner
    refusal: str = ""


class Missing(Contract):
    """What an application still lacks, and until when it may be given."""

    due_at: datetime
    pieces: tuple[MissingPiece, ...]


class MissingPieces(Query[Missing]):
    """What is missing for one student in one campaign; for its family and the staff of its site.

    Neither a file under analysis nor a declined piece is missing.
    """

    campaign_id: UUID
    family_id: UUID
    student_id: UUID


class OpenUpload(Command[UploadTicket]):
    """Ask where to send a file. Refused: ``file_too_large``, ``file_type_refused``,
    ``file_empty``, ``documents_not_open``, ``documents_closed``, ``document_accepted``,
    ``ticket_used``, ``store_unavailable`` (503), ``not_found``.

    ``student_id`` names whose page it is, or nobody's for a piece of the family, which serves all
    its students (S56).
    """

    document_id: UUID
    campaign_id: UUID
    student_id: UUID | None = None
    type_code: str
    filename: Filename
    size: int = Field(ge=0)


class RegisterUpload(Command[Document]):
    """Tell that the file was sent: from now on it is analysed, then takes the former one's place.

    Refused: ``upload_not_received``, ``document_accepted`` where its piece was accepted meanwhile,
    ``store_unavailable`` (503), ``not_found``. Repeating it gives the document as it then stands.
    """

    document_id: UUID


class ShowDocument(Query[Document]):
    """One document as it stands; for its family and the staff of its site."""

    document_id: UUID


class RemoveDocument(Command[None]):
    """Take a document back, until it is reviewed; one already removed stays so. The staff take
    back what their site published.

    Refused: ``documents_closed`` once the deadline has passed, ``document_reviewed``,
    ``not_found``.
    """

    document_id: UUID


class DeclinePiece(Command[None]):
    """Declare that the family does not give a piece (S55): the highest fee applies. Declared twice
    it was declared once; a file given after all takes it back.

    Refused: ``piece_given``, ``documents_not_open``, ``documents_closed``, ``not_found``.
    ``student_id`` as in :class:`OpenUpload`.
    """

    campaign_id: UUID
    student_id: UUID | None = None
    type_code: str


class TakeBackPieceDecline(Command[None]):
    """Take back what :class:`DeclinePiece` declared, if anything. Refused: ``documents_not_open``,
    ``documents_closed``, ``not_found``.
    """

    campaign_id: UUID
    student_id: UUID | None = None
    type_code: str


class OpenDocument(Command[DocumentLink]):
    """A link to read a document that was verified ("Consulter"), for its family and the staff of
    its site. Each is logged.
    """

    document_id: UUID


class DocumentHistory(Query[tuple[DocumentStep, ...]]):
    """Everything that happened to a document, oldest first; for its family and its site's staff."""

    document_id: UUID


class ReviewItem(Contract):
    """A document that waits for the staff's decision, or that has had it."""

    document: Document
    family_id: UUID
    student_id: UUID | None
    campaign_id: UUID
    type_code: str
    name: str


class ReviewQueue(Query[tuple[ReviewItem, ...]]):
    """The documents of a campaign to review, the longest waiting first (S83); for the staff of its
    site. At most ``limit``.
    """

    campaign_id: UUID
    limit: int = Field(default=20, ge=1, le=200)


class AcceptDocument(Command[Document]):
    """Accept a document after review; an accepted one stays so. A file that its family sent since
    and that is still analysed is no longer wanted, and goes.

    Refused: ``not_reviewable`` while it is analysed itself or once it was replaced, ``not_found``.
    """

    document_id: UUID


class RefuseDocument(Command[Document]):
    """Refuse a document with the reason that reaches the family, which may then replace it.

    Refused: ``not_reviewable``, ``not_found``. Another reason is told
    again, the same one is not.
    """

    document_id: UUID
    reason: Reason


class Publication(Contract):
    """A document that the site published for a student (S18)."""

    id: UUID
    title: str
    school_year: str
    filename: str
    content_type: ContentType
    size: int
    published_at: datetime


class OpenPublication(Command[UploadTicket]):
    """Ask where to send a document to publish for a student (staff of its site): it is registered,
    analysed and read as any other. Refused as :class:`OpenUpload` refuses a file, and
    ``no_longer_kept`` where documents of that school year are purged.
    """

    document_id: UUID
    student_id: UUID
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    school_year: SchoolYear
    filename: Filename
    size: int = Field(ge=0)


class PublishedDocuments(Query[tuple[Publication, ...]]):
    """What the site published for a student, the latest first; for its family and the staff."""

    student_id: UUID


class ImportPieces(ImportFile):
    """``pieces.csv``: code;pour;nom;exigence;condition;aide. Those of one campaign, or, without
    one, of every campaign that has none of its own.
    """

    campaign_id: UUID | None = None


class DocumentDeposited(Event, about="document_id"):
    """A document was verified and attached; ``student_id`` is absent for a family's piece.

    ``deposited_at`` is when the family handed it in.
    """

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
    deposited_at: datetime


class DocumentRemoved(Event, about="document_id"):
    """A document that had been attached was taken back or replaced."""

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str


class DocumentAccepted(Event, about="document_id"):
    """The staff accepted a document; ``name`` is the piece's."""

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
    name: str = ""
    accepted_at: datetime


class DocumentRefused(Event, about="document_id", personal=True):
    """A document was refused, by the verification (``service``) or by the staff.

    ``name`` is the piece's, ``reason`` what the family is told, in words that may speak of it.
    """

    document_id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
    name: str
    by: Literal["staff", "service"]
    reason: str
    refused_at: datetime


class PieceDeclined(Event, about="family_id"):
    """A family declared that it does not give a piece."""

    family_id: UUID
    campaign_id: UUID
    student_id: UUID | None
    type_code: str
    declined_at: datetime


class PieceDeclineTakenBack(Event, about="family_id"):
    """A family took its declaration back, or gave the piece after all."""

    family_id: UUID
    campaign_id: UUID
    student_id: UUID | None
    type_code: str


class DocumentPublished(Event, about="document_id"):
    """A site published a document for a student."""

    document_id: UUID
    site_id: UUID
    student_id: UUID
    published_at: datetime


class FamilyDocumentsErased(Event, about="family_id"):
    """Nothing is left of a family's documents, in the store nor on record (S96)."""

    family_id: UUID
    erased_at: datetime


class LackingPiece(Contract):
    """A required piece that is still to provide; the family's own has no ``student_id``."""

    student_id: UUID | None
    name: str


class LackingFamily(Contract):
    """All that a family still has to provide in a campaign: nothing, once it is complete."""

    family_id: UUID
    pieces: tuple[LackingPiece, ...]


class PiecesReckoned(Event, about="campaign_id"):
    """What up to 200 families lack in a campaign, where that changed since it was last told.

    Told within minutes of the change, while documents are taken; the latest ``reckoned_at`` counts.
    """

    campaign_id: UUID
    families: tuple[LackingFamily, ...]
    reckoned_at: datetime
