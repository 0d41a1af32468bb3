"""The gateway, wired: the pages, the API, and what surrounds every request."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from shared.ask import Services
from shared.callers import TokenVerifier
from shared.contracts.courses import SeatsChanged
from shared.contracts.enrolment import ApplicationStarted
from shared.contracts.identity import SessionsEnded
from shared.feed import Feed
from shared.observability import configure_logging
from shared.server import run_process

from gateway.api import api_router, openapi_config
from gateway.assets import Assets
from gateway.compression import CompressionMiddleware
from gateway.correlation import CorrelationMiddleware
from gateway.ended_sessions import EndedSessions
from gateway.errors import EXCEPTION_HANDLERS
from gateway.health import health_routes
from gateway.language import LanguageMiddleware
from gateway.live import LiveSeats
from gateway.pages import routers
from gateway.pages.wizard import whereabouts
from gateway.people import API_PREFIX, SessionCookies, SessionMiddleware, signed_in
from gateway.posted import PostedForms
from gateway.rendering import template_config
from gateway.seats_board import SeatsBoard
from gateway.security_headers import SecurityHeaders
from gateway.settings import GatewaySettings
from gateway.sites import SiteDirectory
from gateway.store import StoreDoor
from gateway.theme import ThemeRefused, load_theme

_ANSWER_WITHIN_SECONDS = 5.0
MAX_BODY_BYTES = 256 * 1024
"""What any form may weigh; the one that carries a file says its own limit."""


def application(
    settings: GatewaySettings, services: Services, live_seats: LiveSeats, ended: EndedSessions
) -> Litestar:
    """Make the application of one replica."""
    assets = Assets(load_theme(settings.theme))
    directory = SiteDirectory(services)
    cookies = SessionCookies(secure=settings.cookie_secure)
    store = StoreDoor(settings.store_url)
    csrf = CSRFConfig(
        secret=settings.cookie_secret,
        cookie_name="rentree_csrf",
        cookie_secure=settings.cookie_secure,
        cookie_httponly=True,
        cookie_samesite="lax",
        header_name="x-csrf-token",
        exclude=["^/api/", "^/assets/", "^/health/", "^/metrics"],
    )
    security = SecurityHeaders(store_url=settings.store_public_url, secure=settings.cookie_secure)
    app = Litestar(
        [
            *health_routes(live_seats.board),
            assets.router(),
            live_seats.router(),
            *routers(),
            api_router(),
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "directory": Provide(lambda: directory, sync_to_thread=False),
            "session_cookies": Provide(lambda: cookies, sync_to_thread=False),
            "store": Provide(lambda: store, sync_to_thread=False),
            "person": Provide(signed_in, sync_to_thread=False),
        },
        middleware=[
            DefineMiddleware(
                SessionMiddleware,
                services=services,
                verifier=TokenVerifier.from_file(settings.token_public_key_file),
                cookies=cookies,
                directory=directory,
                ended=ended,
            ),
            DefineMiddleware(PostedForms, csrf=csrf),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        csrf_config=csrf,
        before_send=[security],
        template_config=template_config(assets),
        openapi_config=openapi_config(settings.public_url),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
    )
    # around the router: an address that leads nowhere is correlated and logged like any other
    pages = CompressionMiddleware(app.asgi_handler)
    correlated = CorrelationMiddleware(LanguageMiddleware(pages, API_PREFIX))
    app.asgi_handler = live_seats.around(correlated, security.headers)
    return app


def main() -> None:
    """Run one replica, configured by its environment."""
    settings = GatewaySettings()
    configure_logging("gateway", settings.log_level)
    services = Services(dict(settings.services), timeout_seconds=_ANSWER_WITHIN_SECONDS)
    live_seats = LiveSeats(SeatsBoard())
    ended = EndedSessions()

    @asynccontextmanager
    async def background() -> AsyncIterator[None]:
        async with services:
            seats_told = Feed(settings.broker_url, SeatsChanged)
            ends_told = Feed(settings.broker_url, SessionsEnded)
            beginnings_told = Feed(settings.broker_url, ApplicationStarted)
            following = {
                asyncio.create_task(live_seats.board.follow(seats_told, services)),
                asyncio.create_task(ended.follow(ends_told, services)),
                asyncio.create_task(whereabouts.follow(beginnings_told)),
            }
            try:
                yield
            finally:
                for each in following:
                    each.cancel()
                await asyncio.wait(following)

    try:
        app = application(settings, services, live_seats, ended)
    except ThemeRefused as refused:
        sys.exit(str(refused))
    run_process(
        app,
        settings,
        background,
        before_stop=live_seats.close,
    )
