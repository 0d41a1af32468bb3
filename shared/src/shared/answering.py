"""The service side of ``ask``: one small route per handler, made from its contract."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import HTTPScope, Receive, Send
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

type Headers = Mapping[bytes, bytes]

_CORRELATION = CORRELATION_HEADER.encode()
_JSON = ((b"content-type", b"application/json"),)
_PROBLEM = ((b"content-type", b"application/problem+json"),)
_PROBLEM_RETRY = (*_PROBLEM, (b"retry-after", b"1"))
_LONGEST_QUESTION_BYTES = 10_000_000
"""Room for a territory's largest file of an import."""


@dataclass(slots=True)
class Desk:
    """Where asks are answered: who may ask, from which database, and how many at once."""

    verifier: TokenVerifier
    database: Database
    given: Mapping[object, object]
    limit: int
    in_flight: int = field(default=0)

    def __post_init__(self) -> None:
        # asked for when the metrics are, rather than told twice an ask
        ASKS_IN_FLIGHT.set_function(lambda: self.in_flight)

    async def answer(
        self, signature: Signature[Ask[Any]], *, public: bool, headers: Headers, receive: Receive
    ) -> bytes:
        """Check the caller, run the handler in its transaction, give the answer as JSON."""
        if self.in_flight >= self.limit:
            raise _busy()
        self.in_flight += 1
        try:
            given = dict(self.given)
            if not public:
                given[Caller] = self.verifier.verify(_bearer(headers))
            question = _read(signature.message, await _body(headers, receive))
            answer = await signature.call(question, self.database, given)
            return signature.message.answer.dump_json(answer)
        except Exception as error:
            if not database_is_away(error):
                raise
            log.warning("database unavailable", error=repr(error))
            raise _busy() from error
        finally:
            self.in_flight -= 1


@dataclass(frozen=True, slots=True)
class _Reply:
    """What goes back over HTTP; the server adds the length."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    async def give(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})


def ask_route(desk: Desk, signature: Signature[Ask[Any]], *, public: bool) -> ASGIRouteHandler:
    """Make the route of one handler: ``POST /ask/<service>.<handler>``.

    It speaks ASGI itself: the framework's request and response would double what an ask costs here.
    """
    name = signature.message.name

    @asgi(f"/ask/{name}", name=name, copy_scope=False)
    async def route(scope: HTTPScope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"allow": "POST"})
        headers = dict(scope["headers"])
        with correlated(headers.get(_CORRELATION, b"").decode("latin-1"), ask=name) as correlation:
            started = time.perf_counter()
            outcome = "cancelled"
            try:
                content = await desk.answer(
                    signature, public=public, headers=headers, receive=receive
                )
                outcome, reply = "answered", _Reply(200, _JSON, content)
            except Rejection as rejection:
                outcome, reply = rejection.code, _problem(rejection, correlation)
            except Exception:  # the boundary: whatever it is, the asker gets an answer
                outcome, reply = "internal_error", _problem(_broken(), correlation)
                log.exception("ask failed")
            finally:
                seconds = time.perf_counter() - started
                ASK_SECONDS.labels(name, outcome).observe(seconds)
                log.info("asked", outcome=outcome, milliseconds=round(seconds * 1000, 1))
        await reply.give(send)

    return route


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme != "Bearer" or not token:
        raise not_signed_in()
    return token


async def _body(headers: Headers, receive: Receive) -> bytearray:
    """Read what was asked. Cut short it is no JSON, and refused as such.

    The server only knows that nothing more comes once it is asked again, which costs as much as
    the first time: where the length was announced, it is not asked.
    """
    announced = int(headers.get(b"content-length", b"-1"))
    body = bytearray()
    more = True
    while more and len(body) != announced:
        if max(announced, len(body)) > _LONGEST_QUESTION_BYTES:
            raise Rejection("too_large", "Ces informations sont trop volumineuses.", status=413)
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message["body"]
        more = message["more_body"]
    return body


def _busy() -> Rejection:
    return Rejection("busy", "Le service est très demandé. Réessayez dans un instant.", status=503)


def _broken() -> Rejection:
    return Rejection("internal_error", "Le service a rencontré une erreur.", status=500)


def _read(kind: type[Ask[Any]], body: bytearray) -> Ask[Any]:
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


def _problem(rejection: Rejection, correlation: str) -> _Reply:
    headers = _PROBLEM_RETRY if rejection.status == 503 else _PROBLEM
    return _Reply(
        rejection.status, headers, rejection.problem(correlation).model_dump_json().encode()
    )
