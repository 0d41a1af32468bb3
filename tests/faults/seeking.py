"""Families that seek a seat without rest, and remember all that they were answered."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from shared.ask import Services, ServiceUnavailable
from shared.broker import EVENTS_EXCHANGE, BrokerLink
from shared.callers import Caller
from shared.contract import Ask, Rejection
from shared.contracts.courses import (
    AcceptOffer,
    Hold,
    HoldSeats,
    JoinWaitingList,
    LeaveWaitingList,
    MyWaitingPlaces,
    ReleaseSeat,
    WaitingPlace,
)
from shared.contracts.enrolment import ApplicationSubmitted, SubmittedChoice
from shared.identifiers import imported_id, new_id
from shared.outbox import cloud_event

from tests.integration.schooling import School

_PAUSE_SECONDS = 0.2
_SUBMITS_ONCE_IN = 20

type Line = tuple[UUID, UUID, str]
"""A line of the ledger: a seat, its course, what became of it."""


@dataclass(slots=True)
class Seeker:
    """A family of one student. It does one thing at a time, and asks the very same again until
    it is answered.

    By what it was answered, ``hold`` and ``places`` (by course) are what it has, ``story`` is what
    the ledger must tell of it.
    """

    services: Services
    link: BrokerLink
    school: School
    groups: range
    name: str
    caller: Caller
    token: str
    chance: Random
    submits: bool
    hold: Hold | None = None
    places: dict[UUID, UUID] = field(default_factory=dict)
    story: list[Line] = field(default_factory=list)
    application_id: UUID | None = None
    answers: int = 0

    @property
    def student_id(self) -> UUID:
        return imported_id("student", f"{self.school.code}-{self.name}")

    async def seek(self, stop: asyncio.Event) -> None:
        """Act again and again until ``stop``, or until the application is submitted."""
        while not stop.is_set() and self.application_id is None:
            await self._act()

    async def _act(self) -> None:
        acts = [self._choose] * 3 + [self._join]
        if self.places:
            acts += [self._look, self._look, self._leave]
        if self.hold is not None:
            acts.append(self._give_back)
            if self.submits and not self.chance.randrange(_SUBMITS_ONCE_IN):
                acts = [self._submit]
        await self.chance.choice(acts)()

    async def _choose(self) -> None:
        """Take the first free of some courses, in place of the present seat."""
        had = self.hold.course_id if self.hold else None
        others = [group for group in self.groups if self.school.course_id(group) != had]
        ranked = self.chance.sample(others, self.chance.randint(1, 3))
        wish = self.school.wish(self.name, *ranked)
        wanted = HoldSeats(campaign_id=self.school.campaign_id, requests=(wish,))
        try:
            (hold,) = await self._ask(wanted)
        except Rejection as refusal:
            if refusal.code != "course_full":
                raise
            return
        assert hold.id == wish.hold_id
        assert hold.course_id in wish.course_ids
        self._has(hold)

    async def _give_back(self) -> None:
        assert self.hold is not None
        await self._ask(ReleaseSeat(hold_id=self.hold.id))
        self._has(None)

    async def _join(self) -> None:
        """Wait for a course, and keep the present seat meanwhile."""
        group = self.chance.choice(self.groups)
        row = self.school.wish(self.name, group)
        course_id = self.school.course_id(group)
        if course_id in self.places:
            return
        joining = JoinWaitingList(
            place_id=new_id(),
            campaign_id=self.school.campaign_id,
            student_id=row.student_id,
            follow_id=row.follow_id,
            course_id=course_id,
        )
        try:
            place = await self._ask(joining)
        except Rejection as refusal:
            if refusal.code not in ("course_not_full", "already_held"):
                raise
            return
        assert place.id == joining.place_id
        self.places[course_id] = place.id

    async def _leave(self) -> None:
        """Wait no longer somewhere, or refuse what was offered meanwhile."""
        course_id = self.chance.choice(list(self.places))
        await self._ask(LeaveWaitingList(place_id=self.places[course_id]))
        del self.places[course_id]

    async def _look(self) -> None:
        """Look at the waiting lists, and take whatever is offered."""
        found = await self._ask(MyWaitingPlaces())
        assert {each.id for each in found} == set(self.places.values())
        for place in found:
            if place.state == "offered":
                await self._accept(place)

    async def _accept(self, place: WaitingPlace) -> None:
        hold = await self._ask(AcceptOffer(place_id=place.id))
        assert (hold.id, hold.course_id) == (place.id, place.course_id)
        del self.places[place.course_id]
        self._has(hold)

    async def _submit(self) -> None:
        """Click "Valider": courses hears of it by an event, and the family rests."""
        assert self.hold is not None
        now = datetime.now(UTC)
        self.application_id = new_id()
        self.story.append((self.hold.id, self.hold.course_id, "claimed"))
        event = ApplicationSubmitted(
            application_id=self.application_id,
            campaign_id=self.school.campaign_id,
            student_id=self.student_id,
            family_id=self.caller.family(),
            site_id=self.school.site_id,
            receipt_number="ESSAI",
            received_at=now,
            choices=(
                SubmittedChoice(
                    follow_id=self.hold.follow_id,
                    re_enrol=True,
                    label=self.hold.label,
                    course_id=self.hold.course_id,
                    hold_id=self.hold.id,
                ),
            ),
        )
        row = {
            "event_id": new_id(),
            "type": event.type,
            "subject": event.subject,
            "correlation_id": "",
            "data": event.model_dump_json(),
            "happened_at": now,
        }
        await self.link.publish(EVENTS_EXCHANGE, event.type, cloud_event("enrolment", row))

    def _has(self, hold: Hold | None) -> None:
        if self.hold is not None:
            self.story.append((self.hold.id, self.hold.course_id, "released"))
        if hold is not None:
            self.story.append((hold.id, hold.course_id, "held"))
        self.hold = hold

    async def _ask[Answer](self, question: Ask[Answer]) -> Answer:
        while True:
            try:
                answer = await self.services.ask(question, token=self.token)
            except ServiceUnavailable:
                await asyncio.sleep(_PAUSE_SECONDS)
            except Rejection:
                self.answers += 1
                raise
            else:
                self.answers += 1
                return answer
