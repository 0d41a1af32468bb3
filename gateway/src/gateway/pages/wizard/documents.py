"""Step 3: the pieces to provide, none of which holds anyone back (S50 to S55)."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from shared.contracts.enrolment import CompleteStep

from gateway.pages.pieces import SEARCH, pieces_if_known, searched
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
    COURSES,
    DOCUMENTS,
    ask_family,
    goes_back,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.pages.wizard.whereabouts import foresee_pieces, of_application
from gateway.people import HttpRequest, Person


@get("/dossiers/{application_id:uuid}/documents")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    search: Annotated[str, QueryParameter(name=SEARCH)] = "",
) -> Template:
    """List what the family and the student give, and what was given."""
    foresee_pieces(person, of_application(application_id))
    notices: list[str] = []
    application, family = await asyncio.gather(
        open_step(person, application_id, DOCUMENTS), ask_family(person, notices)
    )
    pieces = await pieces_if_known(person, application.campaign, application.student_id, notices)
    context = {
        "pieces": pieces and searched(pieces, search),
        "search": search,
        "now": datetime.now(UTC),
    }
    return step_page(request, application, DOCUMENTS, context, family=family, notices=notices)


@post("/dossiers/{application_id:uuid}/documents")
async def go_on(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Redirect:
    """Go on, whatever was given."""
    if goes_back(typed(request)):
        await open_step(person, application_id, DOCUMENTS)
        return Redirect(step_path(application_id, AUTHORISATIONS), status_code=303)
    await person.ask(CompleteStep(application_id=application_id, step=DOCUMENTS))
    return Redirect(step_path(application_id, COURSES), status_code=303)


ROUTES = [show, go_on]
