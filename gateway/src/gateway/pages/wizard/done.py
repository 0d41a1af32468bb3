"""Step 6: the receipt of what was sent, a request or a refusal (S22, S72)."""

import asyncio
from typing import Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from shared.contracts.enrolment import ShowApplication
from shared.contracts.identity import Family
from shared.contracts.notifications import Delivery, DeliveryState, ListDeliveries

from gateway.pages.rendered import page
from gateway.pages.wizard.frame import (
    DONE,
    Elsewhere,
    ask_family,
    present_path,
    step_page,
    student_name,
)
from gateway.people import HttpRequest, Person

_DELIVERIES_AWAY: Final = (
    "Le suivi des e-mails est momentanément indisponible. Votre demande est bien enregistrée."
)

DELIVERY_STATES: Final[dict[DeliveryState, str]] = {
    "waiting": "En cours d'envoi",
    "sent": "Envoyé",
    "failed": "Non remis. Gardez votre numéro : cette page reste dans le portail",
    "no_address": "Aucune adresse n'est enregistrée. Cette page reste dans le portail",
}
"""Where the e-mail stands, to a family (S73, S75)."""


@get("/dossiers/{application_id:uuid}/finalisation")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Show the receipt of a submitted application, or of a refusal."""
    notices: list[str] = []
    deliveries_asked = person.ask_if_up(
        ListDeliveries(application_id=application_id), notices, _DELIVERIES_AWAY
    )
    application, deliveries, family = await asyncio.gather(
        person.ask(ShowApplication(application_id=application_id)),
        deliveries_asked,
        ask_family(person, notices),
    )
    if application.state == "draft" or application.receipt is None:
        raise Elsewhere(present_path(application))
    delivery = _delivery(deliveries or (), application.receipt.number)
    context = {
        "delivery": delivery,
        "delivery_state": DELIVERY_STATES[delivery.state] if delivery else "",
        "address": delivery.to if delivery else _address(family),
    }
    if application.state == "submitted":
        return step_page(request, application, DONE, context, family=family, notices=notices)
    declined = {
        "application": application,
        "student_id": application.student_id,
        "student_name": student_name(family, application.student_id),
    }
    return page(request, "wizard/refus.html", {**context, **declined}, notices=notices)


def _delivery(deliveries: tuple[Delivery, ...], number: str) -> Delivery | None:
    """Find the message that carries this receipt; it may not be known yet."""
    return next((one for one in deliveries if one.receipt_number == number), None)


def _address(family: Family | None) -> str:
    """Give the address that the receipt will go to."""
    guardians = family.guardians if family else ()
    return next((one.details["email"] for one in guardians if one.details["email"]), "")


ROUTES = [show]
