"""What comes too late: after the closing (S24), or after another page or guardian had answered."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.enrolment import Application, ShowApplication
from shared.contracts.identity import Family, Guardian, Student

from gateway.forms import Form, plain_lines
from gateway.pages.details import details_of
from gateway.pages.folders import student_path
from gateway.pages.rendered import page
from gateway.pages.wizard.authorisations import AuthorisationsForm
from gateway.pages.wizard.coordinates import Coordinates
from gateway.pages.wizard.entries import ask_kept
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
    CONTACT_DETAILS,
    COURSES,
    AlreadyAnswered,
    Elsewhere,
    ask_family,
    find_student,
    is_left_at_closing,
    left_path,
    present_path,
    student_name,
    typed,
)
from gateway.pages.wizard.typed_texts import readable
from gateway.people import HttpRequest, Person


def came_too_late(request: HttpRequest, refusal: Rejection) -> Response[Any]:
    """Say that the campaign closed, and give back what was typed, to be copied.

    A page that was only opened leads to the draft, where there is one.
    """
    application_id = request.path_params.get("application_id")
    draft_path = left_path(application_id) if isinstance(application_id, UUID) else ""
    if request.method == "GET" and draft_path:
        return Redirect(draft_path, status_code=303)
    closes_at = refusal.facts.get("closes_at")
    context = {
        "closes_at": datetime.fromisoformat(str(closes_at)) if closes_at else None,
        "is_sent": request.method == "POST",
        "typed": readable(typed(request)),
        "draft_path": draft_path,
    }
    return page(request, "wizard/cloture.html", context, status_code=refusal.status)


def answered_meanwhile(request: HttpRequest, answered: AlreadyAnswered) -> Response[Any]:
    """Lead to the receipt; what was sent to a draft that is none any more is given back (S71)."""
    if request.method != "POST":
        return Redirect(answered.path, status_code=303)
    context = {
        "application": answered.application,
        "why": answered.why,
        "typed": readable(typed(request)),
        "now": datetime.now(UTC),
    }
    return page(request, "wizard/entretemps.html", context, status_code=409)


@get("/dossiers/{application_id:uuid}/brouillon")
async def show_draft(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Show a draft left at closing, to read: it was not submitted."""
    notices: list[str] = []
    application, family, people, answers, remarks = await asyncio.gather(
        person.ask(ShowApplication(application_id=application_id)),
        ask_family(person, notices),
        ask_kept(person, application_id, CONTACT_DETAILS),
        ask_kept(person, application_id, AUTHORISATIONS),
        ask_kept(person, application_id, COURSES),
    )
    if not is_left_at_closing(application):
        raise Elsewhere(present_path(application))
    not_asked = application.campaign.fields_not_asked
    recorded = _recorded(application, family)
    student = find_student(family, application.student_id)
    context = {
        "application": application,
        "student_id": application.student_id,
        "student_name": student_name(family, application.student_id),
        "guardians": [
            details_of(guardian, not_asked) for guardian in (family.guardians if family else ())
        ],
        "student": details_of(student, not_asked) if student else [],
        "unsent": readable(
            pair
            for kept in (people, answers, remarks)
            if kept
            for pair in kept.entries
            if (pair[0], plain_lines(pair[1]).strip()) not in recorded
        ),
        "documents_path": student_path(application.student_id),
        "now": datetime.now(UTC),
    }
    return page(request, "wizard/brouillon.html", context, notices=notices)


def _recorded(application: Application, family: Family | None) -> set[tuple[str, str]]:
    """Give what the steps' forms would send of an application as it is recorded."""
    people: tuple[Guardian | Student, ...] = ()
    if family is not None:
        people = (*family.guardians, *family.students)
    pairs = {pair for each in people for pair in Coordinates.recorded(each).entries}
    if application.authorisations:
        answers = Form.of(AuthorisationsForm(**application.authorisations.model_dump()))
        pairs |= {(name, answers.text(name)) for name in answers.typed}
    return pairs | {("remarks", plain_lines(application.remarks))}


ROUTES = [show_draft]
