"""The wizard: six steps from "Je souhaite réinscrire" to the receipt, or a refusal (S20 to S72)."""

from litestar import Router

from gateway.pages.wizard import (
    amending,
    authorisations,
    closing,
    contact,
    courses,
    documents,
    done,
    entries,
    holds,
    intent,
    opening,
    recap,
    receipt,
)
from gateway.pages.wizard.frame import AlreadyAnswered, Elsewhere, lead_elsewhere

ROUTES = [
    Router(
        "/",
        route_handlers=[
            *intent.ROUTES,
            *amending.ROUTES,
            *contact.ROUTES,
            *authorisations.ROUTES,
            *documents.ROUTES,
            *opening.ROUTES,
            *courses.ROUTES,
            *holds.ROUTES,
            *recap.ROUTES,
            *done.ROUTES,
            *closing.ROUTES,
            *receipt.ROUTES,
            *entries.ROUTES,
        ],
        exception_handlers={
            AlreadyAnswered: closing.answered_meanwhile,
            Elsewhere: lead_elsewhere,
        },
    )
]
