"""The service side of ``ask``: one small route per handler, made from its contract."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler
from pydantic import ValidationError

from shared.callers import Caller, TokenVerifier, not_signed_in
from shared.contract import Ask, Rejection
from shared.db import Database, database_is_away
from shared.handlers import Signature
from shared.observability import (
    ASK_SECONDS,
    ASKS_IN_FLIGHT,
    CORRELATION_HEADER,
    correlated,
    get_logger,
)

log = get_logger()

type HttpRequest = Request[Any, Any, Any]


@dataclass(slots=True)
class Desk:
    """Where asks are answered: who may ask, from which database, and how many at once."""

    verifier: TokenVerifier
    database: Database
    given: Mapping[object, object]
    limit: int
    in_flight: int = field(default=0)

    async def answer(
        self, signature: Signature[Ask[Any]], *, public: bool, request: HttpRequest
    ) -> bytes:
        """Check the caller, run the handler in its transaction, give the answer as JSON."""
        if self.in_flight >= self.limit:
            raise _busy()
        self.in_flight += 1
        ASKS_IN_FLIGHT.set(self.in_flight)
        try:
            given = dict(self.given)
            if not public:
                given[Caller] = self.verifier.verify(_bearer(request))
            question = _read(signature.message, await request.body())
            answer = await signature.call(question, self.database, given)
            return signature.message.answer.dump_json(answer)
        except Exception as error:
            if not database_is_away(error):
                raise
            log.warning("database unavailable", error=repr(error))
            raise _busy() from error
        finally:
            self.in_flight -= 1
            ASKS_IN_FLIGHT.set(self.in_flight)


def ask_route(desk: Desk, signature: Signature[Ask[Any]], *, public: bool) -> HTTPRouteHandler:
    """Make the route of one handler: ``POST /ask/<service>.<handler>``."""
    name = signature.message.name

    @post(f"/ask/{name}", name=name, status_code=200)
    async def route(request: Request[Any, Any, Any]) -> Response[bytes]:
        with correlated(request.headers.get(CORRELATION_HEADER), ask=name) as correlation:
            started = time.perf_counter()
            outcome = "answered"
            try:
                content = await desk.answer(signature, public=public, request=request)
                return Response(content, media_type="application/json", status_code=200)
            except Rejection as rejection:
                outcome = rejection.code
                return _problem(rejection, correlation)
            except Exception:  # the boundary: whatever it is, the asker gets an answer
                outcome = "internal_error"
                log.exception("ask failed")
                return _problem(
                    Rejection("internal_error", "Le service a rencontré une erreur.", status=500),
                    correlation,
                )
            finally:
                seconds = time.perf_counter() - started
                ASK_SECONDS.labels(name, outcome).observe(seconds)
                log.info("asked", outcome=outcome, milliseconds=round(seconds * 1000, 1))

    return route


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise not_signed_in()
    return token


def _busy() -> Rejection:
    return Rejection("busy", "Le service est très demandé. Réessayez dans un instant.", status=503)


def _read(kind: type[Ask[Any]], body: bytes) -> Ask[Any]:
    """Read a question; raises the Rejection ``invalid`` where it is not one.

    PostgreSQL stores no NUL in a text: none is let in.
    """
    if b"\\u0000" in body:
        raise _invalid([{"field": "", "type": "nul_in_text"}])
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(
            [
                {"field": ".".join(str(part) for part in item["loc"]), "type": item["type"]}
                for item in error.errors(
                    include_url=False, include_input=False, include_context=False
                )
            ]
        ) from error


def _invalid(errors: list[dict[str, str]]) -> Rejection:
    return Rejection(
        "invalid", "Certaines informations ne conviennent pas.", status=422, errors=errors
    )


def _problem(rejection: Rejection, correlation: str) -> Response[bytes]:
    headers = {"retry-after": "1"} if rejection.status == 503 else {}
    return Response(
        rejection.problem(correlation).model_dump_json().encode(),
        media_type="application/problem+json",
        status_code=rejection.status,
        headers=headers,
    )
