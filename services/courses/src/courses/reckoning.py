"""The reckoning: whether the counters of every course are what its seats and its ledger say.

``RENTREE_DATABASE_URL=postgresql://… python -m courses check-seats`` names the courses where they
are not; with ``--rebuild``, their counters are written again from the ledger first.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from shared.db import Database, Transaction

from courses.allocator import Allocator
from courses.requests import OfferRequest
from courses.tables import course, ledger, occupancy, place, seat


class Tally(NamedTuple):
    """A course's counters, ``taken`` and ``waiting``, beside what they should count.

    ``seats`` are the live ones and those offered, ``steps`` the sum of the ledger's, ``in_line``
    who waits.
    """

    course_id: UUID
    code: str
    taken: int
    waiting: int
    seats: int
    steps: int
    in_line: int

    @property
    def is_right(self) -> bool:
        """Tell whether all agree."""
        return self.taken == self.seats == self.steps and self.waiting == self.in_line

    def __str__(self) -> str:
        return (
            f"{self.code}: {self.taken} taken, {self.seats} seats and offers,"
            f" {self.steps} by the ledger; {self.waiting} waiting, {self.in_line} in line"
        )


def _tallies() -> sa.Select[tuple[object, ...]]:
    """One statement, hence one moment: whatever is decided meanwhile is in all of it or none."""
    seats = (
        sa.select(seat.c.course_id, sa.func.count().label("count"))
        .where(seat.c.state != "released")
        .group_by(seat.c.course_id)
        .subquery()
    )
    places = (
        sa.select(
            place.c.course_id,
            sa.func.count().filter(place.c.state == "offered").label("offered"),
            sa.func.count().filter(place.c.state == "waiting").label("in_line"),
        )
        .group_by(place.c.course_id)
        .subquery()
    )
    lines = (
        sa.select(ledger.c.course_id, sa.func.sum(ledger.c.step).label("steps"))
        .group_by(ledger.c.course_id)
        .subquery()
    )
    nothing = sa.func.coalesce
    return (
        sa.select(
            occupancy.c.course_id,
            course.c.code,
            occupancy.c.taken,
            occupancy.c.waiting,
            nothing(seats.c.count, 0) + nothing(places.c.offered, 0),
            nothing(lines.c.steps, 0),
            nothing(places.c.in_line, 0),
        )
        .join(course, course.c.id == occupancy.c.course_id)
        .outerjoin(seats, seats.c.course_id == occupancy.c.course_id)
        .outerjoin(places, places.c.course_id == occupancy.c.course_id)
        .outerjoin(lines, lines.c.course_id == occupancy.c.course_id)
        .order_by(course.c.code)
    )


_TALLIES = _tallies()


async def read_tallies(tx: Transaction) -> list[Tally]:
    """Read the tally of every course."""
    return [Tally._make(row) for row in await tx.execute(_TALLIES)]


async def rebuild(tx: Transaction, course_ids: Sequence[UUID], allocator: Allocator) -> None:
    """Write some courses' counters again, under their locks: the seats taken from the ledger, who
    waits from the lists. Who waits is offered what turns out to be free.
    """
    locked = sa.select(occupancy.c.course_id).where(occupancy.c.course_id.in_(course_ids))
    await tx.execute(locked.order_by(occupancy.c.course_id).with_for_update())
    counted = [each for each in await read_tallies(tx) if each.course_id in set(course_ids)]
    await tx.execute(
        sa.update(occupancy)
        .where(occupancy.c.course_id == sa.bindparam("spoiled_id"))
        .values(
            taken=sa.bindparam("steps"),
            waiting=sa.bindparam("in_line"),
            version=occupancy.c.version + 1,
        ),
        [
            {"spoiled_id": each.course_id, "steps": each.steps, "in_line": each.in_line}
            for each in counted
        ],
    )
    await allocator.decide_within(tx, OfferRequest(tuple(each.course_id for each in counted)))


async def run(database_url: str, words: Sequence[str]) -> int:
    """Do what the command line says; gives the exit code: 0 where all is right."""
    parser = argparse.ArgumentParser(prog="courses check-seats", description=__doc__)
    parser.add_argument("--rebuild", action="store_true", help="write wrong counters again")
    options = parser.parse_args(words)
    database = Database(database_url, name="courses-reckoning", connections=1)
    try:
        async with database.transaction() as tx:
            tallies = await read_tallies(tx)
            wrong = [each for each in tallies if not each.is_right]
            for each in wrong:
                sys.stdout.write(f"{each}\n")
            if wrong and options.rebuild:
                await rebuild(tx, [each.course_id for each in wrong], Allocator(database))
                sys.stdout.write(f"{len(wrong)} courses counted again from the ledger\n")
                wrong = [each for each in await read_tallies(tx) if not each.is_right]
    finally:
        await database.close()
    if wrong:
        sys.stdout.write(f"{len(wrong)} of {len(tallies)} courses are wrong\n")
        return 1
    sys.stdout.write(f"{len(tallies)} courses, all is right\n")
    return 0


def check_seats(words: Sequence[str]) -> int:
    """Reckon the database that the environment names; gives the exit code."""
    database_url = os.environ.get("RENTREE_DATABASE_URL")
    if not database_url:
        sys.stderr.write("RENTREE_DATABASE_URL is missing: it names the database of courses\n")
        return 2
    return asyncio.run(run(database_url, words))
