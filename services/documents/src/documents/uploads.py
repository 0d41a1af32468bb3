"""A file that was sent: what it is called, where it lies, what may be done with it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.files import (
    CONTENT_TYPES,
    MAX_DOCUMENT_BYTES,
    ContentType,
    Document,
    DocumentState,
)

type UploadState = Literal[
    "expected", "analysing", "unfit", "deposited", "accepted", "refused", "removed", "abandoned"
]
"""Where an upload stands: announced; sent and being verified; refused by the verification; the
document that counts, then as the staff reviewed it; taken back or replaced; never finished.
"""

COUNTING = frozenset[UploadState]({"deposited", "accepted", "refused"})
"""The states of what counts for a piece: the staff and the family read it."""
ATTEMPTED = frozenset[UploadState]({"analysing", "unfit"})
"""The states of what was sent since and does not count, or not yet."""
GIVEN = frozenset[UploadState]({"analysing", "deposited", "accepted"})
"""The states of what a family need not send again: its piece is not missing."""
ENDED = frozenset[UploadState]({"removed", "abandoned"})

LONGEST_FILENAME = 255

_SHOWN: Mapping[UploadState, DocumentState] = {
    "analysing": "analysing",
    "unfit": "refused",
    "deposited": "deposited",
    "accepted": "accepted",
    "refused": "refused",
}
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what no name needs: controls, line ends, and what turns a text around."""


@dataclass(frozen=True, slots=True)
class PieceKey:
    """Which piece a family's upload is for."""

    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file and what became of it: for a piece of a family, or, with a title, published by a
    site for a student.
    """

    id: UUID
    site_id: UUID
    campaign_id: UUID | None
    family_id: UUID | None
    student_id: UUID | None
    type_code: str | None
    title: str
    school_year: str
    filename: str
    content_type: ContentType
    size: int
    state: UploadState
    refusal: str
    opened_at: datetime
    deposited_at: datetime | None
    attempts: int

    @property
    def is_publication(self) -> bool:
        """Whether the site published it, rather than a family gave it."""
        return bool(self.title)

    @property
    def piece(self) -> PieceKey | None:
        """The piece that it is for; none for a publication."""
        if self.campaign_id is None or self.family_id is None or self.type_code is None:
            return None
        return PieceKey(self.campaign_id, self.family_id, self.student_id, self.type_code)

    @property
    def key(self) -> str:
        """Its place in the store, which tells nothing of anybody."""
        if self.is_publication:
            return f"published/{self.site_id}/{self.student_id}/{self.id}"
        return f"{self.campaign_id}/{self.family_id}/{self.id}"

    @property
    def is_readable(self) -> bool:
        """Whether its file was verified and is still kept."""
        return self.state in COUNTING

    def document(self) -> Document:
        """Show it; raises the Rejection that says why it is no document."""
        if self.state == "removed":
            raise Rejection.not_found()
        shown = _SHOWN.get(self.state)
        if shown is None or self.deposited_at is None:
            raise not_received()
        return Document(
            id=self.id,
            filename=self.filename,
            content_type=self.content_type,
            size=self.size,
            state=shown,
            deposited_at=self.deposited_at,
            refusal=self.refusal,
            is_readable=self.is_readable,
        )


def not_received() -> Rejection:
    """Refuse to register what the store does not have."""
    return Rejection(
        "upload_not_received",
        "Le fichier n'a pas été reçu. Choisissez-le de nouveau, puis recommencez l'envoi.",
    )


def already_accepted() -> Rejection:
    """Refuse a file for a piece that the staff has accepted."""
    return Rejection(
        "document_accepted",
        "Cette pièce a été validée par le conservatoire : il n'y a plus rien à déposer.",
    )


def check_removable(upload: Upload) -> None:
    """Refuse to take back what the staff has accepted."""
    if upload.state == "accepted":
        raise Rejection(
            "document_reviewed",
            "Cette pièce a été validée par le conservatoire : elle ne peut plus être supprimée.",
        )


def check_reviewable(upload: Upload) -> None:
    """Refuse a decision on what is not, or no more, the document of a piece."""
    if upload.is_publication or upload.state not in COUNTING:
        raise Rejection(
            "not_reviewable",
            "Ce document n'est pas, ou n'est plus, à contrôler : il est en cours d'analyse, ou la"
            " famille l'a remplacé ou supprimé.",
        )


def accepted_content_type(filename: str) -> ContentType:
    """Give the format that a file's name announces; raises ``file_type_refused`` (S51)."""
    content_type = CONTENT_TYPES.get(PurePosixPath(filename).suffix.lower())
    if content_type is None:
        raise Rejection(
            "file_type_refused",
            "Ce format n'est pas accepté. Choisissez un fichier PDF, JPEG ou PNG "
            "(.pdf, .jpg, .jpeg ou .png).",
            status=422,
        )
    return content_type


def check_size(size: int) -> None:
    """Refuse an empty file, or one over the limit (S51)."""
    if size == 0:
        raise Rejection(
            "file_empty",
            "Ce fichier est vide. Vérifiez-le, puis choisissez-le de nouveau.",
            status=422,
        )
    if size > MAX_DOCUMENT_BYTES:
        raise Rejection(
            "file_too_large",
            "Ce fichier dépasse %(limit)s Mo. Réduisez-le ou numérisez-le "
            "avec une qualité plus basse, puis recommencez.",
            status=422,
            limit=MAX_DOCUMENT_BYTES // 1024**2,
        )


def check_file(filename: str, size: int) -> tuple[str, ContentType]:
    """Give the name to keep and the format that it announces, or refuse the file (S51)."""
    bare = bare_filename(filename)
    content_type = accepted_content_type(bare)
    check_size(size)
    return bare, content_type


def bare_filename(filename: str) -> str:
    """Keep the name alone: no folder of the family's computer, nothing unprintable or that shows
    the name otherwise than it is; a long one is cut before its ending.
    """
    last = re.split(r"[/\\]", filename)[-1]
    name = "".join(c for c in last if unicodedata.category(c) not in _UNPRINTABLE).strip()
    if len(name) <= LONGEST_FILENAME:
        return name
    ending = PurePosixPath(name).suffix
    if len(ending) >= LONGEST_FILENAME:
        return name[:LONGEST_FILENAME]
    return name[: LONGEST_FILENAME - len(ending)].rstrip() + ending
