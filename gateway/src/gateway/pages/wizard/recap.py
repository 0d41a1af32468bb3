"""Step 5: everything read once more, accepted, and validated (S70, S71)."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field, field_validator
from shared.contract import Rejection
from shared.contracts.courses import Hold
from shared.contracts.enrolment import (
    Application,
    CourseChoice,
    RecordCourseChoices,
    SubmitApplication,
)
from shared.contracts.identity import Family

from gateway import texts
from gateway.forms import WHOLE_FORM, Form, YesNo
from gateway.pages.pieces import missing_if_known, pieces_if_known
from gateway.pages.wizard import courses
from gateway.pages.wizard.children import TOGETHER, named, open_together
from gateway.pages.wizard.choices import RemarksForm
from gateway.pages.wizard.frame import (
    COURSES,
    DONE,
    RECAP,
    ask_family,
    find_student,
    goes_back,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.holds import prolong_one, prolonged_in, renew
from gateway.pages.wizard.outcome import OBTAINED, outcome_texts
from gateway.pages.wizard.people_forms import GuardianForm, StudentForm, labelled
from gateway.people import HttpRequest, Person

_SEATS_AWAY: Final = (
    "Les places sont momentanément indisponibles : le temps restant de vos places retenues n'est "
    "pas affiché. Vous pouvez valider votre demande."
)
_TEXT_CHANGED: Final = "Le texte à accepter a changé : relisez-le, puis validez de nouveau."
_PATIENCE_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.2


class AcceptanceForm(BaseModel):
    """The box "J'accepte", and the version of the text that the page showed."""

    accepted: YesNo = Field(default=False, validate_default=True, title="votre accord")
    text_version: str = Field("", title="la version du texte")

    @field_validator("accepted")
    @classmethod
    def _is_ticked(cls, accepted: bool) -> bool:
        if not accepted:
            raise ValueError("Cochez « J'accepte » pour valider votre demande")
        return accepted


@get("/dossiers/{application_id:uuid}/recapitulatif")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    together: Annotated[list[str] | None, QueryParameter(name=TOGETHER)] = None,
    obtained: Annotated[list[str] | None, QueryParameter(name=OBTAINED)] = None,
) -> Template:
    """Show everything, with a way back to each step, and what step 4 has just done."""
    applications = await open_together(person, application_id, named(together or ()), RECAP)
    remarks = courses.remarks_form(applications[0].remarks)
    acceptance = Form(AcceptanceForm)
    return await _ask(request, person, applications, acceptance, remarks, obtained=obtained or ())


@post("/dossiers/{application_id:uuid}/recapitulatif")
async def validate(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """File the request; what counts is the instant it came in (S24)."""
    received_at = datetime.now(UTC)
    posted = typed(request)
    remarks = Form.read(RemarksForm, posted)
    acceptance = Form.read(AcceptanceForm, posted)
    if goes_back(posted):
        return await _go_back(request, person, application_id, remarks)
    if hold_id := prolonged_in(posted):
        application = await open_step(person, application_id, RECAP)
        told = [await prolong_one(person, hold_id)]
        as_typed = replace(acceptance, errors={})
        return await _ask(request, person, [application], as_typed, remarks, told)
    if acceptance.value and acceptance.value.text_version != texts.ACCEPTANCE.version:
        acceptance = acceptance.refuse("accepted", _TEXT_CHANGED)
    if acceptance.value is None or remarks.value is None:
        application = await open_step(person, application_id, RECAP)
        return await _ask(request, person, [application], acceptance, remarks)
    command = SubmitApplication(
        application_id=application_id,
        received_at=received_at,
        accepted_text_version=acceptance.value.text_version,
        remarks=remarks.value.remarks,
    )
    try:
        await _submit(person, command)
    except Rejection as rejection:
        return await _refuse(request, person, application_id, acceptance, remarks, rejection)
    return Redirect(step_path(application_id, DONE), status_code=303)


async def _refuse(
    request: HttpRequest,
    person: Person,
    application_id: UUID,
    acceptance: Form[AcceptanceForm],
    remarks: Form[RemarksForm],
    rejection: Rejection,
) -> Template:
    """Say what to mend, here or at the courses; what cannot be mended is raised again."""
    if rejection.code not in {"seat_not_held", "hold_not_known_yet", "nothing_asked"}:
        raise rejection
    application = await open_step(person, application_id, RECAP)
    if rejection.code == "seat_not_held":
        lines = await courses.recorded(person, application)
        return await courses.choose_again(request, person, [application], lines, remarks, rejection)
    refused = acceptance.refuse(WHOLE_FORM, rejection.detail)
    return await _ask(request, person, [application], refused, remarks)


async def _go_back(
    request: HttpRequest, person: Person, application_id: UUID, remarks: Form[RemarksForm]
) -> Template | Redirect:
    """Go back to the courses once the free text is kept as it was just typed (S21)."""
    application = await open_step(person, application_id, RECAP)
    if remarks.value and remarks.value.remarks != application.remarks:
        remarks = await _keep(person, application, remarks, remarks.value.remarks)
    if remarks.value is None:
        return await _ask(request, person, [application], Form(AcceptanceForm), remarks)
    return Redirect(step_path(application_id, COURSES), status_code=303)


async def _keep(
    person: Person, application: Application, remarks: Form[RemarksForm], text: str
) -> Form[RemarksForm]:
    """Record the free text; give its form back, with why where enrolment refuses it."""
    try:
        await person.ask(
            RecordCourseChoices(
                application_id=application.id, choices=application.choices, remarks=text
            )
        )
    except Rejection as rejection:
        if rejection.status == 404:
            raise
        return remarks.refuse(WHOLE_FORM, rejection.detail)
    return remarks


async def _submit(person: Person, command: SubmitApplication) -> None:
    """File it; enrolment may not have heard yet of a seat held an instant ago."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            await person.ask(command)
        except Rejection as rejection:
            if rejection.code != "hold_not_known_yet" or time.monotonic() >= give_up_at:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def _ask(
    request: HttpRequest,
    person: Person,
    applications: Sequence[Application],
    acceptance: Form[AcceptanceForm],
    remarks: Form[RemarksForm],
    told: Sequence[str] = (),
    obtained: Sequence[str] = (),
) -> Template:
    notices = [*told]
    application = applications[0]
    campaign, student_id = application.campaign, application.student_id
    hold_ids = [choice.hold_id for choice in application.choices if choice.hold_id]
    family, pieces, missing, holds = await asyncio.gather(
        ask_family(person, notices),
        pieces_if_known(person, campaign, student_id, notices),
        missing_if_known(person, campaign, student_id, notices),
        renew(person, hold_ids, notices, _SEATS_AWAY),
    )
    context = {
        "guardian_rows": _guardian_rows(family),
        "student_rows": _student_rows(family, student_id),
        "pieces": pieces,
        "missing": missing,
        "re_enrols": any(choice.re_enrol for choice in application.choices),
        "holds": holds or (),
        "ended": [] if holds is None else _ended(application, holds),
        "acceptance": acceptance,
        "acceptance_text": texts.ACCEPTANCE,
        "remarks": remarks,
        "now": datetime.now(UTC),
    }
    return step_page(
        request,
        application,
        RECAP,
        context,
        family=family,
        forms=[remarks, acceptance],
        notices=[*outcome_texts(applications, family, obtained), *notices],
    )


def _ended(application: Application, holds: Sequence[Hold]) -> list[CourseChoice]:
    """Give the choices whose seat is held no more."""
    live = {hold.id for hold in holds}
    return [each for each in application.choices if each.hold_id and each.hold_id not in live]


def _guardian_rows(family: Family | None) -> list[list[tuple[str, str]]]:
    guardians = family.guardians if family else ()
    return [labelled(GuardianForm, guardian.details) for guardian in guardians]


def _student_rows(family: Family | None, student_id: UUID) -> list[tuple[str, str]]:
    student = find_student(family, student_id)
    return labelled(StudentForm, student.details) if student else []


ROUTES = [show, validate]
