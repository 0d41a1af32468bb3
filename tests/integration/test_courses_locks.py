"""The locks of a batch: what it may read without them, and whom they may hold up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa
from courses.app import service
from courses.known_courses import KnownCourses
from courses.reading import lock_and_read
from courses.requests import LeaveRequest, ReleaseRequest, concern
from courses.telling import TELLER_LOCK
from shared.contract import Rejection
from shared.contracts.courses import JoinWaitingList
from shared.db import driver_connection
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, eventually, running
from tests.integration.schooling import School, open_school

pytestmark = pytest.mark.servers

_WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event = 'advisory' AND datname = current_database()
"""


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    return await open_school(courses)


@asynccontextmanager
async def busy_with(school: School, student_id: UUID) -> AsyncIterator[None]:
    """Have another transaction hold the lock of a student."""
    async with school.running.database.transaction() as tx:
        request = ReleaseRequest(new_id(), new_id(), new_id())
        scope = concern([request])
        scope.students.add(student_id)
        await lock_and_read(await driver_connection(tx), scope, KnownCourses())
        yield


async def somebody_waits(school: School) -> bool:
    async with school.running.database.transaction() as tx:
        return bool(await tx.scalar(sa.text(_WAITING_FOR_A_LOCK)))


async def test_no_identifier_of_a_student_names_a_lock_of_the_service_itself(
    school: School,
) -> None:
    caller = await school.family("A")
    wish = school.wish("A", 1).model_copy(update={"student_id": UUID(int=TELLER_LOCK)})
    async with school.running.database.transaction() as tx, asyncio.timeout(3):
        await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(TELLER_LOCK)))
        with pytest.raises(Rejection, match="not_found"):
            await school.hold(caller, wish)


async def test_what_is_made_while_a_batch_waits_for_its_locks_is_not_there_for_it(
    school: School,
) -> None:
    taker, caller = await school.family("T"), await school.family("A")
    place_id, somebody = new_id(), new_id()
    await school.hold(taker, school.wish("T", 1))
    scope = concern([LeaveRequest(place_id, caller.family(), caller.account_id)])
    scope.students.add(somebody)
    async with school.running.database.transaction() as tx:
        connection = await driver_connection(tx)
        async with busy_with(school, somebody):
            reading = asyncio.create_task(lock_and_read(connection, scope, KnownCourses()))
            await eventually(lambda: somebody_waits(school))
            await school.running.ask(
                JoinWaitingList(
                    place_id=place_id,
                    campaign_id=school.campaign_id,
                    student_id=school.student_id("A"),
                    follow_id=school.follow_id("A"),
                    course_id=school.course_id(1),
                ),
                caller,
            )
        rooms = await reading
    assert place_id not in rooms.places
