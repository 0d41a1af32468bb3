"""One process: an ASGI application on granian and its background work, in one event loop."""

import asyncio
import resource
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

import structlog
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar.types import ASGIApp

from shared.settings import ProcessSettings

_STOP_WITHIN_SECONDS = 3.0
_CONNECTIONS_AT_MOST = 8192
"""More than the streams that a gateway keeps open, so that pages are answered beside them."""


def http_server(app: ASGIApp, host: str, port: int) -> Server:
    """Make the HTTP server of a process, in the running event loop."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        backlog=1024,
        backpressure=_CONNECTIONS_AT_MOST,
        websockets=False,
        log_enabled=False,
    )


async def _serve(
    app: ASGIApp,
    settings: ProcessSettings,
    background: Callable[[], AbstractAsyncContextManager[None]],
    stop: asyncio.Event,
    before_stop: Callable[[], None],
) -> None:
    """Serve until ``stop``; then finish what is in flight, the background work last."""
    server = http_server(app, settings.host, settings.port)
    async with background():
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        before_stop()
        if not serving.done():
            server.stop()  # type: ignore[no-untyped-call]
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_WITHIN_SECONDS):
                await serving


def run_process(
    app: ASGIApp,
    settings: ProcessSettings,
    background: Callable[[], AbstractAsyncContextManager[None]],
    before_stop: Callable[[], None] = lambda: None,
) -> None:
    """Run the process until SIGTERM or SIGINT.

    ``background`` is entered before the port opens and left after the last answer went out;
    ``before_stop`` ends what would go on for as long as someone reads it.
    """

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await _serve(app, settings, background, stop, before_stop)

    allow_connections()
    structlog.get_logger().info("process starting", port=settings.port)
    uvloop.run(main())
    structlog.get_logger().info("process stopped")


def allow_connections() -> None:
    """Open as many files as the system lets us: a login's own limit is often 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
