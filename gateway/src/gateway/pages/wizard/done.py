"""Step 6: the receipt of what was sent, a request or a refusal (S22, S72)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from shared.contracts.enrolment import ShowApplication
from shared.contracts.identity import Family
from shared.contracts.notifications import Delivery, DeliveryState, ListDeliveries
from shared.identifiers import new_id

from gateway.language import marked
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

_DELIVERIES_AWAY: Final = marked(
    "Le suivi des e-mails est momentanément indisponible. Votre demande est bien enregistrée."
)


@dataclass(frozen=True, slots=True)
class Mail:
    """The e-mail that carries a receipt, to a family (S73, S75)."""

    state: DeliveryState
    address: str
    at: datetime | None = None


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
        "mail": _mail(delivery, family),
        "delivery": delivery,
        "delivery_id": new_id(),
        "now": datetime.now(UTC),
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


def _mail(delivery: Delivery | None, family: Family | None) -> Mail:
    """Say where the e-mail stands; one without an address goes to the family's first, if any."""
    if delivery and (delivery.to or delivery.state != "waiting"):
        return Mail(delivery.state, delivery.to, delivery.at)
    guardians = family.guardians if family else ()
    address = next((one.details["email"] for one in guardians if one.details["email"]), "")
    return Mail("waiting" if address or family is None else "no_address", address)


ROUTES = [show]
