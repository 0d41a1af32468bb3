"""A rush on the seats of one school: its families, two replicas of courses, and the books."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import aiohttp
import asyncpg
from courses.app import service
from shared.ask import Services
from shared.broker import BrokerLink
from shared.callers import Caller
from shared.contracts.courses import ImportCourses, ImportEnrolments
from shared.contracts.enrolment import CampaignPublished
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, StudentRecord
from shared.identifiers import imported_id, new_id
from shared.settings import ServiceSettings
from stack.remembered import free_port
from stack.running import Stack

from tests.faults.reckoning import Books
from tests.faults.seeking import Seeker
from tests.harness import Running, eventually, family_caller, operator, running
from tests.integration.schooling import School, group, lines
from tests.nursery import Forked, Nursery

_FAMILIES, _SUBMITS_ONE_IN = 120, 3
_GROUPS, SEATS_A_GROUP = range(1, 9), 12
_WEEKDAYS = ("LUNDI", "MARDI", "JEUDI", "VENDREDI")


@dataclass(slots=True)
class Replica:
    """A replica of courses: a process that is killed and started again."""

    url: str
    nursery: Nursery
    variables: Mapping[str, str]
    process: Forked

    async def kill(self) -> None:
        """End it in whatever it is doing."""
        await self.process.kill()

    async def start(self) -> None:
        """Start it again after its end."""
        self.process = await self.nursery.fork(self.variables)

    async def is_at_work(self) -> bool:
        """Tell whether it has answered a family since it was started."""
        try:
            async with aiohttp.ClientSession() as client, client.get(f"{self.url}/metrics") as page:
                return b"rentree_ask_seconds_count{" in await page.read()
        except aiohttp.ClientConnectionError:
            return False


@dataclass(frozen=True, slots=True)
class Rush:
    """Families that seek seats, the replicas that they ask, and the books of both."""

    seekers: Sequence[Seeker]
    replicas: Sequence[Replica]
    books: Books

    @classmethod
    @asynccontextmanager
    async def on(cls, servers: Stack, seed: int) -> AsyncIterator["Rush"]:
        """Open a school with fewer seats than families, in a database of its own."""
        async with running(servers, service, ServiceSettings) as prepared:
            school, callers = await open_school(prepared)
        database_url, broker_url = prepared.settings.database_url, prepared.settings.broker_url
        variables = servers.variables("courses") | {
            "RENTREE_DATABASE_URL": database_url,
            "RENTREE_BROKER_URL": broker_url,
        }
        now = datetime.now(UTC)
        async with AsyncExitStack() as stack:
            log = servers.logs / "courses-killed.log"
            nursery = await stack.enter_async_context(Nursery.of("courses", log))
            first_port = free_port(())
            ports = first_port, free_port({first_port})
            replicas = [await _start(nursery, variables, port) for port in ports]
            urls = {"courses": [replica.url for replica in replicas]}
            services = await stack.enter_async_context(Services(urls, timeout_seconds=30))
            link = BrokerLink(broker_url)
            stack.push_async_callback(link.close)
            seekers = [
                Seeker(
                    services=services,
                    link=link,
                    school=school,
                    groups=_GROUPS,
                    name=name,
                    caller=caller,
                    token=prepared.signer.sign(caller, now, timedelta(hours=1)),
                    chance=Random(f"{seed}/{name}"),
                    submits=number % _SUBMITS_ONE_IN == 0,
                )
                for number, (name, caller) in enumerate(callers.items())
            ]
            yield cls(seekers, replicas, Books(database_url, broker_url))

    async def has_heard(self) -> bool:
        """Whether courses has claimed the seats of every family that has submitted by now."""
        submitted = sum(1 for seeker in self.seekers if seeker.application_id)
        return await self.books.claims() >= submitted

    async def is_answered_again(self) -> None:
        """Wait until every family that still seeks has been answered once more."""
        before = {id(seeker): seeker.answers for seeker in self.seekers}
        await eventually(
            lambda: all(
                seeker.application_id or seeker.answers > before[id(seeker)]
                for seeker in self.seekers
            ),
            within_seconds=60,
        )

    @asynccontextmanager
    async def commits(self) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set at each commit of courses."""
        heard = asyncio.Event()
        connection = await asyncpg.connect(self.books.database_url)
        try:
            await connection.add_listener("outbox", lambda *_: heard.set())
            yield heard
        finally:
            await connection.close()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Have the families seek while the block runs, and then be answered what they asked."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as families:
            for seeker in self.seekers:
                families.create_task(seeker.seek(stop))
            try:
                yield
            finally:
                stop.set()


async def _start(nursery: Nursery, variables: Mapping[str, str], port: int) -> Replica:
    """Start a replica on a port that it keeps."""
    variables = {**variables, "RENTREE_HOST": "127.0.0.1", "RENTREE_PORT": str(port)}
    return Replica(f"http://127.0.0.1:{port}", nursery, variables, await nursery.fork(variables))


async def open_school(
    courses: Running[ServiceSettings],
) -> tuple[School, dict[str, Caller]]:
    """Open the campaign of a school with fewer seats than families; these by their student."""
    school = School(courses, f"R{new_id().hex[-8:]}", new_id())
    now = datetime.now(UTC)
    await courses.react(
        CampaignPublished(
            campaign_id=school.campaign_id,
            site_id=school.site_id,
            school_year="2027-2028",
            prepares_at=now - timedelta(days=2),
            opens_at=now - timedelta(days=1),
            closes_at=now + timedelta(days=1),
            documents_due_at=now + timedelta(days=9),
        )
    )
    this_year = f"{school.code}-2026-1"
    await courses.ask(
        ImportCourses(
            lines=lines(
                group(school.code, this_year, "1.4", "LUNDI", year="2026-2027"),
                *(
                    group(
                        school.code,
                        f"{school.code}-2027-{number}",
                        "2.1",
                        _WEEKDAYS[number % len(_WEEKDAYS)],
                        capacity=str(SEATS_A_GROUP),
                    )
                    for number in _GROUPS
                ),
            )
        ),
        operator(),
    )
    callers = {f"E{n:03}": family_caller(site_id=school.site_id) for n in range(_FAMILIES)}
    await courses.react(
        FamiliesRecorded(
            families=tuple(
                FamilyRecord(
                    id=caller.family(),
                    site_id=school.site_id,
                    name="ESSAI",
                    revision=1,
                    guardians=(),
                    students=(
                        StudentRecord(
                            id=imported_id("student", f"{school.code}-{name}"),
                            last_name="ESSAI",
                            first_name=name,
                            birth_on=None,
                        ),
                    ),
                )
                for name, caller in callers.items()
            )
        )
    )
    await courses.ask(
        ImportEnrolments(
            lines=lines(
                *(
                    {
                        "eleve": f"{school.code}-{name}",
                        "cours": this_year,
                        "annee": "2026-2027",
                        "niveau_propose": "2.1",
                    }
                    for name in callers
                )
            )
        ),
        operator(),
    )
    return school, callers
