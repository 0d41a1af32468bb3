"""Families seek seats while replicas of courses, or its database, fall: the books stay right."""

import asyncio
from random import Random

import asyncpg
import pytest
from courses.allocator import Allocator
from courses.app import service
from courses.requests import HoldRequest, ReleaseRequest, Wish
from shared.ask import Services, ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import ReleaseSeat
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.faults.rushing import SEATS_A_GROUP, Replica, Rush, open_school
from tests.harness import eventually, running

pytestmark = pytest.mark.servers

_KILLS = 200
_MEAN_LIFE_SECONDS = 0.1
_HEARD_EVERY = 6
"""Of so many kills one waits for the submissions to be heard: the broker puts aside what was given
twenty times to readers that fell (``x-delivery-limit``).
"""
_DIED_IN_A_TRANSACTION = "unexpected EOF on client connection with an open transaction"
_BUSY_RETRY_SECONDS, _SAYS_SO_WITHIN_SECONDS = 1, 8


@pytest.mark.parametrize("seed", [2027])
async def test_two_hundred_kills_in_mid_batch_lose_and_double_nothing(
    servers: Stack, seed: int
) -> None:
    turns = iter(range(_KILLS))
    log = servers.logs / "postgresql.log"
    logged_before = log.stat().st_size
    async with Rush.on(servers, seed) as rush, rush.commits() as commit:

        async def kill_again_and_again(replica: Replica, chance: Random) -> None:
            """Kill it at work: at any moment, or between a commit and its answers."""
            for turn in turns:
                await eventually(replica.is_at_work, within_seconds=60)
                if turn % _HEARD_EVERY == 0:
                    await eventually(rush.has_heard, within_seconds=60)
                await asyncio.sleep(chance.expovariate(1 / _MEAN_LIFE_SECONDS))
                if chance.choice((True, False)):
                    commit.clear()
                    await commit.wait()
                await replica.kill()
                assert not await rush.books.miscounted()
                await replica.start()

        async with rush.going_on(), asyncio.TaskGroup() as killers:
            for number, replica in enumerate(rush.replicas):
                chance = Random(f"{seed}/{number}")
                killers.create_task(kill_again_and_again(replica, chance))
        await rush.books.reckon(rush.seekers)
        assert await rush.books.held_again() > 0
    logged = log.read_bytes()[logged_before:].decode()
    assert logged.count(_DIED_IN_A_TRANSACTION) > _KILLS / 2
    assert "deadlock detected" not in logged


@pytest.mark.parametrize("seed", [2027])
async def test_a_database_that_falls_in_mid_load_is_waited_for_and_loses_nothing(
    servers: Stack, seed: int
) -> None:
    database = servers.process("postgresql")
    async with Rush.on(servers, seed) as rush:
        async with rush.going_on():
            for fall in (database.stop, database.kill_for_good, database.kill_for_good):
                await rush.is_answered_again()
                await fall()
                for replica in rush.replicas:
                    await _says_that_it_is_busy(replica, rush.seekers[0].token)
                await database.bring_up()
            await rush.is_answered_again()
        await rush.books.reckon(rush.seekers)
        assert all(replica.process.runs for replica in rush.replicas)


async def test_a_repeat_that_overtakes_the_commit_of_its_first_attempt_gets_the_same_seat(
    servers: Stack,
) -> None:
    async with running(servers, service, ServiceSettings) as courses:
        school, callers = await open_school(courses)
        fallen, other = Allocator(courses.database), Allocator(courses.database)

        def choice(name: str) -> HoldRequest:
            wish, caller = school.wish(name, 1), callers[name]
            wishes = (Wish(wish.hold_id, wish.student_id, wish.follow_id, wish.course_ids),)
            family_id, account_id = caller.family(), caller.account_id
            return HoldRequest(school.campaign_id, family_id, school.site_id, account_id, wishes)

        leaving, *staying, refused, repeating = list(callers)[: SEATS_A_GROUP + 2]
        (left,) = await other.decide(choice(leaving))
        for name in staying:
            await other.decide(choice(name))
        with pytest.raises(Rejection, match="course_full"):
            await other.decide(choice(refused))  # it remembers that the course is full
        caller, repeated = callers[leaving], choice(repeating)
        given_back = ReleaseRequest(left.id, caller.family(), caller.account_id)
        async with courses.database.transaction() as tx:
            await fallen.decide_within(tx, given_back)
            first = await fallen.decide_within(tx, repeated)
            repeat = asyncio.create_task(other.decide(repeated))
            await eventually(lambda: _waits_for_a_lock(courses.settings.database_url))
        assert [hold.id for hold in await repeat] == [hold.id for hold in first]


async def _waits_for_a_lock(database_url: str) -> bool:
    connection = await asyncpg.connect(database_url)
    try:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(await connection.fetchval(waiting))
    finally:
        await connection.close()


async def _says_that_it_is_busy(replica: Replica, token: str) -> None:
    async with (
        Services({"courses": [replica.url]}) as services,
        asyncio.timeout(_SAYS_SO_WITHIN_SECONDS),
    ):
        with pytest.raises(ServiceUnavailable) as refusal:
            await services.ask(ReleaseSeat(hold_id=new_id()), token=token)
    assert refusal.value.retry_after == _BUSY_RETRY_SECONDS
