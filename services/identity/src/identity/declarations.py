"""What a family declares of its people, with who changed what and when (S33)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.identity import (
    EmailChanged,
    Guardian,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.db import Transaction
from shared.identifiers import new_id
from shared.outbox import emit
from sqlalchemy import Table, insert, select, update

from identity.accounts import addressee
from identity.contact_details import Details, as_recorded, differing
from identity.families import Person, people, tell_families
from identity.tables import contact_change, family, guardian, student


@dataclass(frozen=True, slots=True)
class Author:
    """Who declares, and for which family."""

    account_id: UUID
    family_id: UUID

    @classmethod
    def of(cls, caller: Caller) -> "Author":
        """Give a caller of a family; anyone else is answered that there is nothing here."""
        return cls(caller.account_id, caller.family())


async def update_guardian(command: UpdateGuardian, caller: Caller, tx: Transaction) -> Guardian:
    """Replace the details of a guardian of the caller's family."""
    declared = as_recorded(command.details)
    author = Author.of(caller)
    return (
        await declare_guardian(tx, author, command.guardian_id, lambda _: declared)
    ).as_guardian()


async def update_student(command: UpdateStudent, caller: Caller, tx: Transaction) -> Student:
    """Replace the details of a student of the caller's family."""
    declared = as_recorded(command.details)
    _, after = await _declare(
        tx, Author.of(caller), student, command.student_id, lambda _: declared
    )
    return after.as_student()


async def declare_guardian(
    tx: Transaction, author: Author, guardian_id: UUID, change: Callable[[Details], Details]
) -> Person:
    """Keep what is declared of a guardian; where the e-mail is another one, the old one is told."""
    before, after = await _declare(tx, author, guardian, guardian_id, change)
    old_email, email = before.details.get("email", ""), after.details.get("email", "")
    if email == old_email:
        return after
    its_site = select(family.c.site_id).where(family.c.id == author.family_id)
    site_id = (await tx.execute(its_site)).scalar_one()
    to = addressee(after.details, author.family_id, site_id)
    changed = EmailChanged(
        guardian_id=guardian_id, to=to, old_email=old_email, changed_at=datetime.now(UTC)
    )
    await emit(tx, changed)
    return after


async def _declare(
    tx: Transaction,
    author: Author,
    table: Table,
    person_id: UUID,
    change: Callable[[Details], Details],
) -> tuple[Person, Person]:
    """Keep what a family declares of one of its own; give the person before and after."""
    family_id, now = author.family_id, datetime.now(UTC)
    # one change of a family at a time: its revisions follow each other
    await tx.execute(select(family.c.id).where(family.c.id == family_id).with_for_update())
    its_own = (table.c.id == person_id) & (table.c.family_id == family_id)
    found = await people(tx, table, its_own)
    if not found:
        raise Rejection.not_found()
    (before,) = found
    declared = change(before.details)
    after = Person(person_id, family_id, declared, before.imported)
    fields = differing(before.details, declared)
    if not fields:
        return before, after
    await tx.execute(update(table).where(table.c.id == person_id).values(details=declared))
    await tx.execute(
        insert(contact_change),
        [
            {
                "id": new_id(),
                "family_id": family_id,
                "record": table.name,
                "record_id": person_id,
                "field": field,
                "old_value": before.details.get(field, ""),
                "new_value": declared[field],
                "changed_by": author.account_id,
                "changed_at": now,
            }
            for field in fields
        ],
    )
    await tell_families(tx, [family_id])
    return before, after
