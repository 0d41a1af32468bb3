"""Every request gets a correlation id, which follows it through services and events to the mail."""

import time

from litestar import Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Histogram
from shared.observability import CORRELATION_HEADER, correlated, get_logger

log = get_logger()

REQUEST_SECONDS = Histogram(
    "rentree_request_seconds", "Time to answer a request", ["method", "status"]
)


class CorrelationMiddleware:
    """Binds a new correlation id, says it in the answer, logs and counts the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do the rest of the request under its correlation id."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request: Request[None, None, State] = Request(scope, receive, send)
        path = request.url.path
        started = time.perf_counter()
        status = 500
        with correlated(None) as correlation:

            async def send_correlated(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    headers = MutableScopeHeaders.from_message(message)
                    headers[CORRELATION_HEADER] = correlation
                await send(message)

            try:
                await self._app(scope, receive, send_correlated)
            finally:
                seconds = time.perf_counter() - started
                REQUEST_SECONDS.labels(request.method, str(status)).observe(seconds)
                if not path.startswith(("/health/", "/metrics", "/assets/")):
                    log.info(
                        "request",
                        method=request.method,
                        path=path,
                        status=status,
                        milliseconds=round(seconds * 1000, 1),
                    )
