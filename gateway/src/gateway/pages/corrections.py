"""A family corrects its coordinates all year, inside a campaign or not (S14, S16)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.enrolment import MyApplications
from shared.contracts.identity import Family, Guardian, MyFamily, Student

from gateway.formats import whose
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.intents import ask_applications
from gateway.pages.rendered import page
from gateway.pages.wizard.coordinates import Coordinates
from gateway.pages.wizard.frame import full_name, typed
from gateway.pages.wizard.lenders import BORROW, BORROWED, borrowed, lenders
from gateway.pages.wizard.people_forms import civilities
from gateway.people import HttpRequest, Person

SAVED: Final = "enregistre"
"""What tells a page, in its address, that a correction was just recorded."""

_SAVED: Final = marked("Vos modifications sont enregistrées.")


@get("/eleves/{student_id:uuid}/identite/modifier")
async def show_student(
    request: HttpRequest, person: NamedDependency[Person], student_id: FromPath[UUID]
) -> Template:
    """Show what is recorded of a student, to be corrected."""
    family, not_asked = await _open(person)
    shown = Coordinates.recorded(_one(family.students, student_id), not_asked)
    return _ask_student(request, shown, family)


@post("/eleves/{student_id:uuid}/identite/modifier")
async def correct_student(
    request: HttpRequest, person: NamedDependency[Person], student_id: FromPath[UUID]
) -> Template | Redirect:
    """Keep what is corrected of a student."""
    posted = typed(request)
    family, not_asked = await _open(person)
    shown = Coordinates.posted(_one(family.students, student_id), posted, not_asked)
    if any(name == BORROW for name, _text in posted):
        lent = borrowed(shown, family, (), posted).as_typed()
        return _ask_student(request, lent, family, [_(BORROWED)])
    sent = await shown.send(person)
    if sent.form.problems:
        return _ask_student(request, sent, family)
    return Redirect(f"/eleves/{student_id}/identite?{SAVED}=oui", status_code=303)


@get("/famille/responsables/{guardian_id:uuid}")
async def show_guardian(
    request: HttpRequest, person: NamedDependency[Person], guardian_id: FromPath[UUID]
) -> Template:
    """Show what is recorded of a guardian, to be corrected."""
    family, not_asked = await _open(person)
    shown = Coordinates.recorded(_one(family.guardians, guardian_id), not_asked)
    return _ask_guardian(request, person, shown)


@post("/famille/responsables/{guardian_id:uuid}")
async def correct_guardian(
    request: HttpRequest, person: NamedDependency[Person], guardian_id: FromPath[UUID]
) -> Template | Redirect:
    """Keep what is corrected of a guardian."""
    family, not_asked = await _open(person)
    guardian = _one(family.guardians, guardian_id)
    sent = await Coordinates.posted(guardian, typed(request), not_asked).send(person)
    if sent.form.problems:
        return _ask_guardian(request, person, sent)
    return Redirect(f"/famille?{SAVED}=oui", status_code=303)


def saved_text(saved: str) -> str:
    """Say that a correction was recorded, where the page's address tells so."""
    return _(_SAVED) if saved else ""


def not_asked_by(mine: MyApplications | None) -> tuple[str, ...]:
    """Name the details that the present campaign has no need for (S32)."""
    campaign = mine.campaign if mine else None
    return campaign.fields_not_asked if campaign else ()


async def _open(person: Person) -> tuple[Family, tuple[str, ...]]:
    """Give the family, and the fields to leave out; all are shown while enrolment is away."""
    unsaid: list[str] = []
    family, mine = await asyncio.gather(person.ask(MyFamily()), ask_applications(person, unsaid))
    return family, not_asked_by(mine)


def _one[Member: (Guardian, Student)](people: Collection[Member], person_id: UUID) -> Member:
    """Find someone in the family; a stranger does not exist (S97)."""
    for each in people:
        if each.id == person_id:
            return each
    raise Rejection.not_found()


def _ask_student(
    request: HttpRequest, shown: Coordinates, family: Family, notices: Sequence[str] = ()
) -> Template:
    context = {
        "title": _("Modifier l'identité %(whose)s", whose=whose(full_name(shown.person.details))),
        "lenders": lenders(shown, family),
        "is_own": False,
        "back_href": f"/eleves/{shown.person.id}/identite",
    }
    return _ask(request, shown, context, notices)


def _ask_guardian(request: HttpRequest, person: Person, shown: Coordinates) -> Template:
    guardian = shown.person
    context = {
        "title": _("Modifier les coordonnées %(whose)s", whose=whose(full_name(guardian.details))),
        "lenders": (),
        "is_own": isinstance(guardian, Guardian)
        and guardian.account_id == person.caller.account_id,
        "back_href": "/famille",
    }
    return _ask(request, shown, context)


def _ask(
    request: HttpRequest,
    shown: Coordinates,
    context: Mapping[str, object],
    notices: Sequence[str] = (),
) -> Template:
    return page(
        request,
        "portal/correction.html",
        {**context, "person": shown, "civilities": civilities()},
        forms=[shown.form],
        notices=notices,
    )


ROUTES = [show_student, correct_student, show_guardian, correct_guardian]
