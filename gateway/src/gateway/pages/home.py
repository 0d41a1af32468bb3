"""The signed-in family's own pages: home, the family, invoices, help with the password."""

import asyncio
from datetime import UTC, datetime

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Template
from shared.contracts.identity import MyFamily

from gateway.pages.details import details_of
from gateway.pages.intents import NAME_UNKNOWN, ask_applications, intents
from gateway.pages.pieces import pieces_if_known
from gateway.pages.places import ask_waiting_places
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import CONTACT_DETAILS, DOCUMENTS, ask_family, full_name, step_path
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
async def family_page(request: HttpRequest, person: NamedDependency[Person]) -> Template:
    """Show the guardians, their contact details and the family's documents (S16)."""
    notices: list[str] = []
    family, mine = await asyncio.gather(person.ask(MyFamily()), ask_applications(person, notices))
    students = [(student.id, full_name(student.details)) for student in family.students]
    campaign, applications = (mine.campaign, mine.applications) if mine else (None, ())
    draft = next((one for one in applications if one.state == "draft"), None)
    first = students[0][0] if students else None
    context = {
        "guardians": [details_of(guardian) for guardian in family.guardians],
        "students": students,
        "pieces": await pieces_if_known(person, campaign, first, notices),
        "no_campaign": mine is not None and campaign is None,
        "change_href": step_path(draft.id, CONTACT_DETAILS) if draft else "",
        "documents_path": step_path(applications[0].id, DOCUMENTS) if applications else "",
        "now": datetime.now(UTC),
    }
    return page(request, "portal/family.html", context, notices=notices)


@get("/facturation")
async def invoices(request: HttpRequest, person: NamedDependency[Person]) -> Template:  # noqa: ARG001
    """Say that there is no invoice yet (S17)."""
    return page(request, "portal/invoices.html")


@get("/mot-de-passe")
async def password_help(
    request: HttpRequest,
    person: NamedDependency[Person],
    directory: NamedDependency[SiteDirectory],
) -> Template:
    """Say who changes a password, until the portal does it by itself (S4)."""
    site = await directory.site(person.caller.site_id)
    return page(request, "portal/password.html", {"site": site})


ROUTES = [home, family_page, invoices, password_help]
