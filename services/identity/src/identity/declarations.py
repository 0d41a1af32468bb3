"""What a family declares of its people, with who changed what and when (S33)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.identity import (
    EmailChanged,
    Guardian,
    Overtaken,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import Table, select, update

from identity.accounts import addressee
from identity.changes import Change, changes_since, record_changes, undone
from identity.contact_details import Details, as_recorded, differing
from identity.families import Person, people, tell_families
from identity.tables import family, guardian, student


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
    """Replace the details of a guardian of the caller's family, but for an account's own e-mail:
    whoever gets its mails can choose its password anew, so its new address has to answer first.
    """
    declared = as_recorded(command.details)
    author, seen = Author.of(caller), command.revision
    after = await declare_guardian(
        tx, author, command.guardian_id, lambda _: declared, seen, _protect_email
    )
    return after.as_guardian()


async def update_student(command: UpdateStudent, caller: Caller, tx: Transaction) -> Student:
    """Replace the details of a student of the caller's family."""
    declared = as_recorded(command.details)
    author, seen = Author.of(caller), command.revision
    _, after = await _declare(tx, author, student, command.student_id, lambda _: declared, seen)
    return after.as_student()


async def declare_guardian(
    tx: Transaction,
    author: Author,
    guardian_id: UUID,
    change: Callable[[Person], Details],
    seen: int | None = None,
    check: Callable[[Person, Details], None] | None = None,
) -> Person:
    """Keep what is declared of a guardian; where the e-mail is another one, the old one is told.

    ``check`` refuses what this author may not declare, once it is known to undo nothing unseen.
    """
    before, after = await _declare(tx, author, guardian, guardian_id, change, seen, check)
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
    change: Callable[[Person], Details],
    seen: int | None,
    check: Callable[[Person, Details], None] | None = None,
) -> tuple[Person, Person]:
    """Keep what a family declares of one of its own; give the person before and after.

    ``seen`` is the revision that it was written from: what changed since is not undone unseen.
    """
    family_id, now = author.family_id, datetime.now(UTC)
    # one change of a family at a time: its revisions follow each other
    await tx.execute(select(family.c.id).where(family.c.id == family_id).with_for_update())
    its_own = (table.c.id == person_id) & (table.c.family_id == family_id)
    found = await people(tx, table, its_own)
    if not found:
        raise Rejection.not_found()
    (before,) = found
    declared = change(before)
    if not differing(before.details, declared):
        return before, before
    if seen is not None and seen < before.revision:
        await _refuse_if_undone(tx, author, before, declared, seen)
    if check is not None:
        check(before, declared)
    after = replace(before, details=declared, revision=before.revision + 1)
    await tx.execute(
        update(table)
        .where(table.c.id == person_id)
        .values(details=declared, revision=after.revision)
    )
    made = Change(
        family_id, person_id, before.details, declared, after.revision, author.account_id, now
    )
    await record_changes(tx, table, [made])
    await tell_families(tx, [family_id])
    return before, after


def _protect_email(before: Person, declared: Details) -> None:
    email = before.details.get("email", "")
    if before.account_id and email and declared["email"] != email:
        raise Rejection(
            "email_protected",
            "Cette adresse e-mail est celle d'un compte : seul son titulaire peut la changer,"
            " depuis la page « Mot de passe ».",
        )


async def _refuse_if_undone(
    tx: Transaction, author: Author, present: Person, declared: Details, seen: int
) -> None:
    changes = await changes_since(tx, author.family_id, present.id, seen, author.account_id)
    if lost := undone(changes, declared):
        raise Rejection(
            "details_changed",
            "Ces coordonnées ont changé pendant que vous les remplissiez : vérifiez-les, puis"
            " envoyez-les de nouveau.",
            **Overtaken(revision=present.revision, changes=lost).model_dump(mode="json"),
        )
