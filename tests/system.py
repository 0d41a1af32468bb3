"""The whole system as processes, and families of their own to put through it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import asyncpg
from shared.ask import Services, ServiceUnavailable
from shared.callers import TokenSigner
from shared.contract import Ask, CsvLine, Rejection
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    Hold,
    HoldSeats,
    ImportCourses,
    ImportEnrolments,
    SeatRequest,
)
from shared.contracts.documents import ListPieces
from shared.contracts.enrolment import (
    Application,
    Authorisations,
    Campaign,
    CompleteStep,
    CourseChoice,
    PublishCampaign,
    RecordAuthorisations,
    RecordCourseChoices,
    StartApplication,
    SubmitApplication,
)
from shared.contracts.identity import (
    ImportFamilies,
    ImportGuardians,
    ImportSites,
    ImportStudents,
)
from shared.identifiers import imported_id, new_id
from stack.demonstration import PASSWORD, operator_token
from stack.running import Stack

from tests.harness import eventually, family_caller

_THIS_YEAR, _NEXT_YEAR = "2026-2027", "2027-2028"


def lines(*cells: dict[str, str]) -> tuple[CsvLine, ...]:
    """Number some CSV lines as a file would."""
    return tuple(CsvLine(number=number, cells=each) for number, each in enumerate(cells, start=2))


@dataclass(frozen=True, slots=True)
class Household:
    """A family of one student, and the token of its guardian."""

    code: str
    token: str

    @property
    def family_id(self) -> UUID:
        return imported_id("family", self.code)

    @property
    def student_id(self) -> UUID:
        return imported_id("student", f"{self.code}-E1")

    @property
    def guardian_id(self) -> UUID:
        return imported_id("guardian", f"{self.code}-R1")

    @property
    def username(self) -> str:
        return self.code.lower()

    @property
    def email(self) -> str:
        return f"{self.code.lower()}@familles.example"


@dataclass(frozen=True, slots=True)
class System:
    """The running services, asked as the gateway asks them."""

    stack: Stack
    services: Services
    signer: TokenSigner

    @property
    def operator(self) -> str:
        """A token of the operator's, new each time: the tests last longer than one."""
        return operator_token(self.stack.keys.private)

    @classmethod
    @asynccontextmanager
    async def over(cls, stack: Stack) -> AsyncIterator["System"]:
        """Open a client on every replica of a stack."""
        private_key = stack.keys.private
        async with Services(stack.urls, timeout_seconds=30) as services:
            signer = TokenSigner.from_file(private_key)
            yield cls(stack, services, signer)

    async def ask[Answer](self, question: Ask[Answer], token: str) -> Answer:
        """Ask as the gateway would; while a service is away, ask the very same again."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await self.services.ask(question, token=token)
                except ServiceUnavailable:
                    await asyncio.sleep(0.2)
                except Rejection as refusal:
                    if refusal.code != "hold_not_known_yet":
                        raise
                    await asyncio.sleep(0.1)

    async def school(self, *, families: int, seats: Sequence[int] = (20,)) -> "School":
        """A site of its own with an open campaign, families, and a group for each of ``seats``."""
        code = f"T{new_id().hex[-10:].upper()}"
        *households, probe = (self._household(code, number) for number in range(families + 1))
        school = School(self, code, imported_id("campaign", code), tuple(households), probe)
        await school.load(seats)
        return school

    async def count(self, service: str, sql: str, *arguments: object) -> int:
        """Count in a service's database."""
        connection = await asyncpg.connect(self.stack.postgresql.url(service))
        try:
            return int(await connection.fetchval(sql, *arguments))
        finally:
            await connection.close()

    def mails_about(self, text: str) -> list[EmailMessage]:
        """Every mail whose subject holds ``text``."""
        return [mail for mail in self.stack.mailbox.messages() if text in str(mail["subject"])]

    def _household(self, site: str, number: int) -> Household:
        code = f"{site}-F{number:03}"
        caller = family_caller(imported_id("family", code), imported_id("site", site))
        return Household(code, self.signer.sign(caller, datetime.now(UTC), timedelta(hours=1)))


@dataclass(frozen=True, slots=True)
class School:
    """A site whose students all follow one group of FM 1.4, to go on in FM 2.1."""

    system: System
    code: str
    campaign_id: UUID
    families: tuple[Household, ...]
    probe: Household
    """A family that does nothing: once it could act, every other can."""

    @property
    def this_year(self) -> str:
        return f"{self.code}-2026-1"

    def course_id(self, group: int = 0) -> UUID:
        return imported_id("course", f"{self.code}-2027-{group}")

    @property
    def site_id(self) -> UUID:
        return imported_id("site", self.code)

    @property
    def name(self) -> str:
        return f"Conservatoire {self.code}"

    @property
    def email(self) -> str:
        return f"{self.code.lower()}@territoire.example"

    def mails(self) -> list[EmailMessage]:
        """Every mail that the site's families got: their answers go to the site."""
        mails = self.system.stack.mailbox.messages()
        return [mail for mail in mails if self.email in str(mail["reply-to"])]

    def follow_id(self, family: Household) -> UUID:
        return imported_id("follow", f"{family.code}-E1/{self.this_year}")

    async def load(self, seats: Sequence[int]) -> None:
        """Import everything, publish the campaign, and wait until every service knows."""
        operator, system = self.system.operator, self.system
        everyone = (*self.families, self.probe)
        imports: list[Ask[Any]] = [
            ImportSites(lines=lines(_site(self))),
            ImportFamilies(lines=lines(*(_family(self.code, each) for each in everyone))),
            ImportGuardians(
                lines=lines(*(_guardian(each) for each in everyone)),
                initial_password=PASSWORD,
            ),
            ImportStudents(lines=lines(*(_student(each) for each in everyone))),
            ImportCourses(
                lines=lines(
                    _group(self.code, self.this_year, _THIS_YEAR, "1.4", 0, 500),
                    *(
                        _group(self.code, f"{self.code}-2027-{index}", _NEXT_YEAR, "2.1", index, n)
                        for index, n in enumerate(seats)
                    ),
                )
            ),
            ImportEnrolments(
                lines=lines(
                    *(
                        {
                            "eleve": f"{each.code}-E1",
                            "cours": self.this_year,
                            "annee": _THIS_YEAR,
                            "niveau_propose": "2.1",
                        }
                        for each in everyone
                    )
                )
            ),
        ]
        for question in imports:
            await system.ask(question, operator)
        published = PublishCampaign(campaign=_campaign(self), site_code="ESS")
        await system.ask(published, operator)
        await eventually(lambda: self._is_known_everywhere(self.probe))

    async def rows(self, family: Household) -> tuple[CourseRow, ...]:
        """What the family sees at step 4."""
        return await self.system.ask(
            CourseRows(campaign_id=self.campaign_id, student_id=family.student_id), family.token
        )

    async def hold(self, family: Household, group: int = 0) -> Hold:
        """Hold a seat in a group."""
        request = SeatRequest(
            hold_id=new_id(),
            student_id=family.student_id,
            follow_id=self.follow_id(family),
            course_ids=(self.course_id(group),),
        )
        command = HoldSeats(campaign_id=self.campaign_id, requests=(request,))
        (hold,) = await self.system.ask(command, family.token)
        return hold

    async def prepare(self, family: Household, group: int = 0) -> Application:
        """Steps 1 to 4: everything but "Valider"."""
        ask, token = self.system.ask, family.token
        application = await ask(
            StartApplication(
                application_id=new_id(),
                campaign_id=self.campaign_id,
                student_id=family.student_id,
            ),
            token,
        )
        answers = Authorisations(image_rights=True, leaves_alone=False, text_version="essai")
        await ask(CompleteStep(application_id=application.id, step=1), token)
        await ask(
            RecordAuthorisations(application_id=application.id, authorisations=answers), token
        )
        await ask(CompleteStep(application_id=application.id, step=3), token)
        return await self.choose(family, application, group)

    async def choose(
        self, family: Household, application: Application, group: int = 0
    ) -> Application:
        """Step 4: hold a seat in a group and record the choice."""
        hold = await self.hold(family, group)
        choice = CourseChoice(
            follow_id=hold.follow_id,
            re_enrol=True,
            label=hold.label,
            course_id=hold.course_id,
            hold_id=hold.id,
        )
        return await self.system.ask(
            RecordCourseChoices(application_id=application.id, choices=(choice,)), family.token
        )

    async def submit(self, family: Household, application: Application) -> Application:
        """Click "Valider"."""
        return await self.system.ask(
            SubmitApplication(
                application_id=application.id,
                received_at=datetime.now(UTC),
                accepted_text_version="essai",
            ),
            family.token,
        )

    async def close(self) -> None:
        """Have the campaign closed a minute ago, rather than wait for it."""
        for service in ("enrolment", "courses"):
            connection = await asyncpg.connect(self.system.stack.postgresql.url(service))
            try:
                await connection.execute(
                    "UPDATE campaign SET closes_at = now() - interval '1 minute' WHERE id = $1",
                    self.campaign_id,
                )
            finally:
                await connection.close()

    async def claims(self) -> int:
        """Seats claimed in the site's campaign."""
        return await self.system.count(
            "courses",
            "SELECT count(*) FROM seat WHERE campaign_id = $1 AND state = 'claimed'",
            self.campaign_id,
        )

    async def _is_known_everywhere(self, family: Household) -> bool:
        shown = {"campaign_id": self.campaign_id, "student_id": family.student_id}
        start = {"application_id": new_id(), **shown}
        questions: tuple[Ask[Any], ...] = (
            CourseRows.model_validate(shown),
            ListPieces.model_validate(shown),
            StartApplication.model_validate(start),
        )
        try:
            for question in questions:
                await self.system.services.ask(question, token=family.token)
        except Rejection:
            return False
        return True


def _campaign(school: School) -> Campaign:
    now = datetime.now(UTC)
    return Campaign(
        id=school.campaign_id,
        site_id=school.site_id,
        school_year=_NEXT_YEAR,
        prepares_at=now - timedelta(days=1),
        opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(days=30),
        documents_due_at=now + timedelta(days=45),
    )


def _site(school: School) -> dict[str, str]:
    return {
        "code": school.code,
        "ville": school.code,
        "nom": school.name,
        "adresse": "1 place de l'Essai",
        "code_postal": "92000",
        "commune": "Essai",
        "telephone": "01 99 00 00 00",
        "courriel": school.email,
        "page_tarifs": "https://territoire.example/tarifs",
    }


def _family(site: str, family: Household) -> dict[str, str]:
    return {"code": family.code, "site": site, "nom": "ESSAI"}


def _guardian(family: Household) -> dict[str, str]:
    return {
        "code": f"{family.code}-R1",
        "famille": family.code,
        "identifiant": family.username,
        "civilite": "Madame",
        "nom": "ESSAI",
        "prenom": "Camille",
        "adresse": "2 rue de l'Essai",
        "code_postal": "92000",
        "ville": "Essai",
        "tel_domicile": "",
        "mobile": "06 39 98 00 01",
        "tel_pro": "",
        "courriel": family.email,
    }


def _student(family: Household) -> dict[str, str]:
    return {
        "code": f"{family.code}-E1",
        "famille": family.code,
        "civilite": "Monsieur",
        "nom": "ESSAI",
        "prenom": "Sacha",
        "ne_le": "01/02/2015",
        "niveau_scolaire": "CM2",
        "etablissement": "École de l'Essai",
    }


def _group(
    site: str, code: str, year: str, level: str, index: int, capacity: int
) -> dict[str, str]:
    return {
        "code": code,
        "site": site,
        "annee": year,
        "discipline": "Formation musicale",
        "cursus": "FM",
        "niveau": level,
        "cycle": level[0],
        "groupe": str(index),
        "horaires_amenages": "non",
        "jour": ("LUNDI", "MARDI", "JEUDI", "VENDREDI")[index % 4],
        "debut": "17:00",
        "fin": "18:30",
        "professeur": "M. ESSAI",
        "salle": "Salle 1",
        "capacite": str(capacity),
        "mode": "choix",
    }
