"""What courses does, in this process: the command's own handler, as the service calls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from courses.allocator import Allocator
from courses.commands import hold_seats
from shared.contract import Rejection
from shared.contracts.courses import Hold
from shared.db import Database

from bench.seats.contender import Contender, Give
from bench.seats.school import School, Wish

_CONNECTIONS = 10


@asynccontextmanager
async def _opened(school: School) -> AsyncIterator[Give]:
    database = Database(school.url, name="bench", connections=_CONNECTIONS)
    allocator = Allocator(database)

    async def give(wish: Wish) -> Hold | None:
        try:
            (hold,) = await hold_seats(wish.command, wish.caller, allocator)
        except Rejection as rejection:
            if rejection.code != "course_full":
                raise
            return None
        return hold

    try:
        yield give
    finally:
        await database.close()


OURS = Contender("ours", _opened)
