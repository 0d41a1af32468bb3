"""The erasure of a family (S96): it is known here no more, nor anything that it said.

What it filed stays, a student's identifier in a campaign, for the territory's own accounts: without
a family nobody reads it. Nothing under way survives: who writes for a family holds it first
(:func:`hold_family`), and the erasure takes it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.enrolment import FamilyApplicationsErased
from shared.contracts.identity import FamilyErased
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import case, delete, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert

from enrolment.tables import application, erased_family, family, kept_entries, student

_WITHOUT_AUTHOR = func.jsonb_set(
    application.c.amendment,
    text("'{draft,authorisations,answered_by}'"),
    text("'\"\"'::jsonb"),
    False,
)
"""What is changed in a request, without who answered for it."""


async def hold_family(tx: Transaction, family_id: UUID) -> None:
    """Keep a family from being erased until the transaction ends; one that was does not exist.

    What is told of it anew, and what its other pages do, need not wait.
    """
    present = select(family.c.id).where(family.c.id == family_id)
    if await tx.scalar(present.with_for_update(read=True, key_share=True)) is None:
        raise Rejection.not_found()


async def find_erased(tx: Transaction, family_ids: Iterable[UUID]) -> set[UUID]:
    """Give those of these families that were erased; no other is until the transaction ends."""
    await tx.execute(text("LOCK TABLE erased_family IN SHARE MODE"))
    found = await tx.scalars(
        select(erased_family.c.id).where(erased_family.c.id.in_(list(family_ids)))
    )
    return set(found)


async def erase_family(event: FamilyErased, tx: Transaction) -> None:
    """Forget a family, what it typed, its remarks, what it was changing in a request and who
    answered for it, and say so.

    Its identifier alone stays, by which what comes late is known to be of an erased family. The
    remarks of a student who has another family are of that one's request too, and stay with it, as
    does what is being changed in it.
    """
    family_id = event.family_id
    await tx.execute(insert(erased_family).values(id=family_id).on_conflict_do_nothing())
    await tx.execute(select(family.c.id).where(family.c.id == family_id).with_for_update())
    # the erasure of a student's other family waits here, and then sees that this one is gone
    of_students = application.c.student_id.in_(event.student_ids)
    await tx.execute(
        select(application.c.id).where(of_students).order_by(application.c.id).with_for_update()
    )
    await tx.execute(delete(kept_entries).where(kept_entries.c.family_id == family_id))
    await tx.execute(delete(student).where(student.c.family_id == family_id))
    await tx.execute(delete(family).where(family.c.id == family_id))
    has_another = application.c.student_id.in_(select(student.c.id))
    await tx.execute(
        update(application)
        .where(of_students)
        .values(
            remarks=case((has_another, application.c.remarks), else_=""),
            authorisations=application.c.authorisations.concat({"answered_by": ""}),
            amendment=case((has_another, _WITHOUT_AUTHOR), else_=null()),
        )
    )
    await emit(tx, FamilyApplicationsErased(family_id=family_id, erased_at=datetime.now(UTC)))
