"""The seats left of every course, in the memory of each gateway: a snapshot, then each change.

Reading them costs no request and no database. While they cannot be known for certain (the broker's
link is lost, or courses did not answer since), nothing is said of them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge
from shared.ask import Services, ServiceUnavailable
from shared.contracts.courses import CourseSeats, SeatsChanged, SeatsLeft
from shared.feed import Feed, Told

_ASK_AGAIN_SECONDS = 1.0
_SNAPSHOT_SECONDS = 30.0

BOARD_CURRENT = Gauge(
    "rentree_seats_board_current", "1 where this replica knows the seats left at this moment"
)


@dataclass(frozen=True, slots=True)
class Notice:
    """The seats of one course, encoded once for everyone who reads them."""

    version: int
    json: bytes
    event: bytes


class Watch:
    """Some courses that one reader follows, and those that changed since they last looked."""

    __slots__ = ("_board", "_changed", "_woken", "course_ids")

    def __init__(self, board: "SeatsBoard", course_ids: frozenset[UUID]) -> None:
        self.course_ids = course_ids
        self._board = board
        self._changed = set(course_ids)
        self._woken = asyncio.Event()
        self._woken.set()

    def look(self) -> list[Notice]:
        """Give the courses that changed since last time, all of them at first."""
        self._woken.clear()
        if not self._board.is_current:
            return []
        notices = self._board.notices(self._changed)
        self._changed = set()
        return notices

    async def change(self) -> None:
        """Wait until there may be something to look at."""
        await self._woken.wait()

    def note(self, course_id: UUID) -> None:
        """Take note that a course changed."""
        self._changed.add(course_id)
        if self._board.is_current:
            self._woken.set()

    def wake(self) -> None:
        """Have the reader look again."""
        self._woken.set()


class SeatsBoard:
    """What is known of the seats left, and who watches it."""

    def __init__(self) -> None:
        self._notices: dict[UUID, Notice] = {}
        self._watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._is_current = False

    @property
    def is_current(self) -> bool:
        """Whether what is known is true at this moment."""
        return self._is_current

    @property
    def watched(self) -> int:
        """How many courses someone watches."""
        return len(self._watches)

    def notices(self, course_ids: Iterable[UUID]) -> list[Notice]:
        """Give the notices of some courses; one that is not known has none."""
        return [self._notices[each] for each in course_ids if each in self._notices]

    @contextmanager
    def watching(self, course_ids: frozenset[UUID]) -> Iterator[Watch]:
        """Watch some courses until the block ends, those included that come to be known."""
        watch = Watch(self, course_ids)
        for course_id in course_ids:
            self._watches[course_id].add(watch)
        try:
            yield watch
        finally:
            for course_id in course_ids:
                self._watches[course_id].discard(watch)
                if not self._watches[course_id]:
                    del self._watches[course_id]

    def learn(self, courses: Iterable[CourseSeats]) -> None:
        """Take in what was told or asked, in any order: of two versions the higher one stays."""
        for seats in courses:
            known = self._notices.get(seats.course_id)
            if known is not None and known.version >= seats.version:
                continue
            json = seats.model_dump_json().encode()
            self._notices[seats.course_id] = Notice(seats.version, json, b"data: " + json + b"\n\n")
            for watch in self._watches.get(seats.course_id, ()):
                watch.note(seats.course_id)

    def start_from(self, snapshot: Iterable[CourseSeats]) -> None:
        """Be current: this is how it stands, and what changes from now on will be told."""
        self.learn(snapshot)
        if not self._is_current:
            self._is_current = True
            BOARD_CURRENT.set(1)
            for watch in set[Watch]().union(*self._watches.values()):
                watch.wake()

    def lose_track(self) -> None:
        """Be current no longer: what changes from now on may not be told."""
        self._is_current = False
        BOARD_CURRENT.set(0)

    async def follow(self, feed: Feed[SeatsChanged], services: Services) -> None:
        """Keep up with courses, for ever."""

        async def read(told: Told[SeatsChanged]) -> None:
            async with asyncio.TaskGroup() as group:
                snapshots = group.create_task(self._take_snapshots(services))
                try:
                    async for event in told:
                        self.learn(event.courses)
                finally:
                    self.lose_track()
                    snapshots.cancel()

        await feed.follow(read)

    async def _take_snapshots(self, services: Services) -> None:
        """Ask how it stands, until answered; then again now and then, as a net under the events."""
        while True:
            try:
                snapshot = await services.ask(SeatsLeft())
            except ServiceUnavailable:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                self.start_from(snapshot)
                await asyncio.sleep(_SNAPSHOT_SECONDS)
