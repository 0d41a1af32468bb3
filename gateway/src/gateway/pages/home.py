"""The signed-in family's own pages: home, the family, invoices."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Template
from shared.contracts.identity import MyFamily

from gateway.pages.details import details_of
from gateway.pages.folders import FAMILY_PATH
from gateway.pages.intents import NAME_UNKNOWN, ask_applications, intents
from gateway.pages.pieces import SEARCH, pieces_if_known, searched
from gateway.pages.places import ask_waiting_places
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import CONTACT_DETAILS, ask_family, full_name, step_path
from gateway.people import HttpRequest, Person
from gateway.sites import SiteDirectory


@get("/accueil")
async def home(
    request: HttpRequest,
    person: NamedDependency[Person],
    directory: NamedDependency[SiteDirectory],
) -> Template:
    """Show each student, the open campaign, the two choices and who waits (S10, S20, S66)."""
    notices: list[str] = []
    family, mine, places, site = await asyncio.gather(
        ask_family(person, notices),
        ask_applications(person, notices),
        ask_waiting_places(person, notices),
        directory.site(person.caller.site_id),
    )
    shown = intents(family.students if family else None, mine, datetime.now(UTC))
    names = {intent.student_id: intent.name for intent in shown.students}
    context = {
        "intents": shown,
        "places": places,
        "offers": [
            (names.get(place.student_id, NAME_UNKNOWN), place)
            for place in places
            if place.state == "offered"
        ],
        "site": site,
    }
    return page(request, "portal/home.html", context, notices=notices)


@get("/famille")
async def family_page(
    request: HttpRequest,
    person: NamedDependency[Person],
    search: Annotated[str, QueryParameter(name=SEARCH)] = "",
) -> Template:
    """Show the guardians, their contact details and the family's documents (S16)."""
    notices: list[str] = []
    family, mine = await asyncio.gather(person.ask(MyFamily()), ask_applications(person, notices))
    students = [(student.id, full_name(student.details)) for student in family.students]
    campaign, applications = (mine.campaign, mine.applications) if mine else (None, ())
    draft = next((one for one in applications if one.state == "draft"), None)
    pieces = await pieces_if_known(person, campaign, None, notices)
    context = {
        "guardians": [details_of(guardian) for guardian in family.guardians],
        "students": students,
        "pieces": pieces and searched(pieces, search),
        "search": search,
        "folder_path": FAMILY_PATH,
        "no_campaign": mine is not None and campaign is None,
        "change_href": step_path(draft.id, CONTACT_DETAILS) if draft else "",
        "now": datetime.now(UTC),
    }
    return page(request, "portal/family.html", context, notices=notices)


@get("/facturation")
async def invoices(request: HttpRequest, person: NamedDependency[Person]) -> Template:  # noqa: ARG001
    """Say that there is no invoice yet (S17)."""
    return page(request, "portal/invoices.html")


ROUTES = [home, family_page, invoices]
