"""The children of a family whose courses are decided in one act: all the seats, or none (S65)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.enrolment import Application, ListMyApplications, MyApplications
from shared.contracts.identity import Family

from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.choices import Line
from gateway.pages.wizard.frame import COURSES, Typed, at_work, find_student, open_step
from gateway.people import Person

TOGETHER: Final = "avec"
"""What names, in an address or a form, the applications shown besides the step's own."""
ADDED: Final = "ajouter"
"""What names those that a button adds to the step."""
ALONE: Final = "seul"
"""What leaves only the step's own."""

_NAME_UNKNOWN: Final = marked("un autre élève")
_OTHERS_AWAY: Final = marked(
    "Les dossiers de vos autres enfants sont momentanément indisponibles : choisissez pour cet"
    " élève, ou rechargez cette page dans un instant."
)


@dataclass(frozen=True, slots=True)
class Child:
    """One child's part of the step: their application, and a line a course."""

    application: Application
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another child of the family, whose courses may be decided in the same act."""

    application_id: UUID
    first_name: str


def named(texts: Sequence[str]) -> tuple[UUID, ...]:
    """Read the applications that an address or a form names.

    What is not an identifier names nothing that exists.
    """
    try:
        return tuple(dict.fromkeys(UUID(part) for text in texts for part in text.split(",")))
    except ValueError:
        raise Rejection.not_found() from None


def named_in(posted: Typed) -> tuple[UUID, ...]:
    """Give the applications that the posted form shows besides its own."""
    if any(name == ALONE for name, _ in posted):
        return ()
    return named([text for name, text in posted if name == TOGETHER])


def added_in(posted: Typed) -> tuple[UUID, ...]:
    """Give the applications that the button pressed adds to the form."""
    return named([text for name, text in posted if name == ADDED])


async def open_together(
    person: Person, application_id: UUID, others: Sequence[UUID], step: int = COURSES
) -> list[Application]:
    """Give the step's own application, then the others named that choose their courses too.

    Raises not_found for one that is not of this family; one sent meanwhile is left out.
    """
    if not others:
        return [await open_step(person, application_id, step)]
    own, mine = await asyncio.gather(
        open_step(person, application_id, step), person.ask(ListMyApplications())
    )
    known = {application.id: application for application in mine.applications}
    if not known.keys() >= set(others):
        raise Rejection.not_found()
    return [own, *(each for each in _choosing(own, mine) if each.id in others)]


async def ask_siblings(person: Person, notices: list[str]) -> MyApplications | None:
    """Ask for the family's applications, for the children to offer besides those shown."""
    return await person.ask_if_up(ListMyApplications(), notices, _OTHERS_AWAY)


def siblings(
    family: Family | None, mine: MyApplications | None, shown: Sequence[Application]
) -> list[Sibling]:
    """Give the children who could be added to those shown, where their names are known."""
    if family is None or mine is None:
        return []
    shown_ids = {application.id for application in shown}
    return [
        Sibling(each.id, first_name(family, each.student_id))
        for each in _choosing(shown[0], mine)
        if each.id not in shown_ids
    ]


def first_name(family: Family | None, student_id: UUID) -> str:
    """Call a child by their first name, where it is known."""
    student = find_student(family, student_id)
    return student.details["first_name"] if student else _(_NAME_UNKNOWN)


def _choosing(own: Application, mine: MyApplications) -> list[Application]:
    return [
        application
        for application in map(at_work, mine.applications)
        if application.id != own.id
        and application.campaign.id == own.campaign.id
        and application.state == "draft"
        and application.step_reached >= COURSES
    ]
