"""Which pieces a family provides, until when, and what it lacks (S50 to S56): rules alone."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contract import Rejection
from shared.contracts.documents import (
    Missing,
    MissingPiece,
    Owner,
    Piece,
    Pieces,
    Requirement,
)

from documents.uploads import ATTEMPTED, COUNTING, GIVEN, Upload

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


type Declined = Mapping[tuple[str, UUID | None], datetime]
"""When a family declined pieces, by their type and the student whose they are, if any."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What documents needs to know of a campaign."""

    id: UUID
    site_id: UUID
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

    def takes_documents(self, now: datetime) -> bool:
        """Whether a family may send or take back a document now (S23, S54)."""
        return self.prepares_at <= now < self.documents_due_at


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A kind of document to provide in a campaign, whose years its name and help may tell."""

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
    """The students of a family, and the one whose pieces are looked at, if not the family's."""

    student: Student | None
    students: tuple[Student, ...]

    def concerned(self, owner: Owner) -> tuple[Student, ...]:
        """The students whose courses decide on a piece."""
        if owner == "family":
            return self.students
        return () if self.student is None else (self.student,)


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
        return any(
            discipline.casefold().startswith(start)
            for student in household.concerned(kind.owner)
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
    types: Sequence[DocumentType],
    campaign: Campaign,
    student_id: UUID | None,
    uploads: Iterable[Upload],
    declined: Declined,
    now: datetime,
) -> Pieces:
    """Set what the family gave or declined beside what is to provide, in the two lists of step 3.

    ``uploads`` are the family's in this campaign, those that ended left out; those of its other
    students are theirs alone. Without a student the second list is empty.
    """
    present = [upload for upload in uploads if upload.student_id in {None, student_id}]
    counting = {_of(upload): upload for upload in present if upload.state in COUNTING}
    attempts = {_of(upload): upload for upload in present if upload.state in ATTEMPTED}
    is_open = campaign.takes_documents(now)

    def listed(owner: Owner) -> tuple[Piece, ...]:
        whose = student_id if owner == "student" else None
        return tuple(
            _piece(
                kind,
                counting.get((kind.code, whose)),
                attempts.get((kind.code, whose)),
                declined.get((kind.code, whose)),
                is_open=is_open,
            )
            for kind in types
            if kind.owner == owner
        )

    return Pieces(
        due_at=campaign.documents_due_at,
        family=listed("family"),
        student=listed("student") if student_id else (),
    )


def missing(lists: Pieces) -> Missing:
    """Give the required pieces that are neither given, being analysed nor declined, and why one
    that was refused was.
    """
    return Missing(
        due_at=lists.due_at,
        pieces=tuple(
            MissingPiece(
                type_code=piece.type_code,
                name=piece.name,
                owner=piece.owner,
                refusal=_last_refusal(piece),
            )
            for piece in (*lists.family, *lists.student)
            if piece.requirement == "required" and not _is_given(piece) and not piece.declined_at
        ),
    )


def lacking_pieces(
    types: Iterable[DocumentType],
    campaign: Campaign,
    students: tuple[Student, ...],
    given: Collection[tuple[str, UUID | None]],
) -> list[tuple[DocumentType, UUID | None]]:
    """Give what a whole family lacks: the same as :func:`missing` for each of its students.

    ``given`` is what need not be sent again, by its type and the student whose it is, if any.
    """
    opens_on = campaign.opens_at.astimezone(_PARIS).date()
    owners: list[tuple[Owner, UUID | None, Student | None]] = [("family", None, None)]
    owners += [("student", student.id, student) for student in students]
    return [
        (kind, owner_id)
        for owner, owner_id, student in owners
        for kind in types
        if (kind.owner, kind.requirement) == (owner, "required")
        and (kind.code, owner_id) not in given
        and applies(kind, Household(student, students), opens_on)
    ]


def check_open(campaign: Campaign, now: datetime) -> None:
    """Refuse a change before the preparation date or from the document deadline on (S23, S54)."""
    if now < campaign.prepares_at:
        raise Rejection(
            "documents_not_open",
            "Le dépôt des pièces commence le %(opens_at)s. Revenez à partir de cette date.",
            opens_at=campaign.prepares_at.isoformat(),
        )
    if now >= campaign.documents_due_at:
        raise Rejection(
            "documents_closed",
            "Le dépôt des pièces s'est terminé le %(due_at)s. "
            "Contactez le secrétariat de votre conservatoire.",
            due_at=campaign.documents_due_at.isoformat(),
        )


def _of(upload: Upload) -> tuple[str | None, UUID | None]:
    return upload.type_code, upload.student_id


def _piece(
    kind: DocumentType,
    counting: Upload | None,
    attempt: Upload | None,
    declined_at: datetime | None,
    *,
    is_open: bool,
) -> Piece:
    is_accepted = counting is not None and counting.state == "accepted"
    is_given = any(one is not None and one.state in GIVEN for one in (counting, attempt))
    return Piece(
        type_code=kind.code,
        name=kind.name,
        owner=kind.owner,
        requirement=kind.requirement,
        help=kind.help,
        document=counting.document() if counting else None,
        attempt=attempt.document() if attempt else None,
        may_send=is_open and not is_accepted,
        may_remove=is_open and not is_accepted and (counting or attempt) is not None,
        may_decline=is_open and not is_given and declined_at is None,
        declined_at=declined_at,
    )


def _is_given(piece: Piece) -> bool:
    states = {one.state for one in (piece.document, piece.attempt) if one is not None}
    return bool(states & GIVEN)


def _last_refusal(piece: Piece) -> str:
    last = piece.attempt or piece.document
    return last.refusal if last else ""


def _age(birth_on: date, on: date) -> int:
    before_birthday = (on.month, on.day) < (birth_on.month, birth_on.day)
    return on.year - birth_on.year - before_birthday
