"""Changing a request that was submitted: it stands until what changes it is submitted (S74)."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from pydantic import AwareDatetime, BaseModel
from shared.contract import Rejection
from shared.contracts.courses import ReleaseSeat
from shared.contracts.enrolment import AbandonAmendment, AmendApplication, ShowApplication

from gateway.forms import Form
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import (
    DONE,
    Elsewhere,
    ask_family,
    at_work,
    present_path,
    step_path,
    student_name,
    typed,
)
from gateway.pages.wizard.patience import once_known
from gateway.people import HttpRequest, Person

_ON_THEIR_WAY: Final = "claims_not_known_yet"


class Confirmed(BaseModel):
    """Which change the page spoke of: since when it is made."""

    started_at: AwareDatetime | None = None


@post("/dossiers/{application_id:uuid}/modifier")
async def amend(person: NamedDependency[Person], application_id: FromPath[UUID]) -> Redirect:
    """Begin to change a request, or go on; its steps are those of a draft."""
    received_at = datetime.now(UTC)
    question = AmendApplication(application_id=application_id, received_at=received_at)
    application = await once_known(person, question, _ON_THEIR_WAY)
    return Redirect(present_path(application), status_code=303)


@get("/dossiers/{application_id:uuid}/abandonner-modification")
async def confirm_abandon(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Ask to confirm: what was changed in the request is forgotten, for every guardian."""
    notices: list[str] = []
    application, family = await asyncio.gather(
        person.ask(ShowApplication(application_id=application_id)), ask_family(person, notices)
    )
    if application.amendment is None:
        raise Elsewhere(present_path(application))
    context = {
        "application": application,
        "student_id": application.student_id,
        "student_name": student_name(family, application.student_id),
        "go_on": present_path(application),
    }
    return page(request, "wizard/abandonner-modification.html", context, notices=notices)


@post("/dossiers/{application_id:uuid}/abandonner-modification")
async def abandon(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Redirect:
    """Leave the request as it was submitted; the seats held for the change are given back."""
    before = await person.ask(ShowApplication(application_id=application_id))
    confirmed = Form.read(Confirmed, typed(request)).value or Confirmed()
    after = await person.ask(
        AbandonAmendment(application_id=application_id, started_at=confirmed.started_at)
    )
    # another page may have submitted the change meanwhile: its seats are the request's own
    kept = {choice.hold_id for choice in (*after.choices, *at_work(after).choices)}
    for choice in before.amendment.choices if before.amendment else ():
        if choice.hold_id and choice.held_until and choice.hold_id not in kept:
            await _give_back(person, choice.hold_id)
    path = step_path(application_id, DONE) if after.amendment is None else present_path(after)
    return Redirect(path, status_code=303)


async def _give_back(person: Person, hold_id: UUID) -> None:
    """Give a seat back; where courses is away or refuses, it is let be: it ends by itself."""
    unsaid: list[str] = []
    with suppress(Rejection):
        await person.ask_if_up(ReleaseSeat(hold_id=hold_id), unsaid, "")


ROUTES = [amend, confirm_abandon, abandon]
