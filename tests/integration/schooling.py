"""A site of its own with an open campaign, and its families, for the tests of courses."""

from dataclasses import dataclass
from uuid import UUID

from shared.callers import Caller
from shared.contract import CsvLine
from shared.contracts.courses import (
    CourseRows,
    Hold,
    HoldSeats,
    ImportEnrolments,
    SeatRequest,
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

    def wish(self, name: str, *groups: int) -> SeatRequest:
        return SeatRequest(
            hold_id=new_id(),
            student_id=imported_id("student", f"{self.code}-{name}"),
            follow_id=imported_id("follow", f"{self.code}-{name}/{self.code}-2026-1"),
            course_ids=tuple(self.course_id(group) for group in groups),
        )

    async def hold(self, caller: Caller, *wishes: SeatRequest) -> tuple[Hold, ...]:
        return await self.running.ask(
            HoldSeats(campaign_id=self.campaign_id, requests=wishes), caller
        )

    async def seats_left(self, caller: Caller, name: str) -> dict[UUID, int]:
        (row,) = await self.running.ask(
            CourseRows(
                campaign_id=self.campaign_id,
                student_id=imported_id("student", f"{self.code}-{name}"),
            ),
            caller,
        )
        return {slot.course_id: slot.seats_left for slot in row.slots}
