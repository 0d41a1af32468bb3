"""Files as families send and read them: what they may be, how they travel, where they stand."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from shared.contract import Contract

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

type DocumentState = Literal["analysing", "deposited", "accepted", "refused"]
"""Where a file that was sent stands (S53); a piece without one is still to provide."""
type Actor = Literal["family", "staff", "service"]
type Filename = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
"""A file's name as its computer gives it; what is kept of it is bare and at most 255 long."""


class Document(Contract):
    """A file that was sent. ``size`` in bytes; ``deposited_at`` is when it was handed in.

    ``refusal`` says to the family why a refused one was; what the verification refused is kept
    nowhere and cannot be read.
    """

    id: UUID
    filename: str
    content_type: ContentType
    size: int
    state: DocumentState
    deposited_at: datetime
    refusal: str = ""
    is_readable: bool = False


class UploadTicket(Contract):
    """A presigned POST (S3): send ``fields`` then ``file`` to ``url`` before ``expires_at``."""

    document_id: UUID
    url: str
    fields: dict[str, str]
    expires_at: datetime


class DocumentLink(Contract):
    """A short-lived link to download a document."""

    url: str
    expires_at: datetime


class DocumentStep(Contract):
    """A change of a document's state: by whom, and why where a reason was given."""

    state: DocumentState | Literal["expected", "removed", "abandoned"]
    happened_at: datetime
    by: Actor
    reason: str = ""
