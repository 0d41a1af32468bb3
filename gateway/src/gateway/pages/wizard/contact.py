"""Step 1: the coordinates of the guardians and of the student (S30 to S33)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.enrolment import Application, CompleteStep, KeptEntries
from shared.contracts.identity import Family, MyFamily

from gateway.language import gettext as _
from gateway.pages.wizard.coordinates import Coordinates
from gateway.pages.wizard.entries import Keeping, ask_kept, keep, keeping
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
    CONTACT_DETAILS,
    Typed,
    find_student,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.lenders import BORROW, BORROWED, borrowed, lenders
from gateway.pages.wizard.people_forms import civilities
from gateway.people import HttpRequest, Person


@dataclass(frozen=True, slots=True)
class Household:
    """The people whose coordinates one application asks for, and what is typed of each."""

    application: Application
    family: Family
    guardians: tuple[Coordinates, ...]
    student: Coordinates

    @property
    def people(self) -> tuple[Coordinates, ...]:
        """Everyone, in the page's order."""
        return (*self.guardians, self.student)

    def with_people(self, people: Sequence[Coordinates]) -> Self:
        """Give the same household with other things typed."""
        *guardians, student = people
        return replace(self, guardians=tuple(guardians), student=student)

    def posted(self, pairs: Typed) -> Self:
        """Read what was typed of everyone."""
        not_asked = self.application.campaign.fields_not_asked
        return self.with_people(
            [Coordinates.posted(each.person, pairs, not_asked) for each in self.people]
        )

    def resumed(self, kept: KeptEntries) -> Self:
        """Show what was typed of everyone and not sent."""
        not_asked = self.application.campaign.fields_not_asked
        return self.with_people(
            [Coordinates.resumed(each.person, kept.entries, not_asked) for each in self.people]
        )

    def has_same_texts(self, other: Self) -> bool:
        """Tell whether both show the same texts."""
        return [each.form.typed for each in self.people] == [
            each.form.typed for each in other.people
        ]


@get("/dossiers/{application_id:uuid}/coordonnees")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Show what is recorded, or typed and not sent, to be corrected."""
    household, kept = await asyncio.gather(
        _open(person, application_id), ask_kept(person, application_id, CONTACT_DETAILS)
    )
    resumed = household.resumed(kept) if kept else household
    is_newer = kept is not None and not resumed.has_same_texts(household)
    typed_at = kept.typed_at if kept and is_newer else None
    shown = resumed if is_newer else household
    return _ask(request, person, shown, keeping(application_id, CONTACT_DETAILS, typed_at))


@post("/dossiers/{application_id:uuid}/coordonnees")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Record everyone's coordinates, once nothing that was typed needs mending.

    Where somebody else changed a person's meanwhile, it is told, and theirs are sent again.
    """
    posted = typed(request)
    household = (await _open(person, application_id)).posted(posted)
    if any(name == BORROW for name, _text in posted):
        student = borrowed(household.student, household.family, household.guardians, posted)
        lent = replace(household, student=student)
        as_typed = lent.with_people([each.as_typed() for each in lent.people])
        return await _ask_again(request, person, as_typed, [_(BORROWED)])
    if not _has_problems(household):
        sent = await asyncio.gather(*(each.send(person) for each in household.people))
        household = household.with_people(sent)
    if _has_problems(household):
        return await _ask_again(request, person, household)
    await person.ask(CompleteStep(application_id=application_id, step=CONTACT_DETAILS))
    return Redirect(step_path(application_id, AUTHORISATIONS), status_code=303)


async def _open(person: Person, application_id: UUID) -> Household:
    application, family = await asyncio.gather(
        open_step(person, application_id, CONTACT_DETAILS), person.ask(MyFamily())
    )
    student = find_student(family, application.student_id)
    if student is None:
        raise Rejection.not_found()
    not_asked = application.campaign.fields_not_asked
    return Household(
        application,
        family,
        tuple(Coordinates.recorded(guardian, not_asked) for guardian in family.guardians),
        Coordinates.recorded(student, not_asked),
    )


def _has_problems(household: Household) -> bool:
    return any(each.form.problems for each in household.people)


async def _ask_again(
    request: HttpRequest, person: Person, household: Household, notices: Sequence[str] = ()
) -> Template:
    """Show the page with everything typed, which is kept in case it is left so."""
    application_id = household.application.id
    entries = [entry for each in household.people for entry in each.entries]
    await keep(person, application_id, CONTACT_DETAILS, entries)
    return _ask(request, person, household, keeping(application_id, CONTACT_DETAILS), notices)


def _ask(
    request: HttpRequest,
    person: Person,
    household: Household,
    kept: Keeping,
    notices: Sequence[str] = (),
) -> Template:
    return step_page(
        request,
        household.application,
        CONTACT_DETAILS,
        {
            "guardians": household.guardians,
            "student": household.student,
            "lenders": lenders(household.student, household.family, household.guardians),
            "civilities": civilities(),
            "reader_id": person.caller.account_id,
            "keeping": kept,
        },
        family=household.family,
        forms=[each.form for each in household.people],
        notices=notices,
    )


ROUTES = [show, record]
