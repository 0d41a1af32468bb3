"""Two replicas on one database: the counters, the ledger and the catalogue stay one."""

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from courses import reckoning, tables
from courses.allocator import Allocator
from courses.app import service
from courses.requests import (
    AcceptRequest,
    HoldRequest,
    JoinRequest,
    LeaveRequest,
    ReleaseRequest,
    RenewRequest,
    Request,
    Wish,
)
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import (
    AcceptOffer,
    ConfirmSeat,
    MyWaitingPlaces,
    PlaceStudent,
    ReleaseSeat,
)
from shared.db import Database
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, operator, running
from tests.integration.schooling import School, open_school

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    return await open_school(courses)


@pytest.fixture
async def other(courses: Running[ServiceSettings]) -> AsyncIterator[Allocator]:
    """The allocator of another replica, which remembers nothing yet."""
    database = Database(courses.settings.database_url, name="courses", connections=2)
    yield Allocator(database)
    await database.close()


def of_running(courses: Running[ServiceSettings]) -> Allocator:
    allocator = courses.replica.given[Allocator]
    assert isinstance(allocator, Allocator)
    return allocator


def hold(school: School, caller: Caller, name: str, *groups: int) -> HoldRequest:
    wish = school.wish(name, *groups)
    wished = Wish(wish.hold_id, wish.student_id, wish.follow_id, wish.course_ids)
    return HoldRequest(
        school.campaign_id, caller.family(), caller.site_id, caller.account_id, (wished,)
    )


async def test_the_ledger_tells_who_had_a_seat_when_and_why(school: School) -> None:
    first, second = await school.family("A"), await school.family("B")
    (taken,) = await school.hold(first, school.wish("A", 1))
    place = await school.join(second, "B", 1)
    await school.running.ask(ReleaseSeat(hold_id=taken.id), first)
    await school.running.ask(AcceptOffer(place_id=place.id), second)
    await school.submit(second, "B")
    secretary = operator()
    placement = PlaceStudent(
        hold_id=new_id(),
        campaign_id=school.campaign_id,
        student_id=school.student_id("B"),
        follow_id=school.follow_id("B"),
        course_id=school.course_id(1),
        reason="à la demande du professeur",
    )
    await school.running.ask(placement, secretary)
    await school.running.ask(ConfirmSeat(hold_id=placement.hold_id, reason="entendu"), secretary)
    async with school.running.database.transaction() as tx:
        lines = await tx.execute(
            sa.select(tables.ledger)
            .where(tables.ledger.c.course_id == school.course_id(1))
            .order_by(tables.ledger.c.position)
        )
        story = [
            (line.seat_id, line.change, line.step, line.reason, line.actor_id) for line in lines
        ]
    why = "placed: à la demande du professeur"
    assert story == [
        (taken.id, "held", 1, "chosen", first.account_id),
        (taken.id, "released", -1, "given back", first.account_id),
        (place.id, "offered", 1, "next in line", None),
        (place.id, "held", 0, "offer accepted", second.account_id),
        (place.id, "released", -1, why, secretary.account_id),
        (placement.hold_id, "claimed", 1, why, secretary.account_id),
    ]


async def test_two_replicas_under_a_crowd_keep_true_books_without_a_deadlock(
    school: School, other: Allocator
) -> None:
    await school.bring_in(school.group(1, capacite="4"), school.group(2, capacite="8"))
    replicas = (of_running(school.running), other)
    crowd = [
        _Family(school, await school.family(f"{number}A", f"{number}B"), number, replicas)
        for number in range(20)
    ]
    await asyncio.gather(*(family.ask_anything(times=12) for family in crowd))
    granted = Counter(kind for family in crowd for kind in family.granted)
    kinds = {HoldRequest, ReleaseRequest, RenewRequest, JoinRequest, AcceptRequest, LeaveRequest}
    assert granted.keys() == kinds
    async with school.running.database.transaction() as tx:
        tallies = await reckoning.read_tallies(tx)
        deadlocks = await tx.scalar(
            sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        )
    assert not [tally for tally in tallies if not tally.is_right]
    (few, _), (more, _) = [await school.counters(group) for group in (1, 2)]
    assert (few <= 4, more <= 8) == (True, True)
    assert deadlocks == 0


class _Family:
    """A family of two children who asks anything, now of one replica and now of the other; what it
    chooses is the same in every run, what it is answered is not.
    """

    def __init__(
        self, school: School, caller: Caller, number: int, replicas: Sequence[Allocator]
    ) -> None:
        self.granted: list[type[Request]] = []
        self._school = school
        self._caller = caller
        self._names = (f"{number}A", f"{number}B")
        self._replicas = replicas
        self._chance = random.Random(number)
        self._held: list[UUID] = []

    async def ask_anything(self, *, times: int) -> None:
        for _ in range(times):
            request = await self._answer_an_offer() or self._anything()
            try:
                await self._chance.choice(self._replicas).decide(request)
            except Rejection:
                continue
            self.granted.append(type(request))
        if self._chance.random() < 0.5:
            name = self._chance.choice(self._names)
            await self._school.running.react(self._school.declined(self._caller, name))

    async def _answer_an_offer(self) -> Request | None:
        family_id, actor_id = self._caller.family(), self._caller.account_id
        for place in await self._school.running.ask(MyWaitingPlaces(), self._caller):
            if place.state == "offered" and self._chance.random() < 0.8:
                return AcceptRequest(place.id, family_id, self._caller.site_id, actor_id)
            if self._chance.random() < 0.1:
                return LeaveRequest(place.id, family_id, actor_id)
        return None

    def _anything(self) -> Request:
        family_id, actor_id = self._caller.family(), self._caller.account_id
        name, kind = self._chance.choice(self._names), self._chance.random()
        if kind < 0.3:
            return self._join(name)
        if kind < 0.65 or not self._held:
            wished = self._chance.sample((1, 2), self._chance.choice((1, 2)))
            request = hold(self._school, self._caller, name, *wished)
            self._held.append(request.wishes[0].hold_id)
            return request
        seat_id = self._chance.choice(self._held)
        if kind < 0.9:
            return ReleaseRequest(seat_id, family_id, actor_id)
        return RenewRequest((seat_id,), family_id)

    def _join(self, name: str) -> JoinRequest:
        return JoinRequest(
            new_id(),
            self._school.campaign_id,
            self._caller.family(),
            self._caller.site_id,
            self._school.student_id(name),
            self._school.follow_id(name),
            self._school.course_id(self._chance.choice((1, 2))),
        )


async def test_what_one_replica_imports_the_other_knows_in_its_next_batch(
    school: School, other: Allocator
) -> None:
    caller = await school.family("A")
    (seat,) = await other.decide(hold(school, caller, "A", 2))
    assert seat.course_id == school.course_id(2)
    await school.bring_in(school.group(1, niveau="2.2"), school.group(2, jour="VENDREDI"))
    with pytest.raises(Rejection, match="wrong_level"):
        await other.decide(hold(school, caller, "A", 1))
    (renewed,) = await other.decide(hold(school, caller, "A", 2))
    assert "VENDREDI" in renewed.label


async def test_a_campaign_closed_for_one_replica_is_closed_for_the_other(
    school: School, other: Allocator
) -> None:
    caller = await school.family("A")
    await other.decide(hold(school, caller, "A", 2))
    await school.publish(closes_in=-timedelta(minutes=1))
    with pytest.raises(Rejection, match="campaign_closed"):
        await other.decide(hold(school, caller, "A", 2))


async def test_the_check_says_that_all_is_right(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = await school.family("A")
    await school.hold(caller, school.wish("A", 1))
    assert await reckoning.run(school.running.settings.database_url, []) == 0
    assert capsys.readouterr().out.endswith("all is right\n")


async def test_a_spoiled_counter_is_named_then_written_again_and_offered(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    holder, caller = await school.family("A"), await school.family("B")
    (taken,) = await school.hold(holder, school.wish("A", 1))
    await school.join(caller, "B", 1)
    async with school.running.database.transaction() as tx:
        spoiled = tables.occupancy.c.course_id == school.course_id(1)
        await tx.execute(sa.update(tables.occupancy).where(spoiled).values(taken=2, waiting=3))
    await school.running.ask(ReleaseSeat(hold_id=taken.id), holder)
    url = school.running.settings.database_url
    capsys.readouterr()
    assert await reckoning.run(url, []) == 1
    *_, wrong, summary = capsys.readouterr().out.splitlines()
    assert wrong.startswith(f"{school.code}-2027-1: 1 taken, 0 seats and offers, 0 by the ledger")
    assert summary.endswith("courses are wrong")
    assert await reckoning.run(url, ["--rebuild"]) == 0
    (place,) = await school.running.ask(MyWaitingPlaces(), caller)
    assert place.state == "offered"
    assert await school.counters(1) == (1, 0)
    assert await reckoning.run(url, []) == 0


async def test_the_command_needs_the_address_of_the_database_alone(school: School) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "courses",
        "check-seats",
        env={
            "PATH": os.environ["PATH"],
            "RENTREE_DATABASE_URL": school.running.settings.database_url,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert said.decode().endswith("all is right\n")
