"""Which pieces a family provides, when, and in which files (S50 to S56): rules without a server."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contract import Rejection
from shared.contracts.documents import (
    CONTENT_TYPES,
    MAX_DOCUMENT_BYTES,
    ContentType,
    Document,
    Piece,
    Pieces,
    Requirement,
)

type Owner = Literal["family", "student"]
"""Whose a piece is: a family's serves all its students, a student's that one only (S56)."""
type UploadState = Literal["expected", "deposited", "refused", "removed", "abandoned"]

OWNERS: dict[str, Owner] = {"famille": "family", "eleve": "student"}
REQUIREMENTS: dict[str, Requirement] = {
    "obligatoire": "required",
    "si justifié": "if_justified",
    "facultatif": "optional",
}

_PARIS = ZoneInfo("Europe/Paris")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_YEAR = re.compile(r"annee(?:-(\d))?")
_FOLLOWS = re.compile(r"discipline:(?P<discipline>.+)")
_YOUNG_STUDENTS = re.compile(r"(?P<count>\d+)_enfants_moins_(?P<age>\d+)_ans")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Campaign:
    """What documents needs to know of a campaign."""

    id: UUID
    school_year: str
    prepares_at: datetime
    opens_at: datetime
    documents_due_at: datetime

    @property
    def first_year(self) -> int:
        """The civil year in which its school year begins."""
        return int(self.school_year[:4])

    @property
    def present_school_year(self) -> str:
        """The school year during which it is held: the one before its own."""
        return f"{self.first_year - 1}-{self.first_year}"


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A kind of document to provide, the same for every campaign but for the years it names."""

    code: str
    owner: Owner
    name: str
    requirement: Requirement
    condition: str
    help: str


@dataclass(frozen=True, slots=True)
class Student:
    """What a condition looks at: the age, and what is followed in the present school year."""

    id: UUID
    birth_on: date | None
    disciplines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Household:
    """A student among all those of the family."""

    student: Student
    students: tuple[Student, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file announced by a family and what became of it."""

    id: UUID
    campaign_id: UUID
    family_id: UUID
    student_id: UUID | None
    type_code: str
    filename: str
    content_type: ContentType
    size: int
    state: UploadState
    refusal: str
    deposited_at: datetime | None

    @property
    def key(self) -> str:
        """Its place in the store, which tells nothing of anybody."""
        return f"{self.campaign_id}/{self.family_id}/{self.id}"

    def document(self) -> Document:
        """Show it to its family; raises the Rejection that says why it is no document."""
        if self.state == "refused":
            raise Rejection("file_not_what_its_name_says", self.refusal, status=422)
        if self.state == "removed":
            raise Rejection.not_found()
        if self.state != "deposited" or self.deposited_at is None:
            raise Rejection(
                "upload_not_received",
                "Le fichier n'a pas été reçu. Choisissez-le de nouveau, puis recommencez l'envoi.",
            )
        return Document(
            id=self.id,
            filename=self.filename,
            content_type=self.content_type,
            size=self.size,
            state="deposited",
            deposited_at=self.deposited_at,
        )


def worded(template: str, first_year: int) -> str:
    """Write the years of a campaign into a name: ``{annee}`` is its first, ``{annee-1}`` before."""

    def year(placeholder: re.Match[str]) -> str:
        named = _YEAR.fullmatch(placeholder[1])
        return str(first_year - int(named[1] or 0)) if named else placeholder[0]

    return _PLACEHOLDER.sub(year, template)


def unknown_placeholders(template: str) -> tuple[str, ...]:
    """Give what is in braces and is no year."""
    return tuple(name for name in _PLACEHOLDER.findall(template) if not _YEAR.fullmatch(name))


def is_condition(text: str) -> bool:
    """Tell whether :func:`applies` understands a condition; an empty one applies to everyone."""
    return not text or bool(_FOLLOWS.fullmatch(text) or _YOUNG_STUDENTS.fullmatch(text))


def applies(kind: DocumentType, household: Household, opens_on: date) -> bool:
    """Tell whether this household provides this document for its student.

    ``discipline:Danse`` asks whether the student (for a family's piece, any of the family's)
    follows a discipline whose name starts so in the present school year;
    ``2_enfants_moins_20_ans`` whether the family has two students at least who are not yet 20 on
    the day the campaign opens. One whose birth date is unknown is not counted.
    """
    if follows := _FOLLOWS.fullmatch(kind.condition):
        start = follows["discipline"].casefold()
        concerned = household.students if kind.owner == "family" else (household.student,)
        return any(
            discipline.casefold().startswith(start)
            for student in concerned
            for discipline in student.disciplines
        )
    if young := _YOUNG_STUDENTS.fullmatch(kind.condition):
        count = sum(
            student.birth_on is not None and _age(student.birth_on, opens_on) < int(young["age"])
            for student in household.students
        )
        return count >= int(young["count"])
    return True


def to_provide(
    types: Iterable[DocumentType], campaign: Campaign, household: Household
) -> list[DocumentType]:
    """Choose the documents that apply, named for the campaign."""
    opens_on = campaign.opens_at.astimezone(_PARIS).date()
    return [
        DocumentType(
            code=kind.code,
            owner=kind.owner,
            name=worded(kind.name, campaign.first_year),
            requirement=kind.requirement,
            condition=kind.condition,
            help=worded(kind.help, campaign.first_year),
        )
        for kind in types
        if applies(kind, household, opens_on)
    ]


def two_lists(
    types: Sequence[DocumentType], campaign: Campaign, student_id: UUID, uploads: Iterable[Upload]
) -> Pieces:
    """Set what the family gave beside what is to provide, in the two lists of step 3.

    ``uploads`` are the family's deposited documents in this campaign; those of its other students
    are theirs alone and left out.
    """
    given = {
        (upload.type_code, upload.student_id): upload.document()
        for upload in uploads
        if upload.student_id in {None, student_id}
    }

    def listed(owner: Owner) -> tuple[Piece, ...]:
        whose = student_id if owner == "student" else None
        return tuple(
            Piece(
                type_code=kind.code,
                name=kind.name,
                requirement=kind.requirement,
                help=kind.help,
                document=given.get((kind.code, whose)),
            )
            for kind in types
            if kind.owner == owner
        )

    return Pieces(
        due_at=campaign.documents_due_at, family=listed("family"), student=listed("student")
    )


def check_open(campaign: Campaign, now: datetime) -> None:
    """Refuse a change before the preparation date or from the document deadline on (S23, S54)."""
    if now < campaign.prepares_at:
        raise Rejection(
            "documents_not_open",
            f"Le dépôt des pièces commence le {_instant(campaign.prepares_at)}. "
            "Revenez à partir de cette date.",
            opens_at=campaign.prepares_at.isoformat(),
        )
    if now >= campaign.documents_due_at:
        raise Rejection(
            "documents_closed",
            f"Le dépôt des pièces s'est terminé le {_instant(campaign.documents_due_at)}. "
            "Contactez le secrétariat de votre conservatoire.",
            due_at=campaign.documents_due_at.isoformat(),
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
            f"Ce fichier dépasse {MAX_DOCUMENT_BYTES // 1024**2} Mo. Réduisez-le ou numérisez-le "
            "avec une qualité plus basse, puis recommencez.",
            status=422,
        )


def bare_filename(filename: str) -> str:
    """Keep the name alone: no folder of the family's computer, nothing unprintable."""
    return _UNPRINTABLE.sub("", re.split(r"[/\\]", filename)[-1]).strip()


def _age(birth_on: date, on: date) -> int:
    before_birthday = (on.month, on.day) < (birth_on.month, birth_on.day)
    return on.year - birth_on.year - before_birthday


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(_PARIS):%d/%m/%Y à %H:%M}"
