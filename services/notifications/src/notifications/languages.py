"""The language that a family is written to in: its own choice, made in the portal."""

from typing import Final

from shared.callers import Caller
from shared.contracts.notifications import ChooseLanguage
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from notifications.erasure import LAST_REVISION
from notifications.tables import family

_NOT_RECORDED: Final[dict[str, object]] = {"revision": -1, "guardians": [], "students": {}}
"""A family that chose before it was told of: whatever is told of it is newer."""


async def choose_language(command: ChooseLanguage, caller: Caller, tx: Transaction) -> None:
    """Keep a family's language; an erased one is written to no more, and leaves no choice."""
    chosen = insert(family).values(id=caller.family(), language=command.language, **_NOT_RECORDED)
    await tx.execute(
        chosen.on_conflict_do_update(
            index_elements=["id"],
            set_={"language": chosen.excluded.language},
            where=family.c.revision < LAST_REVISION,
        )
    )
