"""The JSON API: what the pages do, for programs, under ``/api/v1``."""

from litestar import Router

from gateway.api import accounts, receipts, sessions
from gateway.api.description import PARTS, openapi_config
from gateway.api.operations import BEARER_SCHEME, require_token

__all__ = ["api_router", "openapi_config"]


def api_router() -> Router:
    """Give every operation of the API: those that need no session, and those that need one."""
    public = [
        Router("/", route_handlers=part.PUBLIC_ROUTES, tags=[part.TAG.name])
        for part in (sessions, accounts, receipts)
    ]
    signed_in = [
        Router(
            "/",
            route_handlers=part.ROUTES,
            tags=[part.TAG.name],
            security=[{BEARER_SCHEME: []}],
            guards=[require_token],
        )
        for part in PARTS
    ]
    return Router("/api/v1", route_handlers=[*public, *signed_in])
