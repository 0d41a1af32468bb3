"""A family of a site with a campaign of its own, and what a subscriber hears of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from enrolment.tables import campaign
from shared.broker import EVENTS_EXCHANGE
from shared.callers import Caller
from shared.contract import Ask, Event
from shared.contracts.courses import Hold, SeatPlaced, SeatsClaimed, SeatsHeld
from shared.contracts.enrolment import (
    Application,
    Authorisations,
    Campaign,
    CompleteStep,
    CourseChoice,
    DeclineReenrolment,
    PublishCampaign,
    RecordAuthorisations,
    RecordCourseChoices,
    StartApplication,
    SubmitApplication,
    TakeBackDecline,
)
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, StudentRecord
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import update

from tests.harness import Running, eventually, family_caller, operator

ANSWERS = Authorisations(image_rights=True, leaves_alone=False, text_version="2027-1")


@dataclass
class Heard:
    """What a subscriber heard of enrolment's events, in order."""

    replica: Running[ServiceSettings]
    messages: list[AbstractIncomingMessage] = field(default_factory=list)

    async def all_of[Told: Event](self, kind: type[Told], subject: UUID) -> list[Told]:
        """Give the events told so far about a subject: the relay keeps their order, so all those
        before one told now have been heard once that one is.
        """
        last = await publish(self.replica)
        await eventually(
            lambda: any(str(last.id) == subject_of(message) for message in self.messages)
        )
        return [
            kind.model_validate_json(message.body)
            for message in self.messages
            if (message.type, subject_of(message)) == (kind.type, str(subject))
        ]


def subject_of(message: AbstractIncomingMessage) -> object:
    return message.headers["cloudEvents:subject"]


@asynccontextmanager
async def listening(replica: Running[ServiceSettings]) -> AsyncIterator[Heard]:
    """Subscribe to all that enrolment tells, as another system would."""
    heard = Heard(replica)
    async with await aio_pika.connect(replica.settings.broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE, "enrolment.#")

        async def keep(message: AbstractIncomingMessage) -> None:
            heard.messages.append(message)

        await queue.consume(keep, no_ack=True)
        yield heard


async def publish(replica: Running[ServiceSettings], **changes: object) -> Campaign:
    """Publish a campaign of a new site: opened yesterday, closing tomorrow."""
    now = datetime.now(UTC)
    values = {
        "id": new_id(),
        "site_id": new_id(),
        "school_year": "2027-2028",
        "prepares_at": now - timedelta(days=2),
        "opens_at": now - timedelta(days=1),
        "closes_at": now + timedelta(days=1),
        "documents_due_at": now + timedelta(days=90),
    }
    wanted = Campaign.model_validate(values | changes)
    return await replica.ask(PublishCampaign(campaign=wanted, site_code="MEU"), operator())


async def move(replica: Running[ServiceSettings], campaign_id: UUID, **instants: datetime) -> None:
    """Move a campaign's instants under the families' feet, rather than wait for them."""
    async with replica.database.transaction() as tx:
        await tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(**instants))


def family_record(
    family_id: UUID, site_id: UUID, students: list[UUID], revision: int = 1
) -> FamilyRecord:
    return FamilyRecord(
        id=family_id,
        site_id=site_id,
        name="ESSAI",
        revision=revision,
        guardians=(),
        students=tuple(
            StudentRecord(id=each, last_name="ESSAI", first_name="Camille", birth_on=None)
            for each in students
        ),
    )


@dataclass(frozen=True)
class EnrollingFamily:
    """A family of a site with a campaign of its own: what its guardian can do."""

    replica: Running[ServiceSettings]
    caller: Caller
    campaign: Campaign
    student_id: UUID
    application_id: UUID = field(default_factory=new_id)
    follow_id: UUID = field(default_factory=new_id)
    course_id: UUID = field(default_factory=new_id)
    hold_id: UUID = field(default_factory=new_id)

    async def ask[Answer](self, question: Ask[Answer]) -> Answer:
        return await self.replica.ask(question, self.caller)

    async def start(self, application_id: UUID | None = None) -> Application:
        return await self.ask(self.beginning(application_id))

    def beginning(self, application_id: UUID | None = None) -> StartApplication:
        return StartApplication(
            application_id=application_id or self.application_id,
            campaign_id=self.campaign.id,
            student_id=self.student_id,
        )

    async def decline(self) -> Application:
        return await self.ask(
            DeclineReenrolment(
                application_id=self.application_id,
                campaign_id=self.campaign.id,
                student_id=self.student_id,
                received_at=datetime.now(UTC),
            )
        )

    async def take_back(self) -> Application:
        return await self.ask(
            TakeBackDecline(application_id=self.application_id, received_at=datetime.now(UTC))
        )

    @property
    def choices(self) -> tuple[CourseChoice, ...]:
        return (
            CourseChoice(
                follow_id=self.follow_id,
                re_enrol=True,
                label="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
                course_id=self.course_id,
                hold_id=self.hold_id,
            ),
            CourseChoice(follow_id=new_id(), re_enrol=True, label="Alto"),
        )

    def seats_held(self, **changes: object) -> SeatsHeld:
        return SeatsHeld(campaign_id=self.campaign.id, holds=(self.seat(**changes),))

    def seat(self, **changes: object) -> Hold:
        """The seat of the chosen slot, as courses tells it."""
        values = {
            "id": self.hold_id,
            "student_id": self.student_id,
            "follow_id": self.follow_id,
            "course_id": self.course_id,
            "label": "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
            "state": "held",
            "expires_at": datetime.now(UTC) + timedelta(minutes=20),
        }
        return Hold.model_validate(values | changes)

    def claims(
        self, filed: Application, *hold_ids: UUID, missing: tuple[UUID, ...] = ()
    ) -> SeatsClaimed:
        """What courses tells of the seats of a submission."""
        assert filed.receipt
        return SeatsClaimed(
            application_id=filed.id,
            hold_ids=hold_ids,
            missing_hold_ids=missing,
            received_at=filed.receipt.received_at,
        )

    def seat_placed(self, hold_id: UUID, *, replaces: UUID | None) -> SeatPlaced:
        """An offer accepted for another group of the same row."""
        assert self.caller.family_id
        return SeatPlaced(
            campaign_id=self.campaign.id,
            family_id=self.caller.family_id,
            student_id=self.student_id,
            hold=self.seat(
                id=hold_id, course_id=new_id(), label="FM 2.1 (34) - MARDI - 17.00 à 18.30"
            ),
            replaced_hold_id=replaces,
            decided_by="family",
        )

    async def fill_in(self) -> Application:
        """Go to the recap: steps 1 to 4."""
        await self.start()
        await self.ask(CompleteStep(application_id=self.application_id, step=1))
        await self.ask(
            RecordAuthorisations(application_id=self.application_id, authorisations=ANSWERS)
        )
        await self.ask(CompleteStep(application_id=self.application_id, step=3))
        return await self.ask(
            RecordCourseChoices(
                application_id=self.application_id, choices=self.choices, remarks="Alto"
            )
        )

    async def choose_again(self) -> Application:
        """Hold the same slot anew, and record it at step 4."""
        (slot, other) = self.choices
        again = slot.model_copy(update={"hold_id": new_id()})
        await self.replica.react(self.seats_held(id=again.hold_id))
        return await self.ask(
            RecordCourseChoices(application_id=self.application_id, choices=(again, other))
        )

    def submission(
        self, received_at: datetime | None = None, *, replaces: str | None = None
    ) -> SubmitApplication:
        return SubmitApplication(
            application_id=self.application_id,
            received_at=received_at or datetime.now(UTC),
            accepted_text_version="2027-1",
            replaces_receipt_number=replaces,
        )

    async def submit(
        self, received_at: datetime | None = None, *, replaces: str | None = None
    ) -> Application:
        return await self.ask(self.submission(received_at, replaces=replaces))


async def enrolling_family(
    replica: Running[ServiceSettings], **campaign_changes: object
) -> EnrollingFamily:
    """A family with one student, in a campaign of its own site."""
    published = await publish(replica, **campaign_changes)
    caller = family_caller(site_id=published.site_id)
    assert caller.family_id
    student_id = new_id()
    record = family_record(caller.family_id, published.site_id, [student_id])
    await replica.react(FamiliesRecorded(families=(record,)))
    return EnrollingFamily(replica, caller, published, student_id)
