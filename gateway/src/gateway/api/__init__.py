"""The JSON API: what the pages do, for programs, under ``/api/v1``."""

from litestar import Router

from gateway.api.description import PARTS, openapi_config

__all__ = ["api_router", "openapi_config"]


def api_router() -> Router:
    """Give every operation of the API."""
    return Router(
        "/api/v1",
        route_handlers=[
            Router("/", route_handlers=part.ROUTES, tags=[part.TAG.name]) for part in PARTS
        ],
    )
