"""How fast mails leave: so many a second in all, and to one domain, whatever the replicas.

Each mail books the next free moment of its domains and of the territory, in the database, as the
generic cell rate algorithm does (ITU-T I.371); one that has to wait is due at that moment.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from shared.db import Database
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import pace

_ALL = ""
"""The name under which the whole territory's pace is kept: no domain's."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Mails a second, in all and to one domain; none where the mail server sets the pace."""

    in_all: float | None = None
    to_a_domain: float | None = None

    def pauses(self, domains: Collection[str]) -> dict[str, timedelta]:
        """Give how long each name stays taken after a mail to these domains."""
        pauses = {}
        if self.to_a_domain:
            pauses = dict.fromkeys(domains, timedelta(seconds=1 / self.to_a_domain))
        if self.in_all:
            pauses[_ALL] = timedelta(seconds=1 / self.in_all)
        return pauses


async def book(
    database: Database, rate: Pace, domains: Collection[str], now: datetime
) -> datetime | None:
    """Book the moment at which a mail to these domains may leave; none where it is now.

    It is committed at once: a mail that then fails has left its place empty.
    """
    pauses = rate.pauses(domains)
    if not pauses:
        return None
    # in one order everywhere: two mails to the same domains would wait for each other
    rows = [{"name": name, "free_at": now + pauses[name]} for name in sorted(pauses)]
    taken = insert(pace).values(rows)
    free_at = sa.func.greatest(pace.c.free_at, now) + (taken.excluded.free_at - now)
    async with database.transaction() as tx:
        booked = await tx.execute(
            taken.on_conflict_do_update(
                index_elements=["name"], set_={"free_at": free_at}
            ).returning(pace.c.name, pace.c.free_at)
        )
        leaves_at = max(row.free_at - pauses[row.name] for row in booked)
    return leaves_at if leaves_at > now else None
