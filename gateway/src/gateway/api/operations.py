"""What operations of the API have in common: who may call them and how they refuse."""

from typing import Final

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from shared.callers import Caller
from shared.contract import Problem

from gateway.people import NotSignedIn

BEARER_SCHEME: Final = "bearer"
"""The name of the security scheme of operations for signed-in people."""

_PROBLEMS: Final = {
    400: "The request cannot be read: it is no JSON.",
    401: "`not_signed_in` (no access token, or one that has expired), or as described above.",
    404: "`not_found`: nothing here that is yours.",
    409: "The refusals named in the description.",
    410: "`link_expired`: the link was used, replaced by a newer one, or left too long.",
    422: "`invalid`: `facts.errors` names each `field`; `message` tells a person what is wrong with"
    " it, in the language that `Accept-Language` asks for, and `reason` a developer, in English.",
    429: "`too_many_requests`: wait before asking again.",
    503: "`service_unavailable`: repeat the request after `Retry-After` seconds.",
}


def require_token(
    connection: ASGIConnection[BaseRouteHandler, Caller | None, None, State],
    handler: BaseRouteHandler,  # noqa: ARG001 - every guard is given it
) -> None:
    """Guard an operation: whoever sends no valid token learns nothing else."""
    if connection.scope["state"]["person"] is None:
        raise NotSignedIn


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Describe how an operation refuses; any may be malformed or meet a service that is away."""
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=_PROBLEMS[status],
            media_type="application/problem+json",
        )
        for status in sorted({400, 422, 503, *statuses})
    }


MINE: Final = problems(401, 404)
"""How reading something of one's own family is refused."""

CHANGED: Final = problems(401, 404, 409)
"""How changing something of one's own family is refused."""
