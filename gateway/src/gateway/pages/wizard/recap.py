"""Step 5: everything read once more, accepted, and validated (S70, S71)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    ShowApplication,
    SubmitApplication,
)
from shared.contracts.identity import MyFamily

from gateway import texts
from gateway.forms import WHOLE_FORM, Form, YesNo
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.details import details_of
from gateway.pages.pieces import missing_if_known, pieces_if_known
from gateway.pages.wizard import courses
from gateway.pages.wizard.children import TOGETHER, named, open_together
from gateway.pages.wizard.choices import RemarksForm
from gateway.pages.wizard.entries import Keeping, ask_kept, keep, resumed_remarks
from gateway.pages.wizard.entries import keeping as new_keeping
from gateway.pages.wizard.frame import (
    COURSES,
    DONE,
    RECAP,
    AlreadyAnswered,
    ask_family,
    find_student,
    goes_back,
    is_beyond_the_page,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.holds import KeptLonger, prolong_one, prolonged_in
from gateway.pages.wizard.outcome import OBTAINED, outcome_texts
from gateway.pages.wizard.patience import once_known
from gateway.pages.wizard.whereabouts import foresee_missing, foresee_pieces, of_application
from gateway.people import HttpRequest, Person
from gateway.refusals import detail_of

_TEXT_CHANGED: Final = marked("Le texte à accepter a changé : relisez-le, puis validez de nouveau.")


class AcceptanceForm(BaseModel):
    """The box "J'accepte", the version of the text that the page showed, and the receipt number of
    the request that it changes, if it does (S74).
    """

    accepted: YesNo = Field(default=False, validate_default=True, title=marked("votre accord"))
    text_version: str = Field("", title=marked("la version du texte"))
    replaces: str = Field("", title=marked("la demande modifiée"))

    @field_validator("accepted")
    @classmethod
    def _is_ticked(cls, accepted: bool) -> bool:
        if not accepted:
            raise ValueError(marked("Cochez « J'accepte » pour valider votre demande"))
        return accepted


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page of the recap shows besides what is recorded."""

    acceptance: Form[AcceptanceForm]
    remarks: Form[RemarksForm]
    kept_longer: KeptLonger | None = None
    keeping: Keeping | None = None
    obtained: tuple[str, ...] = ()


@get("/dossiers/{application_id:uuid}/recapitulatif")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    together: Annotated[list[str] | None, QueryParameter(name=TOGETHER)] = None,
    obtained: Annotated[list[str] | None, QueryParameter(name=OBTAINED)] = None,
) -> Template:
    """Show everything, with a way back to each step, and what step 4 has just done."""
    known = of_application(application_id)
    person.foresee(MyFamily())
    foresee_pieces(person, known)
    foresee_missing(person, known)
    applications, kept = await asyncio.gather(
        open_together(person, application_id, named(together or ()), RECAP),
        ask_kept(person, application_id, COURSES),
    )
    remarks, keeping = resumed_remarks(applications[0], kept, RECAP)
    shown = _Shown(Form(AcceptanceForm), remarks, keeping=keeping, obtained=tuple(obtained or ()))
    return await _ask(request, person, applications, shown)


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
        kept_longer = await prolong_one(person, hold_id)
        shown = _Shown(replace(acceptance, errors={}), remarks, kept_longer)
        return await _ask(request, person, [application], shown)
    if acceptance.value and not texts.is_present(acceptance.value.text_version, texts.ACCEPTANCE):
        acceptance = acceptance.refuse("accepted", _(_TEXT_CHANGED))
    if acceptance.value is None or remarks.value is None:
        application = await open_step(person, application_id, RECAP)
        await keep(person, application_id, COURSES, posted)
        return await _ask(request, person, [application], _Shown(acceptance, remarks))
    command = SubmitApplication(
        application_id=application_id,
        received_at=received_at,
        accepted_text_version=acceptance.value.text_version,
        remarks=remarks.value.remarks,
        replaces_receipt_number=acceptance.value.replaces or None,
    )
    try:
        # enrolment may not have heard yet of a seat held an instant ago
        filed = await once_known(person, command, "hold_not_known_yet")
    except Rejection as rejection:
        return await _refuse(request, person, application_id, acceptance, remarks, rejection)
    if filed.remarks != command.remarks:
        # another page was first: what was typed here is given back rather than dropped
        raise AlreadyAnswered(filed)
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
    if rejection.code == "amendment_abandoned":
        standing = await person.ask(ShowApplication(application_id=application_id))
        raise AlreadyAnswered(standing, detail_of(rejection))
    if rejection.code not in {"seat_not_held", "hold_not_known_yet", "nothing_asked"}:
        raise rejection
    application = await open_step(person, application_id, RECAP)
    if rejection.code == "seat_not_held":
        await keep(person, application_id, COURSES, typed(request))
        lines = await courses.recorded(person, application)
        return await courses.choose_again(request, person, [application], lines, remarks, rejection)
    refused = acceptance.refuse(WHOLE_FORM, detail_of(rejection))
    return await _ask(request, person, [application], _Shown(refused, remarks))


async def _go_back(
    request: HttpRequest, person: Person, application_id: UUID, remarks: Form[RemarksForm]
) -> Template | Redirect:
    """Go back to the courses once the free text is kept as it was just typed (S21)."""
    application = await open_step(person, application_id, RECAP)
    if remarks.value and remarks.value.remarks != application.remarks:
        remarks = await _keep(person, application, remarks, remarks.value.remarks)
    if remarks.value is None:
        shown = _Shown(Form(AcceptanceForm), remarks)
        return await _ask(request, person, [application], shown)
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
        if is_beyond_the_page(rejection):
            raise
        return remarks.refuse(WHOLE_FORM, detail_of(rejection))
    return remarks


async def _ask(
    request: HttpRequest, person: Person, applications: Sequence[Application], shown: _Shown
) -> Template:
    notices = [shown.kept_longer.text] if shown.kept_longer else []
    application = applications[0]
    campaign, student_id = application.campaign, application.student_id
    family, pieces, missing = await asyncio.gather(
        ask_family(person, notices),
        pieces_if_known(person, campaign, student_id, notices),
        missing_if_known(person, campaign, student_id, notices),
    )
    now, student = datetime.now(UTC), find_student(family, student_id)
    context = {
        "guardians": [
            details_of(guardian, campaign.fields_not_asked)
            for guardian in (family.guardians if family else ())
        ],
        "student": details_of(student, campaign.fields_not_asked) if student else [],
        "pieces": pieces,
        "missing": missing,
        "re_enrols": any(choice.re_enrol for choice in application.choices),
        "holds": _holds(application, shown.kept_longer, now),
        "ended": [each for each in application.choices if _has_ended(each, now)],
        "acceptance": shown.acceptance,
        "acceptance_text": texts.acceptance_text(),
        "remarks": shown.remarks,
        "keeping": shown.keeping or new_keeping(application.id, RECAP),
        "now": now,
    }
    return step_page(
        request,
        application,
        RECAP,
        context,
        family=family,
        forms=[shown.remarks, shown.acceptance],
        notices=[*outcome_texts(applications, family, shown.obtained), *notices],
    )


def _holds(application: Application, kept_longer: KeptLonger | None, now: datetime) -> list[Hold]:
    """Give the seats still held, as courses would; the one just prolonged, as it is now."""
    renewed = kept_longer.hold if kept_longer else None
    return [
        renewed
        if renewed and renewed.id == choice.hold_id
        else Hold(
            id=choice.hold_id,
            student_id=application.student_id,
            follow_id=choice.follow_id,
            course_id=choice.course_id,
            label=choice.label,
            state="held",
            expires_at=choice.held_until,
        )
        for choice in application.choices
        if choice.hold_id and choice.course_id and choice.held_until and choice.held_until > now
    ]


def _has_ended(choice: CourseChoice, now: datetime) -> bool:
    return choice.seat_lost or (choice.held_until is not None and choice.held_until <= now)


ROUTES = [show, validate]
