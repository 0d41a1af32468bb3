"""A site of its own with an open campaign, and its families, for the tests of courses."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from courses import tables
from courses.allocator import Allocator
from courses.commands import release_expired_holds
from shared.broker import BrokerLink
from shared.callers import Caller
from shared.contract import CsvLine
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    Hold,
    HoldSeats,
    ImportCourses,
    ImportEnrolments,
    JoinWaitingList,
    SeatRequest,
    WaitingPlace,
)
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    ReenrolmentDeclined,
    SubmittedChoice,
)
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, StudentRecord
from shared.identifiers import imported_id, new_id
from shared.settings import ServiceSettings

from tests.harness import Running, family_caller, operator


def group(
    site: str,
    code: str,
    level: str,
    weekday: str,
    *,
    capacity: str = "2",
    starts_at: str = "17:00",
    year: str = "2027-2028",
) -> dict[str, str]:
    """A line of ``cours.csv``: a group of music theory whose slot is chosen."""
    return {
        "code": code,
        "site": site,
        "annee": year,
        "discipline": "Formation musicale",
        "cursus": "FM",
        "niveau": level,
        "cycle": level[0],
        "groupe": code.rpartition("-")[2],
        "horaires_amenages": "non",
        "jour": weekday,
        "debut": starts_at,
        "fin": "18:30" if starts_at else "",
        "professeur": "M. ESSAI",
        "salle": "Salle 1",
        "capacite": capacity,
        "mode": "choix",
    }


def lines(*cells: dict[str, str]) -> tuple[CsvLine, ...]:
    """Number some CSV lines as a file would."""
    return tuple(CsvLine(number=number, cells=each) for number, each in enumerate(cells, start=2))


@dataclass(frozen=True)
class School:
    """A site of its own, with a campaign that is open."""

    running: Running[ServiceSettings]
    code: str
    campaign_id: UUID

    @property
    def site_id(self) -> UUID:
        return imported_id("site", self.code)

    def course_id(self, group: int) -> UUID:
        return imported_id("course", f"{self.code}-2027-{group}")

    async def family(self, *students: str) -> Caller:
        """A family whose students follow FM 1.4 this year, to go on in FM 2.1."""
        family_id = new_id()
        await self.running.react(
            FamiliesRecorded(
                families=(
                    FamilyRecord(
                        id=family_id,
                        site_id=self.site_id,
                        name="ESSAI",
                        revision=1,
                        guardians=(),
                        students=tuple(
                            StudentRecord(
                                id=imported_id("student", f"{self.code}-{name}"),
                                last_name="ESSAI",
                                first_name=name,
                                birth_on=None,
                            )
                            for name in students
                        ),
                    ),
                )
            )
        )
        await self.running.ask(
            ImportEnrolments(
                lines=lines(
                    *(
                        {
                            "eleve": f"{self.code}-{name}",
                            "cours": f"{self.code}-2026-1",
                            "annee": "2026-2027",
                            "niveau_propose": "2.1",
                        }
                        for name in students
                    )
                )
            ),
            operator(),
        )
        return family_caller(family_id, self.site_id)

    def student_id(self, name: str) -> UUID:
        return imported_id("student", f"{self.code}-{name}")

    def follow_id(self, name: str) -> UUID:
        return imported_id("follow", f"{self.code}-{name}/{self.code}-2026-1")

    def wish(self, name: str, *groups: int) -> SeatRequest:
        return SeatRequest(
            hold_id=new_id(),
            student_id=self.student_id(name),
            follow_id=self.follow_id(name),
            course_ids=tuple(self.course_id(group) for group in groups),
        )

    async def hold(self, caller: Caller, *wishes: SeatRequest) -> tuple[Hold, ...]:
        return await self.running.ask(
            HoldSeats(campaign_id=self.campaign_id, requests=wishes), caller
        )

    async def row(self, caller: Caller, name: str) -> CourseRow:
        """The only row of a student in step 4."""
        (row,) = await self.running.ask(
            CourseRows(campaign_id=self.campaign_id, student_id=self.student_id(name)), caller
        )
        return row

    async def seats_left(self, caller: Caller, name: str) -> dict[UUID, int]:
        row = await self.row(caller, name)
        return {slot.course_id: slot.seats_left for slot in row.slots}

    async def join(self, caller: Caller, name: str, group: int) -> WaitingPlace:
        """Have a student wait for a group."""
        return await self.running.ask(
            JoinWaitingList(
                place_id=new_id(),
                campaign_id=self.campaign_id,
                student_id=self.student_id(name),
                follow_id=self.follow_id(name),
                course_id=self.course_id(group),
            ),
            caller,
        )

    async def submit(self, caller: Caller, name: str, *holds: Hold) -> None:
        """Have courses hear that a student's application was submitted with some holds."""
        await self.running.react(self.submitted(caller, name, *holds))

    def submitted(self, caller: Caller, name: str, *holds: Hold) -> ApplicationSubmitted:
        return ApplicationSubmitted(
            application_id=new_id(),
            campaign_id=self.campaign_id,
            student_id=self.student_id(name),
            family_id=caller.family(),
            site_id=self.site_id,
            receipt_number="S-2027-000001-0",
            received_at=datetime.now(UTC),
            choices=tuple(
                SubmittedChoice(
                    follow_id=hold.follow_id,
                    re_enrol=True,
                    label=hold.label,
                    course_id=hold.course_id,
                    hold_id=hold.id,
                )
                for hold in holds
            ),
        )

    def declined(self, caller: Caller, name: str) -> ReenrolmentDeclined:
        return ReenrolmentDeclined(
            application_id=new_id(),
            campaign_id=self.campaign_id,
            student_id=self.student_id(name),
            family_id=caller.family(),
            site_id=self.site_id,
            receipt_number="S-2027-000002-0",
            received_at=datetime.now(UTC),
            revision=1,
        )

    async def publish(self, *, closes_in: timedelta = timedelta(days=1)) -> None:
        """Have courses hear of the campaign, open since yesterday."""
        now = datetime.now(UTC)
        await self.running.react(
            CampaignPublished(
                campaign_id=self.campaign_id,
                site_id=self.site_id,
                school_year="2027-2028",
                prepares_at=now - timedelta(days=2),
                opens_at=now - timedelta(days=1),
                closes_at=now + closes_in,
                documents_due_at=now + timedelta(days=9),
            )
        )

    async def bring_in(self, *groups: dict[str, str]) -> None:
        """Import some groups."""
        await self.running.ask(ImportCourses(lines=lines(*groups)), operator())

    def group(self, number: int, **changes: str) -> dict[str, str]:
        """A group of next year: one of a single seat, one of two, and one of another level."""
        level, weekday, capacity = {
            1: ("2.1", "LUNDI", "1"),
            2: ("2.1", "MARDI", "2"),
            3: ("2.2", "JEUDI", "2"),
        }[number]
        code = f"{self.code}-2027-{number}"
        return group(self.code, code, level, weekday, capacity=capacity) | changes

    async def counters(self, group: int) -> tuple[int, int]:
        """The seats taken of a group, and who waits for one."""
        async with self.running.database.transaction() as tx:
            found = await tx.execute(
                sa.select(tables.occupancy.c.taken, tables.occupancy.c.waiting).where(
                    tables.occupancy.c.course_id == self.course_id(group)
                )
            )
            taken, waiting = found.one()
        return taken, waiting

    async def age(self, what: sa.Table, identifier: UUID, by: timedelta) -> None:
        """Make a seat or a place older than it is."""
        instants = ("held_at", "expires_at", "joined_at", "offered_until")
        async with self.running.database.transaction() as tx:
            await tx.execute(
                sa.update(what)
                .where(what.c.id == identifier)
                .values({name: what.c[name] - by for name in instants if name in what.c})
            )

    async def sweep(self) -> None:
        """End what has expired, as any replica does from time to time."""
        link = BrokerLink(self.running.settings.broker_url)
        allocator = self.running.replica.given[Allocator]
        assert isinstance(allocator, Allocator)
        await release_expired_holds(self.running.database, link, allocator)
        await link.close()


async def open_school(running: Running[ServiceSettings]) -> School:
    """A site of its own whose campaign is open, with groups at two levels."""
    school = School(running, f"S{new_id().hex[-8:]}", new_id())
    await school.publish()
    this_year = group(school.code, f"{school.code}-2026-1", "1.4", "LUNDI", year="2026-2027")
    await school.bring_in(this_year, *(school.group(number) for number in (1, 2, 3)))
    return school
