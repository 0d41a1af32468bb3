"""The tabs of a student: Identité, Cours, Historique, Réinscription, Mes Documents (S13)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.courses import FollowedCourse, FollowedCourses
from shared.contracts.documents import OpenDocument, PublishedDocuments
from shared.contracts.enrolment import Application, MyApplications
from shared.contracts.identity import Family, MyFamily, Student

from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.corrections import SAVED, not_asked_by, saved_text
from gateway.pages.details import details_of
from gateway.pages.folders import student_path
from gateway.pages.intents import NAME_UNKNOWN, ask_applications, intents
from gateway.pages.pieces import (
    SEARCH,
    missing_if_known,
    pieces_if_known,
    publications_if_known,
    searched,
)
from gateway.pages.places import ask_present_rows
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import ask_family, full_name, present_path
from gateway.pages.wizard.whereabouts import (
    foresee_missing,
    foresee_pieces,
    foresee_rows,
    of_student,
)
from gateway.people import HttpRequest, Person

COURSES_AWAY = marked(
    "Les cours sont momentanément indisponibles : rechargez cette page dans un instant."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The student whose tabs are open; unnamed while identity is away."""

    id: UUID
    name: str
    has_siblings: bool


@get("/eleves")
async def choose_student(
    request: HttpRequest, person: NamedDependency[Person]
) -> Template | Redirect:
    """Choose among several students; an only one is shown at once (S13)."""
    family = await person.ask(MyFamily())
    if len(family.students) == 1:
        return Redirect(f"/eleves/{family.students[0].id}/identite", status_code=303)
    students = [(student.id, full_name(student.details)) for student in family.students]
    return page(request, "portal/students.html", {"students": students})


@get("/eleves/{student_id:uuid}/identite")
async def identity_tab(
    request: HttpRequest,
    student_id: FromPath[UUID],
    person: NamedDependency[Person],
    saved: Annotated[str, QueryParameter(name=SAVED)] = "",
) -> Template:
    """Show what is recorded of the student (S14, S33)."""
    unsaid: list[str] = []  # without the campaign everything recorded is shown
    family, mine = await asyncio.gather(person.ask(MyFamily()), ask_applications(person, unsaid))
    context = {
        "student": _shown(family, student_id),
        "details": details_of(_student(family, student_id), not_asked_by(mine)),
    }
    return page(request, "portal/identity.html", context, success=saved_text(saved))


@get("/eleves/{student_id:uuid}/cours")
async def courses_tab(
    request: HttpRequest, student_id: FromPath[UUID], person: NamedDependency[Person]
) -> Template:
    """Show the courses of the current school year (S15)."""
    return await _courses_page(request, person, student_id, "portal/courses.html", slice(1))


@get("/eleves/{student_id:uuid}/historique")
async def history_tab(
    request: HttpRequest, student_id: FromPath[UUID], person: NamedDependency[Person]
) -> Template:
    """Show the courses of earlier school years (S15)."""
    return await _courses_page(request, person, student_id, "portal/history.html", slice(1, None))


@get("/eleves/{student_id:uuid}/reinscription")
async def reenrolment_tab(
    request: HttpRequest,
    student_id: FromPath[UUID],
    person: NamedDependency[Person],
    obtained: Annotated[UUID | None, QueryParameter(name="obtenue")] = None,
) -> Template:
    """Show the same choices as the home page, for one student, and the seats as they are (S20).

    ``obtained`` names the seat of an offer accepted just before.
    """
    known = of_student(person, student_id)
    foresee_rows(person, known)
    foresee_missing(person, known)
    notices: list[str] = []
    family, mine = await _ask_campaign(person, notices)
    application = _application(mine, student_id)
    students = [_student(family, student_id)] if family else None
    campaign = mine.campaign if mine else None
    is_submitted = application is not None and application.state == "submitted"
    filed = application.choices if application and is_submitted else ()
    rows, missing = await asyncio.gather(
        ask_present_rows(person, campaign, student_id, notices),
        missing_if_known(person, campaign if application else None, student_id, notices),
    )
    context = {
        "student": _shown(family, student_id),
        "intents": intents(students, _only(mine, student_id), datetime.now(UTC)),
        "rows": [row for row in rows.values() if row.hold or row.waiting],
        "is_submitted": is_submitted,
        "filed": {choice.hold_id for choice in filed},
        "missing": missing,
        "now": datetime.now(UTC),
        "obtained": next(
            (row.hold for row in rows.values() if row.hold and row.hold.id == obtained), None
        ),
        "go_on": present_path(application) if application else "",
    }
    return page(request, "portal/reenrolment.html", context, notices=notices)


@get("/eleves/{student_id:uuid}/documents")
async def documents_tab(
    request: HttpRequest,
    student_id: FromPath[UUID],
    person: NamedDependency[Person],
    search: Annotated[str, QueryParameter(name=SEARCH)] = "",
) -> Template:
    """Show the pieces to provide, where they stand, and what the site published (S18, S54)."""
    known = of_student(person, student_id)
    foresee_pieces(person, known)
    foresee_missing(person, known)
    person.foresee(PublishedDocuments(student_id=student_id))
    notices: list[str] = []
    family, mine = await _ask_campaign(person, notices)
    shown = _shown(family, student_id)
    campaign = mine.campaign if mine else None
    pieces, missing, publications = await asyncio.gather(
        pieces_if_known(person, campaign, student_id, notices),
        missing_if_known(person, campaign, student_id, notices),
        publications_if_known(person, student_id, notices),
    )
    context = {
        "student": shown,
        "pieces": pieces and searched(pieces, search),
        "search": search,
        "missing": missing,
        "publications": publications,
        "folder_path": student_path(student_id),
        "no_campaign": mine is not None and campaign is None,
        "now": datetime.now(UTC),
    }
    return page(request, "portal/documents.html", context, notices=notices)


@get("/eleves/{student_id:uuid}/publications/{document_id:uuid}")
async def download_publication(
    student_id: FromPath[UUID],  # noqa: ARG001 - the document knows its student
    document_id: FromPath[UUID],
    person: NamedDependency[Person],
) -> Redirect:
    """Lead to a document that the site published, by a link that lives a moment (S18)."""
    link = await person.ask(OpenDocument(document_id=document_id))
    return Redirect(link.url, status_code=303)


def by_year(followed: Sequence[FollowedCourse]) -> list[tuple[str, list[FollowedCourse]]]:
    """Group courses by school year, in the order given: the latest first, which is the current."""
    return [
        (year, list(courses))
        for year, courses in groupby(followed, key=lambda course: course.school_year)
    ]


async def _courses_page(
    request: HttpRequest, person: Person, student_id: UUID, template: str, years: slice
) -> Template:
    """Show the courses of some of the school years."""
    notices: list[str] = []
    courses_asked = person.ask_if_up(FollowedCourses(student_id=student_id), notices, COURSES_AWAY)
    family, followed = await asyncio.gather(ask_family(person, notices), courses_asked)
    context = {"student": _shown(family, student_id), "years": by_year(followed or ())[years]}
    return page(request, template, context, notices=notices)


async def _ask_campaign(
    person: Person, notices: list[str]
) -> tuple[Family | None, MyApplications | None]:
    return await asyncio.gather(ask_family(person, notices), ask_applications(person, notices))


def _shown(family: Family | None, student_id: UUID) -> Shown:
    """Name the student; one who is not of the family is refused as if it did not exist (S97)."""
    if family is None:
        # whatever else the page shows, its own service checks whose it is
        return Shown(student_id, _(NAME_UNKNOWN), has_siblings=True)
    student = _student(family, student_id)
    return Shown(student_id, full_name(student.details), has_siblings=len(family.students) > 1)


def _student(family: Family, student_id: UUID) -> Student:
    for student in family.students:
        if student.id == student_id:
            return student
    raise Rejection.not_found()


def _application(mine: MyApplications | None, student_id: UUID) -> Application | None:
    applications = mine.applications if mine else ()
    return next((one for one in applications if one.student_id == student_id), None)


def _only(mine: MyApplications | None, student_id: UUID) -> MyApplications | None:
    if mine is None:
        return None
    application = _application(mine, student_id)
    return mine.model_copy(update={"applications": (application,) if application else ()})


ROUTES = [
    choose_student,
    identity_tab,
    courses_tab,
    history_tab,
    reenrolment_tab,
    documents_tab,
    download_publication,
]
