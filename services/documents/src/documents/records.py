"""What is on record, read into the values that the rules speak of, for whom may see it."""

from dataclasses import fields, replace
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.db import Transaction
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from documents.pieces import Campaign, DocumentType, Household, Student, to_provide, worded
from documents.tables import campaign, document, document_type, family, student, student_disciplines
from documents.uploads import ATTEMPTED, COUNTING, PieceKey, Upload

CAMPAIGN = [campaign.c[field.name] for field in fields(Campaign)]
TYPE = [document_type.c[field.name] for field in fields(DocumentType)]
UPLOAD = [document.c[field.name] for field in fields(Upload)]

PRESENT = document.c.state.in_(COUNTING | ATTEMPTED)
"""Uploads that were sent and have not ended."""


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
    sent = (
        document.c.family_id == caller.family()
        if caller.role == "family"
        else and_(document.c.title != "", visible_to(caller))
    )
    return await _find_upload(tx, document.c.id == document_id, sent)


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
    found = await tx.execute(
        select(*UPLOAD).where(
            document.c.campaign_id == piece.campaign_id,
            document.c.family_id == piece.family_id,
            document.c.student_id.is_not_distinct_from(piece.student_id),
            document.c.type_code == piece.type_code,
            PRESENT,
        )
    )
    return [Upload(**row) for row in found.mappings()]


async def lock_upload(tx: Transaction, document_id: UUID) -> Upload | None:
    """Have one change at a time to what a family sent, or to a publication; read it up to date.

    Gives nothing where it was erased.
    """
    await tx.execute(
        select(family.c.id)
        .join(document, document.c.family_id == family.c.id)
        .where(document.c.id == document_id)
        .with_for_update(of=family, key_share=True)
    )
    found = await tx.execute(
        select(*UPLOAD).where(document.c.id == document_id).with_for_update(key_share=True)
    )
    row = found.mappings().one_or_none()
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


def _type_of(campaign_id: UUID) -> ColumnElement[bool]:
    """A campaign's own types where it has any, else the territory's."""
    own = select(document_type.c.campaign_id).where(document_type.c.campaign_id == campaign_id)
    return document_type.c.campaign_id.is_not_distinct_from(own.limit(1).scalar_subquery())


async def _find_campaign(tx: Transaction, *where: ColumnElement[bool]) -> Campaign:
    found = await tx.execute(select(*CAMPAIGN).where(*where))
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Campaign(**row)


async def _find_upload(tx: Transaction, *where: ColumnElement[bool]) -> Upload:
    found = await tx.execute(select(*UPLOAD).where(*where))
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
