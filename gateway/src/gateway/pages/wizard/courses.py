"""Step 4: what becomes of each course, and the seats held meanwhile (S60 to S68).

Its one form has several buttons. The two of every step record what is decided; the others join a
waiting list, keep a seat longer or show another child, and give the page back as it was typed.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.courses import CourseRow, CourseRows
from shared.contracts.enrolment import Application
from shared.contracts.identity import MyFamily

from gateway.forms import WHOLE_FORM, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.children import (
    ADDED,
    ALONE,
    TOGETHER,
    Child,
    added_in,
    ask_siblings,
    first_name,
    named,
    named_in,
    open_together,
    siblings,
)
from gateway.pages.wizard.choices import (
    Line,
    RemarksForm,
    are_whole,
    read_lines,
    recorded_lines,
    refused,
    typed_lines,
)
from gateway.pages.wizard.entries import Keeping, ask_kept, keep, resumed_remarks
from gateway.pages.wizard.entries import keeping as new_keeping
from gateway.pages.wizard.frame import (
    COURSES,
    DOCUMENTS,
    ask_family,
    goes_back,
    is_beyond_the_page,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.holding import SEATS_AT_ONCE, hold_and_record, seat_requests
from gateway.pages.wizard.holds import PROLONG, prolong_one, prolonged_in
from gateway.pages.wizard.joining import JOIN, find_row, join, joined_in, place_text
from gateway.pages.wizard.opening import opening_page
from gateway.pages.wizard.outcome import recap_path
from gateway.pages.wizard.whereabouts import foresee_rows, foresee_siblings, of_application
from gateway.people import HttpRequest, Person
from gateway.refusals import detail_of

_STAYING: Final = {ADDED, ALONE, JOIN, PROLONG}
"""The names of the buttons that record nothing of the page, and show it again."""
_NOTHING_HELD: Final = marked(
    "Toutes les places ou aucune : rien n'a été retenu ni changé, pour aucun élève. Corrigez ce qui"
    " est signalé, puis continuez."
)
_TOO_MANY: Final = marked("%(most)s créneaux au plus à la fois : choisissez pour moins d'élèves.")

type _Lines = Callable[[Application, Sequence[CourseRow]], Sequence[Line]]
"""How a page shows the rows of an application."""


@get("/dossiers/{application_id:uuid}/cours")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    together: Annotated[list[str] | None, QueryParameter(name=TOGETHER)] = None,
) -> Template:
    """Show a row a course, with the slots of next year and their seats left."""
    known = of_application(application_id)
    person.foresee(MyFamily())
    foresee_rows(person, known)
    foresee_siblings(person, known)
    applications, kept = await asyncio.gather(
        open_together(person, application_id, named(together or ())),
        ask_kept(person, application_id, COURSES),
    )
    remarks, keeping = resumed_remarks(applications[0], kept, COURSES)
    return await _ask(request, person, applications, _recorded, remarks, keeping=keeping)


@post("/dossiers/{application_id:uuid}/cours")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Hold the seats chosen, all or none, then keep what is decided of each course.

    Going back does the same: nobody leaves the page while something of it is not kept (S21).
    """
    posted = typed(request)
    others, added = named_in(posted), added_in(posted)
    applications = await open_together(person, application_id, (*others, *added))
    remarks = Form.read(RemarksForm, posted)
    if any(name in _STAYING for name, _ in posted):
        return await _stay(request, person, applications, remarks, added)
    children = await _children(person, applications, lambda _own, rows: read_lines(rows, posted))
    remarks = _within_reason(children, remarks)
    lines = [line for child in children for line in child.lines]
    if not are_whole(lines) or remarks.value is None:
        await keep(person, application_id, COURSES, posted)
        return await _ask(request, person, applications, _kept(lines), remarks)
    try:
        ranks = await hold_and_record(person, children, remarks.value.remarks)
    except Rejection as rejection:
        if is_beyond_the_page(rejection):
            raise
        await keep(person, application_id, COURSES, posted)
        return await choose_again(request, person, applications, lines, remarks, rejection)
    if goes_back(posted):
        return Redirect(step_path(application_id, DOCUMENTS), status_code=303)
    return Redirect(recap_path(applications, ranks), status_code=303)


async def recorded(person: Person, application: Application) -> Sequence[Line]:
    """Show the rows as they were last recorded."""
    (own,) = await _children(person, [application], _recorded)
    return own.lines


async def choose_again(
    request: HttpRequest,
    person: Person,
    applications: Sequence[Application],
    lines: Sequence[Line],
    remarks: Form[RemarksForm],
    rejection: Rejection,
) -> Template:
    """Show the step with why a seat is not theirs, fresh seats left, and everything typed."""
    marked = refused(lines, rejection)
    if marked is None:
        remarks = remarks.refuse(WHOLE_FORM, detail_of(rejection))
    notices = [_(_NOTHING_HELD)] if marked and len(applications) > 1 else []
    return await _ask(request, person, applications, _kept(marked or lines), remarks, notices)


async def _stay(
    request: HttpRequest,
    person: Person,
    applications: Sequence[Application],
    remarks: Form[RemarksForm],
    added: Sequence[UUID],
) -> Template:
    """Do what a button of the page asks, and show the page again with everything typed."""
    posted = typed(request)

    def as_typed(application: Application, rows: Sequence[CourseRow]) -> Sequence[Line]:
        if application.id in added:
            return _recorded(application, rows)
        return typed_lines(rows, posted)

    if joined := joined_in(posted):
        follow_id, course_id = joined
        children = await _children(person, applications, as_typed)
        child, line = find_row(children, follow_id)
        place, told = await join(person, child, line, course_id)
        lines = [told if each is line else each for one in children for each in one.lines]
        notices = [place_text(place)] if place else []
        return await _ask(request, person, applications, _kept(lines), remarks, notices)
    if hold_id := prolonged_in(posted):
        notices = [(await prolong_one(person, hold_id)).text]
        return await _ask(request, person, applications, as_typed, remarks, notices)
    return await _ask(request, person, applications, as_typed, remarks)


async def _children(
    person: Person, applications: Sequence[Application], lines: _Lines
) -> list[Child]:
    """Ask for the rows of every child at once."""
    rows = await asyncio.gather(*(_rows(person, application) for application in applications))
    return [
        Child(application, tuple(lines(application, each)))
        for application, each in zip(applications, rows, strict=True)
    ]


async def _rows(person: Person, application: Application) -> tuple[CourseRow, ...]:
    """Ask for the rows; there is nothing to choose before the campaign opens (S23)."""
    if datetime.now(UTC) < application.campaign.opens_at:
        return ()
    return await person.ask(
        CourseRows(campaign_id=application.campaign.id, student_id=application.student_id)
    )


def _recorded(application: Application, rows: Sequence[CourseRow]) -> Sequence[Line]:
    is_amended = application.amendment is not None
    return recorded_lines(rows, application.choices, is_amended=is_amended)


def _kept(lines: Sequence[Line]) -> _Lines:
    """Show fresh rows with the answers given."""
    forms = {line.row.follow_id: line.form for line in lines}

    def kept(application: Application, rows: Sequence[CourseRow]) -> Sequence[Line]:
        return [
            Line(line.row, forms.get(line.row.follow_id, line.form))
            for line in _recorded(application, rows)
        ]

    return kept


def _within_reason(children: Sequence[Child], remarks: Form[RemarksForm]) -> Form[RemarksForm]:
    wished = sum(len(seat_requests(child)) for child in children)
    return (
        remarks.refuse(WHOLE_FORM, _(_TOO_MANY, most=SEATS_AT_ONCE))
        if wished > SEATS_AT_ONCE
        else remarks
    )


async def _ask(
    request: HttpRequest,
    person: Person,
    applications: Sequence[Application],
    lines: _Lines,
    remarks: Form[RemarksForm],
    notices: Sequence[str] = (),
    *,
    keeping: Keeping | None = None,
) -> Template:
    said = [*notices]
    own = applications[0]
    if datetime.now(UTC) < own.campaign.opens_at:
        return opening_page(request, own, await ask_family(person, said), remarks, said)
    children, family, mine = await asyncio.gather(
        _children(person, applications, lines),
        ask_family(person, said),
        ask_siblings(person, said),
    )
    context = {
        "children": [
            (child, first_name(family, child.application.student_id)) for child in children
        ],
        "siblings": siblings(family, mine, applications),
        "remarks": remarks,
        "keeping": keeping or new_keeping(own.id, COURSES),
        "now": datetime.now(UTC),
    }
    return step_page(
        request,
        own,
        COURSES,
        context,
        family=family,
        forms=[*(line.form for child in children for line in child.lines), remarks],
        notices=said,
    )


ROUTES = [show, record]
