"""The signed-in family's own pages: home, the family, invoices."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Template
from shared.contracts.documents import Missing
from shared.contracts.identity import MyFamily

from gateway.language import gettext as _
from gateway.pages.corrections import SAVED, not_asked_by, saved_text
from gateway.pages.details import details_of
from gateway.pages.family_board import cards, family_pieces
from gateway.pages.folders import FAMILY_PATH
from gateway.pages.intents import NAME_UNKNOWN, Intents, ask_applications, intents
from gateway.pages.pieces import SEARCH, missing_if_known, pieces_if_known, searched
from gateway.pages.places import ask_waiting_places
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import ask_family, full_name
from gateway.pages.wizard.whereabouts import (
    foresee_family_pieces,
    foresee_missing,
    of_begun,
    remember_begun,
)
from gateway.people import HttpRequest, Person
from gateway.sites import SiteDirectory


@get("/accueil")
async def home(
    request: HttpRequest,
    person: NamedDependency[Person],
    directory: NamedDependency[SiteDirectory],
) -> Template:
    """Show the children side by side: the campaign, the two choices, what is left (S10, S20)."""
    for known in of_begun(person):
        foresee_missing(person, known)
    notices: list[str] = []
    family, mine, places, site = await asyncio.gather(
        ask_family(person, notices),
        ask_applications(person, notices),
        ask_waiting_places(person, notices),
        directory.site(person.caller.site_id),
    )
    now = datetime.now(UTC)
    shown = intents(family.students if family else None, mine, now)
    missing = await _ask_missing(person, shown, notices)
    names = {intent.student_id: intent.name for intent in shown.students}
    context = {
        "intents": shown,
        "cards": cards(shown, places, missing, now),
        "family_pieces": family_pieces(missing, now),
        "due_at": next((each.due_at for each in missing.values()), None),
        "has_no_student": family is not None and not family.students,
        "offers": [
            (names.get(place.student_id, _(NAME_UNKNOWN)), place)
            for place in places
            if place.state == "offered"
        ],
        "site": site,
    }
    return page(request, "portal/home.html", context, notices=notices)


async def _ask_missing(
    person: Person, shown: Intents, notices: list[str]
) -> Mapping[UUID, Missing]:
    """Give what is missing for each child whose application is begun, where documents answers."""
    begun = [
        intent.student_id
        for intent in shown.students
        if intent.application and intent.application.state != "declined"
    ]
    if shown.campaign is not None:
        remember_begun(person, shown.campaign, begun)
    lacking = await asyncio.gather(
        *(missing_if_known(person, shown.campaign, student_id, notices) for student_id in begun)
    )
    return {
        student_id: missing
        for student_id, missing in zip(begun, lacking, strict=True)
        if missing is not None
    }


@get("/famille")
async def family_page(
    request: HttpRequest,
    person: NamedDependency[Person],
    search: Annotated[str, QueryParameter(name=SEARCH)] = "",
    saved: Annotated[str, QueryParameter(name=SAVED)] = "",
) -> Template:
    """Show the guardians, their contact details and the family's documents (S16)."""
    foresee_family_pieces(person)
    notices: list[str] = []
    family, mine = await asyncio.gather(person.ask(MyFamily()), ask_applications(person, notices))
    students = [(student.id, full_name(student.details)) for student in family.students]
    campaign, not_asked = mine.campaign if mine else None, not_asked_by(mine)
    pieces = await pieces_if_known(person, campaign, None, notices)
    context = {
        "guardians": [
            (guardian.id, details_of(guardian, not_asked)) for guardian in family.guardians
        ],
        "students": students,
        "pieces": pieces and searched(pieces, search),
        "search": search,
        "folder_path": FAMILY_PATH,
        "no_campaign": mine is not None and campaign is None,
        "now": datetime.now(UTC),
    }
    return page(request, "portal/family.html", context, notices=notices, success=saved_text(saved))


@get("/facturation")
async def invoices(request: HttpRequest, person: NamedDependency[Person]) -> Template:  # noqa: ARG001
    """Say that there is no invoice yet (S17)."""
    return page(request, "portal/invoices.html")


ROUTES = [home, family_page, invoices]
