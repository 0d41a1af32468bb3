"""Copies of what another service owns: kept by events, which come in any order."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from shared.db import Transaction


async def keep_newer(
    tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]
) -> list[UUID]:
    """Keep rows by their ``id`` where their ``revision`` is higher than what is known.

    Every row has the same columns; of two with one ``id`` the higher revision counts. Gives the
    identifiers of those that were kept.
    """
    latest = {row["id"]: row for row in sorted(rows, key=itemgetter("revision"))}
    if not latest:
        return []
    statement = insert(table).values([latest[key] for key in sorted(latest)])
    columns = [name for name in rows[0] if name != "id"]
    kept = await tx.scalars(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: statement.excluded[name] for name in columns},
            where=table.c.revision < statement.excluded.revision,
        ).returning(table.c.id)
    )
    return list(kept)
