"""Step 4: what becomes of each course, and the seats held meanwhile (S60 to S68)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.courses import CourseRow, CourseRows, Hold, HoldSeats, ReleaseSeat
from shared.contracts.enrolment import Application, RecordCourseChoices

from gateway.forms import WHOLE_FORM, Form
from gateway.pages.wizard.choices import (
    Line,
    RemarksForm,
    are_whole,
    decisions,
    holds_to_give_back,
    newly_named,
    read_lines,
    recorded_lines,
    refused,
    seat_requests,
)
from gateway.pages.wizard.frame import (
    COURSES,
    DOCUMENTS,
    RECAP,
    ask_family,
    goes_back,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.people import HttpRequest, Person


@get("/dossiers/{application_id:uuid}/cours")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Show a row a course, with the slots of next year and their seats left."""
    application = await open_step(person, application_id, COURSES)
    rows = await _rows(person, application)
    lines = recorded_lines(rows, application.choices)
    return await _ask(request, person, application, lines, remarks_form(application.remarks))


@post("/dossiers/{application_id:uuid}/cours")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Hold the seats chosen, all or none, then keep what is decided of each course.

    Going back does the same: nobody leaves the page while something of it is not kept (S21).
    """
    application = await open_step(person, application_id, COURSES)
    posted = typed(request)
    lines = read_lines(await _rows(person, application), posted)
    remarks = Form.read(RemarksForm, posted)
    if not are_whole(lines) or remarks.value is None:
        return await _ask(request, person, application, lines, remarks)
    try:
        await _hold_and_record(person, application, lines, remarks.value.remarks)
    except Rejection as rejection:
        if rejection.status == 404:
            raise
        return await choose_again(request, person, application, lines, remarks, rejection)
    following = DOCUMENTS if goes_back(posted) else RECAP
    return Redirect(step_path(application_id, following), status_code=303)


def remarks_form(remarks: str) -> Form[RemarksForm]:
    """Give the free text as it was typed or recorded."""
    return Form.of(RemarksForm(remarks=remarks))


async def recorded(person: Person, application: Application) -> list[Line]:
    """Show the rows as they were last recorded."""
    return recorded_lines(await _rows(person, application), application.choices)


async def choose_again(
    request: HttpRequest,
    person: Person,
    application: Application,
    lines: Sequence[Line],
    remarks: Form[RemarksForm],
    rejection: Rejection,
) -> Template:
    """Show the step with why a seat is not theirs, fresh seats left, and everything typed."""
    marked = refused(lines, rejection)
    if marked is None:
        remarks = remarks.refuse(WHOLE_FORM, rejection.detail)
    fresh = {row.follow_id: row for row in await _rows(person, application)}
    shown = [Line(fresh.get(line.row.follow_id, line.row), line.form) for line in marked or lines]
    return await _ask(request, person, application, shown, remarks)


async def _hold_and_record(
    person: Person, application: Application, lines: Sequence[Line], remarks: str
) -> None:
    """Let go of a seat only with what replaces it held, or recorded as wished no longer (S74)."""
    requests = seat_requests(lines, application.student_id)
    given_back = holds_to_give_back(lines)
    holds: tuple[Hold, ...] = ()
    if requests:
        holds = await _hold(
            person,
            HoldSeats(campaign_id=application.campaign.id, requests=requests, give_back=given_back),
        )
    await person.ask(
        RecordCourseChoices(
            application_id=application.id, choices=decisions(lines, holds), remarks=remarks
        )
    )
    if not requests:
        for hold_id in given_back:
            await person.ask(ReleaseSeat(hold_id=hold_id))


async def _hold(person: Person, wish: HoldSeats) -> tuple[Hold, ...]:
    try:
        return await person.ask(wish)
    except Rejection as rejection:
        if rejection.code != "hold_ended":
            raise
    return await person.ask(wish.model_copy(update={"requests": newly_named(wish.requests)}))


async def _rows(person: Person, application: Application) -> tuple[CourseRow, ...]:
    """Ask for the rows; there is nothing to choose before the campaign opens (S23)."""
    if datetime.now(UTC) < application.campaign.opens_at:
        return ()
    return await person.ask(
        CourseRows(campaign_id=application.campaign.id, student_id=application.student_id)
    )


async def _ask(
    request: HttpRequest,
    person: Person,
    application: Application,
    lines: Sequence[Line],
    remarks: Form[RemarksForm],
) -> Template:
    notices: list[str] = []
    now = datetime.now(UTC)
    context = {
        "lines": lines,
        "remarks": remarks,
        "is_open": now >= application.campaign.opens_at,
        "now": now,
    }
    return step_page(
        request,
        application,
        COURSES,
        context,
        family=await ask_family(person, notices),
        forms=[*(line.form for line in lines), remarks],
        notices=notices,
    )


ROUTES = [show, record]
