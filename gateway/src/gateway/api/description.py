"""The API's description (OpenAPI 3.1): what an integrator reads first."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final, Literal, get_type_hints

from litestar import Request, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition
from pydantic import TypeAdapter
from shared.callers import Caller
from shared.contract import Problem, Rejection

from gateway.api import (
    accounts,
    applications,
    courses,
    documents,
    families,
    notifications,
    receipts,
    sessions,
    webhooks,
)
from gateway.api.operations import BEARER_SCHEME

PARTS = (
    sessions,
    accounts,
    families,
    applications,
    receipts,
    courses,
    documents,
    notifications,
    webhooks,
)

_MODE: Final = "validation"

_ABOUT: Final = """\
Re-enrolment in the conservatoires of a territory: everything a family does in the portal's pages,
and what the staff decide of seats.

**Signing in.** `POST /api/v1/session` gives a short access token, to send as
`Authorization: Bearer <token>`, and a refresh token that changes at each renewal. Cookies are not
read here.

**Repeating is harmless.** Identifiers are the client's: mint a UUID (version 7 is best) for each
application, hold, place on a waiting list and document. A request sent again with the same
identifiers changes nothing more and gets the same answer, so that a lost reply needs no care but a
repeat.

**Refusals** are problem details (RFC 9457, `application/problem+json`). `code` states the fact and
is what a program should test; `detail` says it to a person, in French or in English by
`Accept-Language`; `facts` holds what is needed to go on. What does not exist and what belongs to
another family get the same 404.

**Instants** are ISO 8601 with their offset. A campaign opens and closes to the second, by the
instant at which this API received the request.
"""


class Description(JsonRenderPlugin):
    """Serves the description, where the shapes are those of the contracts themselves.

    Litestar's own reading of a pydantic model leaves out its documentation and its patterns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shapes = _shapes()

    def render(
        self,
        request: Request[Any, Any, Any],
        openapi_schema: dict[str, Any],
    ) -> bytes:
        """Give the description as JSON."""
        components = {**openapi_schema["components"], "schemas": self._shapes}
        return super().render(request, {**openapi_schema, "components": components})


def openapi_config(public_url: str) -> OpenAPIConfig:
    """Describe the API. No page renders it: those load their scripts from elsewhere."""
    return OpenAPIConfig(
        title="Rentrée",
        version=version("gateway"),
        description=_ABOUT,
        openapi_router=Router(
            "/api", route_handlers=[], include_in_schema=False, guards=[_description_alone]
        ),
        render_plugins=[Description()],
        servers=[Server(url=public_url)],
        tags=[part.TAG for part in PARTS],
        components=Components(
            security_schemes={
                BEARER_SCHEME: SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")
            }
        ),
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
    )


def _description_alone(
    connection: ASGIConnection[BaseRouteHandler, Caller | None, None, State],
    handler: BaseRouteHandler,  # noqa: ARG001 - every guard is given it
) -> None:
    """Refuse any other address under the prefix as ours do: Litestar has a page of its own."""
    if not connection.url.path.endswith("/openapi.json"):
        raise Rejection.not_found()


def _operation_id(
    handler: HTTPRouteHandler,
    method: Method,  # noqa: ARG001 - a handler answers one method
    path: list[str | PathParameterDefinition],  # noqa: ARG001 - on one path
) -> str:
    return handler.handler_name


def _shapes() -> Mapping[str, object]:
    """Give the JSON schema of all that operations take and answer."""
    travelling = [("problem", _MODE, TypeAdapter(Problem)), *_travelling()]
    _, shapes = TypeAdapter.json_schemas(travelling, ref_template="#/components/schemas/{model}")
    named: Mapping[str, object] = shapes["$defs"]
    return named


def _travelling() -> Iterator[tuple[str, Literal["validation"], TypeAdapter[Any]]]:
    handlers = [handler for part in PARTS for handler in part.ROUTES]
    public = (sessions, accounts, receipts)
    handlers += [handler for part in public for handler in part.PUBLIC_ROUTES]
    for handler in handlers:
        hints = get_type_hints(handler.fn, include_extras=True)
        for name in {"data", "return"} & hints.keys():
            yield f"{handler.handler_name} {name}", _MODE, TypeAdapter(hints[name])
