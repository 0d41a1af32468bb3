"""What a family decides for each of its students in the present campaign (S10, S20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.contracts.enrolment import (
    Application,
    ApplicationState,
    Campaign,
    ListMyApplications,
    MyApplications,
)
from shared.contracts.identity import Student
from shared.identifiers import new_id

from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.frame import full_name
from gateway.pages.wizard.whereabouts import remember_present
from gateway.people import Person

type Phase = Literal["unknown", "none", "preparation", "open", "closed"]

NAME_UNKNOWN = marked("Un élève de votre famille")
"""How a student is called while identity is away."""

APPLICATIONS_AWAY = marked(
    "Les dossiers de réinscription sont momentanément indisponibles : rechargez cette page dans"
    " quelques minutes. Ce que vous avez enregistré est conservé."
)


@dataclass(frozen=True, slots=True)
class Intent:
    """One student and what was decided so far.

    ``application_id`` is that of the application, or a new one for the form that will begin it.
    """

    student_id: UUID
    name: str
    application: Application | None
    application_id: UUID

    @property
    def state(self) -> Literal["none"] | ApplicationState:
        """Tell where the application stands."""
        return self.application.state if self.application else "none"


@dataclass(frozen=True, slots=True)
class Intents:
    """The present campaign, if any, and where the family stands in it.

    The phase is ``unknown`` while enrolment is away.
    """

    campaign: Campaign | None
    phase: Phase
    students: tuple[Intent, ...]


async def ask_applications(person: Person, notices: list[str]) -> MyApplications | None:
    """Give the present campaign and the family's applications in it, where enrolment answers."""
    mine = await person.ask_if_up(ListMyApplications(), notices, APPLICATIONS_AWAY)
    if mine and mine.campaign:
        remember_present(mine.campaign)
    return mine


def intents(
    students: Sequence[Student] | None, mine: MyApplications | None, now: datetime
) -> Intents:
    """Put together what identity and enrolment know; either may be away."""
    applications = mine.applications if mine else ()
    campaign = mine.campaign if mine else None
    begun = {application.student_id: application for application in applications}
    names = (
        _numbered(tuple(begun))
        if students is None
        else {student.id: full_name(student.details) for student in students}
    )
    return Intents(
        campaign,
        _phase(campaign, now) if mine else "unknown",
        tuple(
            _intent(student_id, name, begun.get(student_id)) for student_id, name in names.items()
        ),
    )


def _numbered(student_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Tell students without a name from one another, within a sentence."""
    if len(student_ids) == 1:
        return {student_ids[0]: _("l'élève")}
    return {
        each: _("l'élève n° %(number)s", number=number)
        for number, each in enumerate(student_ids, start=1)
    }


def _intent(student_id: UUID, name: str, application: Application | None) -> Intent:
    application_id = application.id if application else new_id()
    return Intent(student_id, name, application, application_id)


def _phase(campaign: Campaign | None, now: datetime) -> Phase:
    if campaign is None or now < campaign.prepares_at:
        return "none"
    if now < campaign.opens_at:
        return "preparation"
    return "open" if now < campaign.closes_at else "closed"
