"""The pages: one module a part of the portal."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from gateway.pages import (
    accounts,
    corrections,
    home,
    language,
    messages,
    public,
    recovery,
    reminders,
    students,
    upload,
    verification,
    waiting,
    wizard,
)


def routers() -> list[Router]:
    """Give every page's route; none belongs to the API's schema."""
    handlers: list[HTTPRouteHandler | Router] = [
        *public.ROUTES,
        *verification.ROUTES,
        *reminders.ROUTES,
        *recovery.ROUTES,
        *home.ROUTES,
        *language.ROUTES,
        *messages.ROUTES,
        *accounts.ROUTES,
        *students.ROUTES,
        *corrections.ROUTES,
        *upload.ROUTES,
        *waiting.ROUTES,
        *wizard.ROUTES,
    ]
    return [Router("/", route_handlers=handlers, include_in_schema=False)]
