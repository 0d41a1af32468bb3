"""What is on record, read into the values that the rules speak of, for whom may see it."""

from dataclasses import asdict, dataclass, fields, replace
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.db import Transaction
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CursorResult,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    exists,
    func,
    null,
    or_,
    select,
    true,
)

from documents.pieces import Campaign, DocumentType, Household, Student, to_provide, worded
from documents.tables import campaign, document, document_type, family, student, student_disciplines
from documents.uploads import ATTEMPTED, COUNTING, PieceKey, Upload

CAMPAIGN = [campaign.c[field.name] for field in fields(Campaign)]
TYPE = [document_type.c[field.name] for field in fields(DocumentType)]
UPLOAD = [document.c[field.name] for field in fields(Upload)]

PRESENT = document.c.state.in_(COUNTING | ATTEMPTED)
"""Uploads that were sent and have not ended."""


def _type_of(campaign_id: UUID | BindParameter[UUID]) -> ColumnElement[bool]:
    """A campaign's own types where it has any, else the territory's."""
    own = select(document_type.c.campaign_id).where(document_type.c.campaign_id == campaign_id)
    return document_type.c.campaign_id.is_not_distinct_from(own.limit(1).scalar_subquery())


# What every upload asks is built once: to build a statement costs more than to run it.
_DOCUMENT_ID = bindparam("document_id", type_=Uuid)
_CAMPAIGN_ID = bindparam("campaign_id", type_=Uuid)
_FAMILY_ID = bindparam("family_id", type_=Uuid)
_STUDENT_ID = bindparam("student_id", type_=Uuid)
_TYPE_CODE = bindparam("type_code", type_=Text)

_ONE = select(*UPLOAD).where(document.c.id == _DOCUMENT_ID)
_SENT = _ONE.where(document.c.family_id == _FAMILY_ID)
_LOCKED_PUBLICATION = _ONE.where(document.c.title != "").with_for_update(key_share=True)
# the family first, as everyone does: PostgreSQL locks in the order in which it is told
_LOCKED_OF_FAMILY = _ONE.join(family, document.c.family_id == family.c.id).with_for_update(
    of=(family, document), key_share=True
)
_OF_TYPE = and_(
    document.c.campaign_id == _CAMPAIGN_ID,
    document.c.family_id == _FAMILY_ID,
    document.c.type_code == _TYPE_CODE,
)
_OF_PIECE = select(*UPLOAD).where(
    _OF_TYPE, document.c.student_id.is_not_distinct_from(_STUDENT_ID), PRESENT
)
_ACCEPTED = exists().where(
    _OF_TYPE,
    document.c.student_id.is_not_distinct_from(
        case((document_type.c.owner == "student", _STUDENT_ID), else_=null())
    ),
    document.c.state == "accepted",
)
_WANTED = (
    select(*CAMPAIGN, *TYPE, _ACCEPTED.label("is_accepted"))
    .select_from(family)
    .join(campaign, campaign.c.site_id == family.c.site_id)
    .join(document_type, _type_of(_CAMPAIGN_ID))
    .where(
        family.c.id == _FAMILY_ID,
        campaign.c.id == _CAMPAIGN_ID,
        document_type.c.code == _TYPE_CODE,
    )
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A piece that a family is asked for."""

    campaign: Campaign
    piece: PieceKey
    is_accepted: bool
    """Whether the staff has accepted what was given for it."""


async def find_campaign(tx: Transaction, campaign_id: UUID, family_id: UUID) -> Campaign:
    """Give a campaign of the family's own site, or refuse as not found."""
    return await _find_campaign(
        tx,
        campaign.c.id == campaign_id,
        campaign.c.site_id
        == select(family.c.site_id).where(family.c.id == family_id).scalar_subquery(),
    )


async def find_site_campaign(tx: Transaction, campaign_id: UUID, site_id: UUID | None) -> Campaign:
    """Give a campaign that the staff of a site may see, all of them without a site, or refuse as
    not found.
    """
    of_site = true() if site_id is None else campaign.c.site_id == site_id
    return await _find_campaign(tx, campaign.c.id == campaign_id, of_site)


async def find_types(
    tx: Transaction, of: Campaign, family_id: UUID, student_id: UUID | None
) -> list[DocumentType]:
    """Give what is to provide for a student of this family, or for the family alone without one;
    refuse as not found a student of another's.
    """
    household = await _find_household(tx, family_id, student_id, of.present_school_year)
    found = await tx.execute(
        select(*TYPE).where(_type_of(of.id)).order_by(document_type.c.position)
    )
    return to_provide([DocumentType(**row) for row in found.mappings()], of, household)


async def find_wanted(
    tx: Transaction, campaign_id: UUID, family_id: UUID, type_code: str, student_id: UUID | None
) -> Wanted:
    """Give a piece that a family is asked for, for this student or for the family alone without
    one; refuse as not found any other.
    """
    asked = {
        "campaign_id": campaign_id,
        "family_id": family_id,
        "type_code": type_code,
        "student_id": student_id,
    }
    found = await tx.execute(_WANTED, asked)
    row = found.mappings().one_or_none()
    if row is None or (row["owner"] == "student" and student_id is None):
        raise Rejection.not_found()
    of = Campaign(**{column.name: row[column.name] for column in CAMPAIGN})
    kind = DocumentType(**{column.name: row[column.name] for column in TYPE})
    if kind.condition or student_id is not None:
        household = await _find_household(tx, family_id, student_id, of.present_school_year)
        if not to_provide([kind], of, household):
            raise Rejection.not_found()
    piece = PieceKey(of.id, family_id, student_id if kind.owner == "student" else None, kind.code)
    return Wanted(of, piece, is_accepted=row["is_accepted"])


async def find_all_types(tx: Transaction, of: Campaign) -> list[DocumentType]:
    """Give every type of a campaign in its order, named for it."""
    found = await tx.execute(
        select(*TYPE).where(_type_of(of.id)).order_by(document_type.c.position)
    )
    return [
        replace(DocumentType(**row), name=worded(row["name"], of.first_year))
        for row in found.mappings()
    ]


async def find_all_students(tx: Transaction, of: Campaign) -> dict[UUID, tuple[Student, ...]]:
    """Give the students of each family of a campaign's site."""
    found = await tx.execute(
        _students(of.present_school_year)
        .add_columns(student.c.family_id)
        .join(family, family.c.id == student.c.family_id)
        .where(family.c.site_id == of.site_id)
        .order_by(student.c.family_id, student.c.id)
    )
    return {
        family_id: tuple(Student(row.id, row.birth_on, tuple(row.disciplines)) for row in rows)
        for family_id, rows in groupby(found, key=attrgetter("family_id"))
    }


async def find_names(tx: Transaction, of: Campaign) -> dict[str, str]:
    """Give what the pieces of a campaign are called, by their code."""
    found = await tx.execute(
        select(document_type.c.code, document_type.c.name).where(_type_of(of.id))
    )
    return {row.code: worded(row.name, of.first_year) for row in found}


async def find_upload(tx: Transaction, document_id: UUID, caller: Caller) -> Upload:
    """Give a file that the caller may see, whatever its state, or refuse as not found (S97)."""
    return await _find_upload(tx, document.c.id == document_id, visible_to(caller))


async def find_own_upload(tx: Transaction, document_id: UUID, caller: Caller) -> Upload:
    """Give a file that the caller sent, or its family or site, or refuse as not found."""
    if caller.role == "family":
        asked = {"document_id": document_id, "family_id": caller.family()}
        return _one_upload(await tx.execute(_SENT, asked))
    return await _find_upload(
        tx, document.c.id == document_id, document.c.title != "", visible_to(caller)
    )


async def find_given(tx: Transaction, campaign_id: UUID, family_id: UUID) -> list[Upload]:
    """Give what a family sent in a campaign and has neither replaced nor taken back."""
    found = await tx.execute(
        select(*UPLOAD).where(
            document.c.campaign_id == campaign_id, document.c.family_id == family_id, PRESENT
        )
    )
    return [Upload(**row) for row in found.mappings()]


async def find_of_piece(tx: Transaction, piece: PieceKey) -> list[Upload]:
    """Give what was sent for one piece and has not ended: a document, an attempt, or both."""
    found = await tx.execute(_OF_PIECE, asdict(piece))
    return [Upload(**row) for row in found.mappings()]


async def lock_upload(tx: Transaction, document_id: UUID) -> Upload | None:
    """Have one change at a time to what a family sent, or to a publication; read it up to date.

    Gives nothing where it was erased.
    """
    asked = {"document_id": document_id}
    row = (await tx.execute(_LOCKED_OF_FAMILY, asked)).mappings().one_or_none()
    if row is None:
        row = (await tx.execute(_LOCKED_PUBLICATION, asked)).mappings().one_or_none()
    return None if row is None else Upload(**row)


async def lock_family(tx: Transaction, family_id: UUID) -> None:
    """Have one change at a time to a family's documents; what is read next is up to date."""
    await tx.execute(
        select(family.c.id).where(family.c.id == family_id).with_for_update(key_share=True)
    )


async def find_student_site(tx: Transaction, student_id: UUID, caller: Caller) -> UUID:
    """Give the site of a student of the caller's family or site, or refuse as not found."""
    sites = await tx.scalars(
        select(family.c.site_id)
        .join(student, student.c.family_id == family.c.id)
        .where(student.c.id == student_id, _serves(caller))
        .order_by(family.c.revision.desc())
        .limit(1)
    )
    site_id: UUID | None = sites.one_or_none()
    if site_id is None:
        raise Rejection.not_found()
    return site_id


async def check_family(tx: Transaction, family_id: UUID, caller: Caller) -> None:
    """Refuse as not found a family that is neither the caller's nor of the site it serves."""
    whose = select(family.c.id).where(family.c.id == family_id, _serves(caller))
    if await tx.scalar(whose) is None:
        raise Rejection.not_found()


def visible_to(caller: Caller) -> ColumnElement[bool]:
    """What a family gave and what was published for its students; for the staff, all of its
    site's; for anyone else, nothing.
    """
    if caller.role == "family":
        family_id = caller.family()
        own = select(student.c.id).where(student.c.family_id == family_id)
        return or_(
            document.c.family_id == family_id,
            and_(document.c.title != "", document.c.student_id.in_(own)),
        )
    site_id = caller.staff_site()
    return true() if site_id is None else document.c.site_id == site_id


def _serves(caller: Caller) -> ColumnElement[bool]:
    """The caller's own family; for the staff those of its site."""
    if caller.role == "family":
        return family.c.id == caller.family()
    site_id = caller.staff_site()
    return true() if site_id is None else family.c.site_id == site_id


async def _find_campaign(tx: Transaction, *where: ColumnElement[bool]) -> Campaign:
    found = await tx.execute(select(*CAMPAIGN).where(*where))
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Campaign(**row)


async def _find_upload(tx: Transaction, *where: ColumnElement[bool]) -> Upload:
    return _one_upload(await tx.execute(select(*UPLOAD).where(*where)))


def _one_upload(found: CursorResult[Any]) -> Upload:
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Upload(**row)


async def _find_household(
    tx: Transaction, family_id: UUID, student_id: UUID | None, school_year: str
) -> Household:
    found = await tx.execute(_students(school_year).where(student.c.family_id == family_id))
    students = tuple(Student(row.id, row.birth_on, tuple(row.disciplines)) for row in found)
    chosen = next((one for one in students if one.id == student_id), None)
    if student_id is not None and chosen is None:
        raise Rejection.not_found()
    return Household(chosen, students)


def _students(school_year: str) -> Select[tuple[object, ...]]:
    """Select students with what they follow in a school year."""
    return select(
        student.c.id,
        student.c.birth_on,
        func.coalesce(student_disciplines.c.disciplines, []).label("disciplines"),
    ).outerjoin(
        student_disciplines,
        and_(
            student_disciplines.c.student_id == student.c.id,
            student_disciplines.c.school_year == school_year,
        ),
    )
