"""Seats told by courses, followed by the board of a gateway, on a real broker and database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from courses import tables
from courses.app import service
from courses.telling import tell_seats
from gateway.seats_board import SeatsBoard
from shared.ask import Services
from shared.contracts.courses import (
    CourseSeats,
    ImportCourses,
    ReleaseSeat,
    SeatsChanged,
    SeatsLeft,
)
from shared.contracts.enrolment import CampaignPublished
from shared.feed import Feed, Told
from shared.identifiers import imported_id, new_id
from shared.outbox import outbox
from shared.settings import ServiceSettings
from stack.remembered import free_port
from stack.running import Stack

from tests.harness import Running, eventually, operator, running
from tests.integration.schooling import School, group, lines

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    """A site with a group of one seat, one of two, and one that nobody chooses."""
    code = f"L{new_id().hex[-8:]}"
    now = datetime.now(UTC)
    campaign = CampaignPublished(
        campaign_id=new_id(),
        site_id=imported_id("site", code),
        school_year="2027-2028",
        prepares_at=now - timedelta(days=2),
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
        documents_due_at=now + timedelta(days=9),
    )
    await courses.react(campaign)
    await courses.ask(
        ImportCourses(
            lines=lines(
                group(code, f"{code}-2026-1", "1.4", "LUNDI", year="2026-2027"),
                group(code, f"{code}-2027-1", "2.1", "LUNDI", capacity="1"),
                group(code, f"{code}-2027-2", "2.1", "MARDI"),
                group(code, f"{code}-2027-3", "2.1", "JEUDI") | {"mode": "niveau"},
            )
        ),
        operator(),
    )
    return School(courses, code, campaign.campaign_id)


@asynccontextmanager
async def following(
    courses: Running[ServiceSettings], services: Services | None = None
) -> AsyncIterator[SeatsBoard]:
    """The board of a gateway that starts now."""
    board = SeatsBoard()
    feed = Feed(courses.settings.broker_url, SeatsChanged)
    work = asyncio.create_task(board.follow(feed, services or courses.services))
    try:
        yield board
    finally:
        work.cancel()
        await asyncio.wait({work})


def left(board: SeatsBoard, course_id: UUID) -> int | None:
    """The seats left by the board; none where it does not know."""
    if not board.is_current:
        return None
    for notice in board.notices([course_id]):
        return CourseSeats.model_validate_json(notice.json).seats_left
    return None


async def asked(courses: Running[ServiceSettings], course_id: UUID) -> CourseSeats:
    return {each.course_id: each for each in await courses.ask(SeatsLeft())}[course_id]


async def test_whoever_asks_learns_the_seats_of_the_courses_that_are_chosen(
    courses: Running[ServiceSettings], school: School
) -> None:
    told = {each.course_id: each.seats_left for each in await courses.ask(SeatsLeft())}
    assert [told.get(school.course_id(number)) for number in (1, 2, 3)] == [1, 2, None]


async def test_a_seat_taken_or_given_back_reaches_every_gateway(
    courses: Running[ServiceSettings], school: School
) -> None:
    caller = await school.family("A")
    course_id = school.course_id(2)
    async with following(courses) as board, following(courses) as other:
        await eventually(lambda: left(board, course_id) == left(other, course_id) == 2)
        (hold,) = await school.hold(caller, school.wish("A", 2))
        await eventually(lambda: left(board, course_id) == left(other, course_id) == 1)
        await courses.ask(ReleaseSeat(hold_id=hold.id), caller)
        await eventually(lambda: left(board, course_id) == left(other, course_id) == 2)


async def test_a_gateway_that_starts_late_knows_what_was_told_before(
    courses: Running[ServiceSettings], school: School
) -> None:
    caller = await school.family("A")
    await school.hold(caller, school.wish("A", 1))
    await eventually(lambda: is_told(courses, school.course_id(1)))
    async with following(courses) as board:
        await eventually(lambda: left(board, school.course_id(1)) == 0)


@pytest.mark.parametrize("fault", ["stopped", "frozen"])
async def test_a_board_says_nothing_without_the_broker_and_heals_when_it_is_back(
    servers: Stack, courses: Running[ServiceSettings], school: School, fault: str
) -> None:
    caller = await school.family("A")
    broker = servers.process("rabbitmq")
    async with following(courses) as board:
        await eventually(lambda: left(board, school.course_id(2)) == 2)
        if fault == "stopped":
            await broker.stop()
        else:
            broker.freeze()
        try:
            await eventually(lambda: not board.is_current, within_seconds=30)
            await school.hold(caller, school.wish("A", 2))
        finally:
            broker.thaw()
            broker.start()
            await broker.wait_ready()
        await eventually(lambda: left(board, school.course_id(2)) == 1)


async def test_a_board_that_courses_never_answered_says_nothing(
    courses: Running[ServiceSettings], school: School
) -> None:
    caller = await school.family("A")
    nowhere = {"courses": [f"http://127.0.0.1:{free_port(())}"]}
    async with Services(nowhere) as away, following(courses, away) as board:
        # its queue may not be bound at first: change something until it hears of it
        async with asyncio.timeout(20):
            while not board.notices([school.course_id(2)]):
                (hold,) = await school.hold(caller, school.wish("A", 2))
                await eventually(lambda: is_told(courses, school.course_id(2)))
                await courses.ask(ReleaseSeat(hold_id=hold.id), caller)
        assert not board.is_current


async def test_what_has_not_changed_is_not_told_again_and_writes_nothing(
    courses: Running[ServiceSettings], school: School
) -> None:
    await eventually(lambda: is_told(courses, school.course_id(1)))
    before = await written(courses)
    for _ in range(3):
        await tell_seats(courses.database)
    assert await written(courses) == before


async def test_replicas_that_tell_at_once_tell_each_change_once(
    courses: Running[ServiceSettings], school: School
) -> None:
    caller, course_id = await school.family("A"), school.course_id(2)
    versions: list[int] = []
    bound = asyncio.Event()

    async def remember(told: Told[SeatsChanged]) -> None:
        bound.set()
        async for event in told:
            versions.extend(each.version for each in event.courses if each.course_id == course_id)

    feed = Feed(courses.settings.broker_url, SeatsChanged)
    reading = asyncio.create_task(feed.follow(remember))
    await bound.wait()
    for _ in range(5):
        (hold,) = await school.hold(caller, school.wish("A", 2))
        await asyncio.gather(*(tell_seats(courses.database) for _ in range(4)))
        await courses.ask(ReleaseSeat(hold_id=hold.id), caller)
    last = (await asked(courses, course_id)).version
    await eventually(lambda: last in versions)
    reading.cancel()
    await asyncio.wait({reading})
    assert versions == sorted(set(versions))


async def is_told(courses: Running[ServiceSettings], course_id: UUID) -> bool:
    """Tell whether a course was told as it is, and word of it has left for the broker."""
    async with courses.database.transaction() as tx:
        last = await tx.scalar(
            sa.select(tables.told.c.version).where(tables.told.c.course_id == course_id)
        )
        waiting = await tx.scalar(sa.select(sa.func.count()).select_from(outbox))
    return last == (await asked(courses, course_id)).version and not waiting


async def written(courses: Running[ServiceSettings]) -> list[object]:
    """Every row of what was told as it was last written, and how many events ever were."""
    async with courses.database.transaction() as tx:
        rows = await tx.execute(sa.text("SELECT ctid::text FROM told ORDER BY course_id"))
        events = await tx.scalar(sa.text("SELECT last_value FROM outbox_position_seq"))
    return [*rows.scalars(), events]
