"""Another system of the territory, in the test's own process, which takes webhooks as told."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Call:
    """What was sent, once."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Read the event; raises WebhookVerificationError where this secret did not sign it."""
        return Webhook(secret).verify(self.body, dict(self.headers))


@dataclass
class Receiver:
    """A web server that keeps what it is sent, and answers what a test tells it to."""

    port: int
    status: int = 204
    answer: bytes = b""
    location: str = ""
    hangs: bool = False
    calls: list[Call] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def event_ids(self) -> list[str]:
        return [call.event_id for call in self.calls]

    async def open(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._released.clear()
        self._runner = web.AppRunner(app, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    def let_go(self) -> None:
        """Answer what was left hanging."""
        self._released.set()

    async def close(self) -> None:
        self.let_go()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _take(self, request: web.Request) -> web.Response:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            body = await request.read()
            self.calls.append(Call(request.path, request.headers, body))
            if self.hangs:
                await self._released.wait()
            headers = {"location": self.location} if self.location else {}
            return web.Response(status=self.status, body=self.answer, headers=headers)
        finally:
            self._at_once -= 1
