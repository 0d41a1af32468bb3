"""Step 1: the coordinates of the guardians and of the student (S30 to S33)."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.enrolment import Application, CompleteStep
from shared.contracts.identity import (
    Family,
    Guardian,
    MyFamily,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails

from gateway.forms import Form
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
    CONTACT_DETAILS,
    find_student,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.people_forms import (
    CIVILITIES,
    GuardianForm,
    StudentForm,
    declared,
    entry,
    prefilled,
)
from gateway.people import HttpRequest, Person


@get("/dossiers/{application_id:uuid}/coordonnees")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Show what is recorded, to be corrected."""
    application, family, student = await _open(person, application_id)
    guardian_forms = [_recorded_guardian(guardian) for guardian in family.guardians]
    return _ask(request, application, family, student, guardian_forms, _recorded_student(student))


@post("/dossiers/{application_id:uuid}/coordonnees")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Keep every person's coordinates, or none where one of them needs mending."""
    application, family, student = await _open(person, application_id)
    posted = typed(request)
    guardians = [
        declared(Form.read(GuardianForm, posted, _prefix(guardian)), GuardianDetails)
        for guardian in family.guardians
    ]
    student_form, student_details = declared(
        Form.read(StudentForm, posted, _prefix(student)), StudentDetails
    )
    known = [details for _, details in guardians if details is not None]
    if student_details is None or len(known) < len(guardians):
        guardian_forms = [form for form, _ in guardians]
        return _ask(request, application, family, student, guardian_forms, student_form)
    guardians_told = [
        person.ask(UpdateGuardian(guardian_id=guardian.id, details=details))
        for guardian, details in zip(family.guardians, known, strict=True)
    ]
    student_told = person.ask(UpdateStudent(student_id=student.id, details=student_details))
    await asyncio.gather(*guardians_told, student_told)
    await person.ask(CompleteStep(application_id=application_id, step=CONTACT_DETAILS))
    return Redirect(step_path(application_id, AUTHORISATIONS), status_code=303)


async def _open(person: Person, application_id: UUID) -> tuple[Application, Family, Student]:
    application, family = await asyncio.gather(
        open_step(person, application_id, CONTACT_DETAILS), person.ask(MyFamily())
    )
    student = find_student(family, application.student_id)
    if student is None:
        raise Rejection.not_found()
    return application, family, student


def _ask(
    request: HttpRequest,
    application: Application,
    family: Family,
    student: Student,
    guardian_forms: Sequence[Form[GuardianForm]],
    student_form: Form[StudentForm],
) -> Template:
    guardians = [
        entry(form, guardian, _recorded_guardian(guardian))
        for form, guardian in zip(guardian_forms, family.guardians, strict=True)
    ]
    return step_page(
        request,
        application,
        CONTACT_DETAILS,
        {
            "guardians": guardians,
            "student": entry(student_form, student, _recorded_student(student)),
            "civilities": [(civility, civility) for civility in CIVILITIES],
        },
        family=family,
        forms=[*guardian_forms, student_form],
    )


def _recorded_guardian(guardian: Guardian) -> Form[GuardianForm]:
    return prefilled(GuardianForm, guardian.details, _prefix(guardian))


def _recorded_student(student: Student) -> Form[StudentForm]:
    return prefilled(StudentForm, student.details, _prefix(student))


def _prefix(person: Guardian | Student) -> str:
    """Tell the fields of one person from another's, whatever their order in the page."""
    kind = "responsable" if isinstance(person, Guardian) else "eleve"
    return f"{kind}-{person.id}"


ROUTES = [show, record]
