"""The wizard: six steps from "Je souhaite réinscrire" to the receipt, or a refusal (S20 to S72)."""

from litestar import Router

from gateway.pages.wizard import (
    authorisations,
    contact,
    courses,
    documents,
    done,
    holds,
    intent,
    recap,
    receipt,
)
from gateway.pages.wizard.frame import Elsewhere, lead_elsewhere

ROUTES = [
    Router(
        "/",
        route_handlers=[
            *intent.ROUTES,
            *contact.ROUTES,
            *authorisations.ROUTES,
            *documents.ROUTES,
            *courses.ROUTES,
            *holds.ROUTES,
            *recap.ROUTES,
            *done.ROUTES,
            *receipt.ROUTES,
        ],
        exception_handlers={Elsewhere: lead_elsewhere},
    )
]
