"""The pages: one module a part of the portal."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from gateway.pages import home, public, students, waiting, wizard


def routers() -> list[Router]:
    """Give every page's route; none belongs to the API's schema."""
    handlers: list[HTTPRouteHandler | Router] = [
        *public.ROUTES,
        *home.ROUTES,
        *students.ROUTES,
        *waiting.ROUTES,
        *wizard.ROUTES,
    ]
    return [Router("/", route_handlers=handlers, include_in_schema=False)]
