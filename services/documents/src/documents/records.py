"""What is on record, read into the values that the rules speak of."""

from dataclasses import fields
from uuid import UUID

from shared.contract import Rejection
from shared.db import Transaction
from sqlalchemy import and_, func, select

from documents.pieces import Campaign, DocumentType, Household, Student, Upload, to_provide
from documents.tables import campaign, document, document_type, family, student, student_disciplines

CAMPAIGN = [campaign.c[field.name] for field in fields(Campaign)]
TYPE = [document_type.c[field.name] for field in fields(DocumentType)]
UPLOAD = [document.c[field.name] for field in fields(Upload)]


async def find_campaign(tx: Transaction, campaign_id: UUID, family_id: UUID) -> Campaign:
    """Give a campaign of the family's own site, or refuse as not found."""
    found = await tx.execute(
        select(*CAMPAIGN)
        .join(family, family.c.site_id == campaign.c.site_id)
        .where(campaign.c.id == campaign_id, family.c.id == family_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Campaign(**row)


async def find_types(
    tx: Transaction, of: Campaign, family_id: UUID, student_id: UUID
) -> list[DocumentType]:
    """Give what is to provide for a student of this family, or refuse as not found."""
    household = await _find_household(tx, family_id, student_id, of.present_school_year)
    found = await tx.execute(select(*TYPE).order_by(document_type.c.position))
    return to_provide([DocumentType(**row) for row in found.mappings()], of, household)


async def find_upload(tx: Transaction, document_id: UUID, family_id: UUID) -> Upload:
    """Give a file of this family, whatever its state, or refuse as not found."""
    found = await tx.execute(
        select(*UPLOAD).where(document.c.id == document_id, document.c.family_id == family_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Upload(**row)


async def find_deposited(tx: Transaction, campaign_id: UUID, family_id: UUID) -> list[Upload]:
    """Give the documents that a family gave in a campaign and has not taken back."""
    found = await tx.execute(
        select(*UPLOAD).where(
            document.c.campaign_id == campaign_id,
            document.c.family_id == family_id,
            document.c.state == "deposited",
        )
    )
    return [Upload(**row) for row in found.mappings()]


async def lock_family(tx: Transaction, family_id: UUID) -> None:
    """Have one change at a time to a family's documents; what is read next is up to date."""
    await tx.execute(
        select(family.c.id).where(family.c.id == family_id).with_for_update(key_share=True)
    )


async def _find_household(
    tx: Transaction, family_id: UUID, student_id: UUID, school_year: str
) -> Household:
    found = await tx.execute(
        select(
            student.c.id,
            student.c.birth_on,
            func.coalesce(student_disciplines.c.disciplines, []).label("disciplines"),
        )
        .outerjoin(
            student_disciplines,
            and_(
                student_disciplines.c.student_id == student.c.id,
                student_disciplines.c.school_year == school_year,
            ),
        )
        .where(student.c.family_id == family_id)
    )
    students = tuple(Student(row.id, row.birth_on, tuple(row.disciplines)) for row in found)
    chosen = next((one for one in students if one.id == student_id), None)
    if chosen is None:
        raise Rejection.not_found()
    return Household(chosen, students)
