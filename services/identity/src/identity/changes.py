"""Who changed which detail of a person, when, and from what: kept with each change (S33)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.identity import DetailChange
from shared.db import Transaction
from shared.identifiers import new_id
from sqlalchemy import Table, insert, select

from identity.contact_details import Details, differing
from identity.tables import account, contact_change, guardian


@dataclass(frozen=True, slots=True)
class Change:
    """A person's details before and after, the fields that differ being told one by one.

    ``account_id`` is none for an import.
    """

    family_id: UUID
    person_id: UUID
    before: Details
    after: Details
    revision: int
    account_id: UUID | None
    at: datetime


async def record_changes(tx: Transaction, table: Table, changes: Iterable[Change]) -> None:
    """Keep what was changed of people of one kind."""
    rows = [
        {
            "id": new_id(),
            "family_id": change.family_id,
            "record": table.name,
            "record_id": change.person_id,
            "field": field,
            "old_value": change.before.get(field, ""),
            "new_value": change.after[field],
            "changed_by": change.account_id,
            "changed_at": change.at,
            "revision": change.revision,
        }
        for change in changes
        for field in differing(change.before, change.after)
    ]
    if rows:
        await tx.execute(insert(contact_change), rows)


async def changes_since(
    tx: Transaction, family_id: UUID, person_id: UUID, revision: int, reader: UUID
) -> tuple[DetailChange, ...]:
    """Give what became of each detail since a revision, as the account ``reader`` is told it."""
    details = guardian.c.details
    rows = await tx.execute(
        select(
            contact_change,
            *(details[name].astext.label(name) for name in ("civility", "last_name", "first_name")),
        )
        .join_from(
            contact_change, account, account.c.id == contact_change.c.changed_by, isouter=True
        )
        .join(guardian, guardian.c.id == account.c.guardian_id, isouter=True)
        .where(
            contact_change.c.family_id == family_id,
            contact_change.c.record_id == person_id,
            contact_change.c.revision > revision,
        )
        .order_by(contact_change.c.revision)
    )
    became: dict[str, DetailChange] = {}
    for row in rows:
        first = became.get(row.field)
        names = (row.civility, row.last_name, row.first_name)
        became[row.field] = DetailChange(
            field=row.field,
            old_value=first.old_value if first else row.old_value,
            new_value=row.new_value,
            author=" ".join(filter(None, names)),
            is_own=row.changed_by == reader,
            changed_at=row.changed_at,
        )
    return tuple(became.values())


def undone(
    changes: Iterable[DetailChange], declared: Mapping[str, str]
) -> tuple[DetailChange, ...]:
    """Give the changes that these details, written without knowing of them, would undo.

    A detail changed and changed back, or changed alike by both, is in nobody's way.
    """
    return tuple(
        change
        for change in changes
        if change.new_value not in (change.old_value, declared.get(change.field, ""))
    )
