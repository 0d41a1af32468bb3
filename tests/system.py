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
from shared.contract import Ask, Rejection
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

from tests import exports
from tests.exports import NEXT_YEAR, THIS_YEAR, lines
from tests.harness import eventually, family_caller


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
        return imported_id("course", self._next_year(group))

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

    def _next_year(self, group: int) -> str:
        return f"{self.code}-2027-{group}"

    async def load(self, seats: Sequence[int]) -> None:
        """Import everything, publish the campaign, and wait until every service knows."""
        operator, system = self.system.operator, self.system
        everyone = (*self.families, self.probe)
        imports: list[Ask[Any]] = [
            ImportSites(lines=lines(exports.site(self.code, self.name, self.email))),
            ImportFamilies(
                lines=lines(*(exports.family(self.code, each.code) for each in everyone))
            ),
            ImportGuardians(
                lines=lines(
                    *(exports.guardian(each.code, each.username, each.email) for each in everyone)
                ),
                initial_password=PASSWORD,
            ),
            ImportStudents(lines=lines(*(exports.student(each.code) for each in everyone))),
            ImportCourses(
                lines=lines(
                    exports.group(self.code, self.this_year, "1.4", seats=500, year=THIS_YEAR),
                    *(
                        exports.group(self.code, self._next_year(index), "2.1", index, seats=many)
                        for index, many in enumerate(seats)
                    ),
                )
            ),
            ImportEnrolments(
                lines=lines(
                    *(exports.follow(f"{each.code}-E1", self.this_year) for each in everyone)
                )
            ),
        ]
        for question in imports:
            await system.ask(question, operator)
        published = PublishCampaign(campaign=_campaign(self), site_code="ESS")
        await system.ask(published, operator)
        await eventually(lambda: self._is_known_everywhere(self.probe))

    async def record_email(self, family: Household, email: str) -> None:
        """Import another e-mail of the guardian's, or none; wait until mails are written there."""
        line = exports.guardian(family.code, family.username, email)
        await self.system.ask(ImportGuardians(lines=lines(line)), self.system.operator)

        async def is_known() -> int:
            return await self.system.count(
                "notifications",
                "SELECT count(*) FROM family WHERE id = $1 AND guardians -> 0 ->> 'email' = $2",
                family.family_id,
                email,
            )

        await eventually(is_known)

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

    async def begin(self, family: Household) -> Application:
        """Click "Je souhaite réinscrire"."""
        start = StartApplication(
            application_id=new_id(),
            campaign_id=self.campaign_id,
            student_id=family.student_id,
        )
        return await self.system.ask(start, family.token)

    async def prepare(self, family: Household, group: int = 0) -> Application:
        """Steps 1 to 4: everything but "Valider"."""
        ask, token = self.system.ask, family.token
        application = await self.begin(family)
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
        school_year=NEXT_YEAR,
        prepares_at=now - timedelta(days=1),
        opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(days=30),
        documents_due_at=now + timedelta(days=45),
    )
