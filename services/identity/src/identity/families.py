"""Whole families: as their members see them, and as other services are told of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.identity import (
    FamiliesRecorded,
    Family,
    FamilyRecord,
    Guardian,
    GuardianRecord,
    Student,
    StudentRecord,
)
from shared.contracts.people import GuardianDetails, StudentDetails
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import ARRAY, Column, ColumnElement, Table, Uuid, any_, literal, select, update

from identity.contact_details import Details, differing, in_order
from identity.tables import account, family, guardian, student

_FAMILIES_PER_EVENT = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A guardian or a student as stored."""

    id: UUID
    family_id: UUID
    details: Details
    imported: Details
    revision: int
    account_id: UUID | None = None

    def as_guardian(self) -> Guardian:
        """Give the guardian that the family sees."""
        details = in_order(GuardianDetails, self.details)
        changed = differing(self.imported, details)
        return Guardian(
            id=self.id,
            details=details,
            changed=changed,
            revision=self.revision,
            account_id=self.account_id,
        )

    def as_student(self) -> Student:
        """Give the student that the family sees."""
        details = in_order(StudentDetails, self.details)
        changed = differing(self.imported, details)
        return Student(id=self.id, details=details, changed=changed, revision=self.revision)


def among(column: Column[UUID], ids: Collection[UUID]) -> ColumnElement[bool]:
    """Match any number of identifiers with one parameter."""
    return column == any_(literal(list(ids), ARRAY(Uuid)))


async def people(tx: Transaction, table: Table, condition: ColumnElement[bool]) -> list[Person]:
    """Read guardians or students, in the order of their codes."""
    columns = [table.c.id, table.c.family_id, table.c.details, table.c.imported, table.c.revision]
    wanted = select(*columns).where(condition).order_by(table.c.code)
    if table is guardian:
        its_account = account.c.guardian_id == guardian.c.id
        wanted = wanted.add_columns(account.c.id).join(account, its_account, isouter=True)
    return [Person(*row) for row in await tx.execute(wanted)]


async def whole_family(tx: Transaction, family_id: UUID) -> Family:
    """Give a family with its guardians and students; raises ``not_found``."""
    row = (await tx.execute(select(family).where(family.c.id == family_id))).one_or_none()
    if row is None:
        raise Rejection.not_found()
    guardians = await people(tx, guardian, guardian.c.family_id == family_id)
    students = await people(tx, student, student.c.family_id == family_id)
    return Family(
        id=row.id,
        site_id=row.site_id,
        name=row.name,
        guardians=tuple(person.as_guardian() for person in guardians),
        students=tuple(person.as_student() for person in students),
    )


async def tell_families(tx: Transaction, family_ids: Collection[UUID]) -> None:
    """Give these families their next revision, and tell them whole."""
    for batch in batched(sorted(family_ids), _FAMILIES_PER_EVENT):
        await tx.execute(
            update(family).where(among(family.c.id, batch)).values(revision=family.c.revision + 1)
        )
        await emit(tx, FamiliesRecorded(families=await _records(tx, batch)))


async def _records(tx: Transaction, family_ids: Collection[UUID]) -> tuple[FamilyRecord, ...]:
    rows = await tx.execute(
        select(family).where(among(family.c.id, family_ids)).order_by(family.c.id)
    )
    guardians = _by_family(await people(tx, guardian, among(guardian.c.family_id, family_ids)))
    students = _by_family(await people(tx, student, among(student.c.family_id, family_ids)))
    return tuple(
        FamilyRecord(
            id=row.id,
            site_id=row.site_id,
            name=row.name,
            revision=row.revision,
            guardians=tuple(_guardian_record(person) for person in guardians[row.id]),
            students=tuple(_student_record(person) for person in students[row.id]),
        )
        for row in rows
    )


def _by_family(found: Sequence[Person]) -> Mapping[UUID, list[Person]]:
    families: defaultdict[UUID, list[Person]] = defaultdict(list)
    for person in found:
        families[person.family_id].append(person)
    return families


def _guardian_record(person: Person) -> GuardianRecord:
    details = in_order(GuardianDetails, person.details)
    return GuardianRecord(
        id=person.id,
        civility=details["civility"],
        last_name=details["last_name"],
        first_name=details["first_name"],
        email=details["email"],
    )


def _student_record(person: Person) -> StudentRecord:
    details = in_order(StudentDetails, person.details)
    return StudentRecord(
        id=person.id,
        last_name=details["last_name"],
        first_name=details["first_name"],
        birth_on=date.fromisoformat(details["birth_on"]) if details["birth_on"] else None,
    )
