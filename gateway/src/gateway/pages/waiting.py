"""The waiting lists that a family is on, and the seats offered to it (S66)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel
from shared.contract import Rejection
from shared.contracts.courses import (
    AcceptOffer,
    CourseRow,
    Hold,
    LeaveWaitingList,
    MyWaitingPlaces,
    PlaceState,
    WaitingPlace,
)

from gateway.forms import WHOLE_FORM, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.places import ask_rows
from gateway.pages.rendered import page, refusal_text
from gateway.pages.wizard.frame import ask_family, student_name, typed
from gateway.people import HttpRequest, Person

type Done = Literal["", "quittee", "refusee"]

_DONE: Final[dict[Done, str]] = {
    "quittee": marked("Vous avez quitté cette liste d'attente."),
    "refusee": marked("Vous avez refusé la place. Vos autres places ne changent pas."),
}
"""What was done just before the page, by the word that its address gives it."""
_WHAT_NOW: Final = {
    "offer_ended": marked(
        "Jusqu'à la clôture, vous pouvez rejoindre de nouveau la liste d'attente à l'étape Cours,"
        " en modifiant votre demande si elle est déjà transmise."
    ),
    "not_offered": marked("Un e-mail vous préviendra dès qu'une place le sera."),
    "same_time": marked(
        "La place vous reste proposée jusqu'à l'heure indiquée. Changez d'abord l'autre créneau, à"
        " l'étape Cours : si votre demande est déjà transmise, modifiez-la jusqu'à la clôture ;"
        " ensuite, contactez votre conservatoire."
    ),
}
"""What to do about a refusal, after what courses says of it."""
_GONE: Final = marked(
    "Cette place n'est plus sur vos listes d'attente : vous l'avez quittée, ou le délai pour"
    " répondre est passé."
)
_OFFERED_MEANWHILE: Final = marked(
    "Depuis que vous avez ouvert la page, cette place vous a été proposée. Rien n'est encore"
    " enregistré : lisez ce qui suit."
)


class Leaving(BaseModel):
    """What the page said of the place when its button was pressed."""

    state: PlaceState = "waiting"


@dataclass(frozen=True, slots=True)
class Line:
    """A place, whose it is, and its row, whose present seat is kept meanwhile."""

    place: WaitingPlace
    student: str
    row: CourseRow | None

    @property
    def hold(self) -> Hold | None:
        """Give the present seat, where there is one and courses tells."""
        return (self.row.claimed or self.row.hold) if self.row else None

    @property
    def present(self) -> str:
        """Name the present seat, or say why none is named."""
        if self.hold:
            return self.hold.label
        return _("Aucune pour ce cours") if self.row else _("Non affichée pour le moment")


@get("/liste-attente")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    done: Annotated[Done, QueryParameter(name="fait")] = "",
) -> Template:
    """Show every place of the family, the offers first, and what was done just before."""
    return await _listed(request, person, success=_(_DONE[done]) if done else "")


@post("/liste-attente/{place_id:uuid}/accepter")
async def accept(
    request: HttpRequest, person: NamedDependency[Person], place_id: FromPath[UUID]
) -> Template | Redirect:
    """Take the seat offered; the student's page then shows it."""
    try:
        hold = await person.ask(AcceptOffer(place_id=place_id))
    except Rejection as refusal:
        return await _listed(request, person, refusal=refusal)
    return Redirect(f"/eleves/{hold.student_id}/reinscription?obtenue={hold.id}", status_code=303)


@get("/liste-attente/{place_id:uuid}/quitter")
async def confirm_leaving(
    request: HttpRequest, person: NamedDependency[Person], place_id: FromPath[UUID]
) -> Template:
    """Ask to confirm: a rank is lost for good, and a seat refused goes to the next."""
    place = await _find(person, place_id)
    if place is None:
        return await _listed(request, person, refusal=Rejection.not_found())
    return await _confirmation(request, person, place)


@post("/liste-attente/{place_id:uuid}/quitter")
async def leave(
    request: HttpRequest, person: NamedDependency[Person], place_id: FromPath[UUID]
) -> Template | Redirect:
    """Wait no longer, or refuse the seat offered; one offered meanwhile is not refused unseen."""
    leaving = Form.read(Leaving, typed(request)).value or Leaving()
    place = await _find(person, place_id)
    if place and place.state == "offered" and leaving.state == "waiting":
        return await _confirmation(request, person, place, notices=[_(_OFFERED_MEANWHILE)])
    try:
        await person.ask(LeaveWaitingList(place_id=place_id))
    except Rejection as refusal:
        return await _listed(request, person, refusal=refusal)
    done: Done = "refusee" if leaving.state == "offered" else "quittee"
    return Redirect(f"/liste-attente?fait={done}", status_code=303)


async def _find(person: Person, place_id: UUID) -> WaitingPlace | None:
    places = await person.ask(MyWaitingPlaces())
    return next((place for place in places if place.id == place_id), None)


async def _listed(
    request: HttpRequest,
    person: Person,
    *,
    refusal: Rejection | None = None,
    success: str = "",
) -> Template:
    """Show the list, with what was done just before, or why it could not be."""
    absences: list[str] = []
    places = await person.ask(MyWaitingPlaces())
    lines = await _lines(person, places, absences)
    return page(
        request,
        "portal/liste-attente.html",
        {
            "offers": [line for line in lines if line.place.state == "offered"],
            "waits": [line for line in lines if line.place.state == "waiting"],
            "now": datetime.now(UTC),
        },
        forms=[_refused(refusal)] if refusal else [],
        notices=absences,
        success=success,
        status_code=refusal.status if refusal else None,
    )


async def _confirmation(
    request: HttpRequest, person: Person, place: WaitingPlace, notices: Sequence[str] = ()
) -> Template:
    absences: list[str] = []
    (line,) = await _lines(person, [place], absences)
    context = {"line": line, "now": datetime.now(UTC)}
    template = "portal/quitter-liste-attente.html"
    return page(request, template, context, notices=[*notices, *absences])


async def _lines(person: Person, places: Sequence[WaitingPlace], notices: list[str]) -> list[Line]:
    """Put together the places, the names of identity, and the rows with their seats."""
    students = {(place.campaign_id, place.student_id) for place in places}
    rows_asked = asyncio.gather(*(ask_rows(person, *each, notices) for each in students))
    family, rows = await asyncio.gather(ask_family(person, notices), rows_asked)
    by_follow = {row.follow_id: row for each in rows for row in each}
    return [
        Line(place, student_name(family, place.student_id), by_follow.get(place.follow_id))
        for place in places
    ]


def _refused(refusal: Rejection) -> Form[Leaving]:
    if refusal.status == 404:
        return Form(Leaving).refuse(WHOLE_FORM, _(_GONE))
    what_now = _WHAT_NOW.get(refusal.code)
    texts = (refusal_text(refusal), *([_(what_now)] if what_now else ()))
    return Form(Leaving).refuse(WHOLE_FORM, " ".join(texts))


ROUTES = [show, accept, confirm_leaving, leave]
