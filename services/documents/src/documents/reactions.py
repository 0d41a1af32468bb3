"""What documents notices: campaigns, families and who follows what. It keeps the copy it needs."""

from datetime import UTC, datetime

from shared.contracts.courses import DisciplinesRecorded
from shared.contracts.enrolment import CampaignPublished
from shared.contracts.identity import FamiliesRecorded, FamilyErased
from shared.copies import keep_newer
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from documents.forgetting import begin_erasure, find_erased
from documents.tables import campaign, family, student, student_disciplines


async def remember_campaign(event: CampaignPublished, tx: Transaction) -> None:
    """Keep a campaign's dates; once published they do not change."""
    await tx.execute(
        insert(campaign)
        .values(
            id=event.campaign_id,
            site_id=event.site_id,
            school_year=event.school_year,
            prepares_at=event.prepares_at,
            opens_at=event.opens_at,
            documents_due_at=event.documents_due_at,
        )
        .on_conflict_do_nothing(index_elements=["id"])
    )


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep each family's students, of its highest revision; nothing of a family that was erased."""
    told = {one.id: one for one in sorted(event.families, key=lambda one: one.revision)}
    for family_id in await find_erased(tx, told):
        del told[family_id]
    renewed = await keep_newer(
        tx,
        family,
        [{"id": one.id, "site_id": one.site_id, "revision": one.revision} for one in told.values()],
    )
    await tx.execute(delete(student).where(student.c.family_id.in_(renewed)))
    students = [
        {"family_id": family_id, "id": one.id, "birth_on": one.birth_on}
        for family_id in renewed
        for one in told[family_id].students
    ]
    if students:
        await tx.execute(insert(student), students)


async def erase_family(event: FamilyErased, tx: Transaction) -> None:
    """Have all that a family gave leave the store and the records, and what was published for its
    students where they have no other family (S96). It is acknowledged once it is gone.
    """
    await begin_erasure(tx, event.family_id, event.student_ids, datetime.now(UTC))


async def remember_disciplines(
    event: DisciplinesRecorded, tx: Transaction, occurrence: Occurrence
) -> None:
    """Keep what each student follows in a school year, as it was last told."""
    told = {(one.student_id, one.school_year): one for one in event.students}
    if not told:
        return
    statement = insert(student_disciplines).values(
        [
            {
                "student_id": student_id,
                "school_year": school_year,
                "disciplines": list(told[student_id, school_year].disciplines),
                "told_at": occurrence.happened_at,
            }
            for student_id, school_year in sorted(told)
        ]
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["student_id", "school_year"],
            set_={
                "disciplines": statement.excluded.disciplines,
                "told_at": statement.excluded.told_at,
            },
            where=student_disciplines.c.told_at < statement.excluded.told_at,
        )
    )
