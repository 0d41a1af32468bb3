"""Live seats for browsers: a stream of what changes, and the same for whoever asks now and then.

Both are public and without a session: a count names nobody.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs
from uuid import UUID

from litestar import Response, Router, get
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import Gauge
from shared.contract import Problem, Rejection

from gateway.errors import problem_response
from gateway.language import marked
from gateway.people import WITHOUT_SESSION, HttpRequest
from gateway.seats_board import SeatsBoard, Watch

SEATS_PATH: Final = "/places"
STREAM_PATH: Final = "/places/flux"
STREAMS_AT_MOST: Final = 3_000
"""Streams open in one replica: beyond, browsers ask now and then."""
COURSES_AT_MOST: Final = 100

_COALESCE_SECONDS: Final = 0.5
_PING_SECONDS: Final = 15.0
_RETRY_MILLISECONDS: Final = (1_000, 5_000)
"""After how long a browser comes back, drawn for each: not all of them at once."""
_NOT_KNOWN_SECONDS: Final = 5
_CROWDED_SECONDS: Final = 60

_STREAM_HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}

STREAMS_OPEN = Gauge("rentree_seat_streams", "Streams of live seats open in this replica")

type EncodedHeaders = Sequence[tuple[bytes, bytes]]


class LiveSeats:
    """Shows the board of seats to browsers."""

    def __init__(self, board: SeatsBoard, *, streams_at_most: int = STREAMS_AT_MOST) -> None:
        self.board = board
        self._streams_at_most = streams_at_most
        self._streams: set[Watch] = set()
        self._is_closed = False

    @property
    def streams_open(self) -> int:
        """How many streams are open in this replica."""
        return len(self._streams)

    def router(self) -> Router:
        """Return the routes of whoever asks, and of a stream that could not be opened."""

        @get(SEATS_PATH)
        async def seats(request: HttpRequest) -> Response[bytes] | Response[Problem]:
            return self._show(request)

        @get(STREAM_PATH)
        async def no_stream(request: HttpRequest) -> Response[Problem]:
            _read_course_ids(request.query_params.getall("cours", []))
            return _unavailable(
                "too_many_streams",
                marked("Trop de pages suivent déjà les places."),
                _CROWDED_SECONDS,
            )

        return Router(
            "/", route_handlers=[seats, no_stream], include_in_schema=False, opt=WITHOUT_SESSION
        )

    def around(self, app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
        """Open the streams, with these headers too, and leave all the rest to ``app``.

        Thousands stay open: what the layers of an application keep of a request weighs as much as
        the stream itself.
        """
        encoded = [
            (name.encode(), value.encode())
            for name, value in {**headers, **_STREAM_HEADERS}.items()
        ]

        # not a coroutine: its frame would keep the request for as long as the stream
        def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            course_ids = self._to_stream(scope)
            if course_ids:
                return self._stream(course_ids, encoded, receive, send)
            return app(scope, receive, send)

        return answer

    def close(self) -> None:
        """End every stream: the process stops, browsers go on with another replica."""
        self._is_closed = True
        for watch in self._streams:
            watch.wake()

    def _show(self, request: HttpRequest) -> Response[bytes] | Response[Problem]:
        course_ids = _read_course_ids(request.query_params.getall("cours", []))
        if not self.board.is_current:
            return _unavailable(
                "seats_not_known",
                marked("Les places restantes ne sont pas connues pour le moment."),
                _NOT_KNOWN_SECONDS,
            )
        body = b"[" + b",".join(notice.json for notice in self.board.notices(course_ids)) + b"]"
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"etag": etag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == etag:
            return Response(b"", status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    def _to_stream(self, scope: Scope) -> frozenset[UUID]:
        """Give the courses of a stream that can be opened, none for any other request."""
        if (
            scope["type"] != ScopeType.HTTP
            or scope["path"] != STREAM_PATH
            or scope["method"] != "GET"
        ):
            return frozenset()
        if self._is_closed or self.streams_open >= self._streams_at_most:
            return frozenset()
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            return frozenset(_read_course_ids(asked.get("cours", [])))
        except Rejection:
            return frozenset()

    async def _stream(
        self, course_ids: frozenset[UUID], headers: EncodedHeaders, receive: Receive, send: Send
    ) -> None:
        """Tell what changes until the browser goes, or the process stops."""
        with self.board.watching(course_ids) as watch, self._counted(watch):
            gone = asyncio.create_task(_departure(receive))
            gone.add_done_callback(lambda _: watch.wake())
            try:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                retry = random.randint(*_RETRY_MILLISECONDS)  # noqa: S311
                await _write(send, b"retry: %d\n\n" % retry)
                while not (gone.done() or self._is_closed):
                    await _tell(watch, send)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                gone.cancel()

    @contextmanager
    def _counted(self, watch: Watch) -> Iterator[None]:
        self._streams.add(watch)
        STREAMS_OPEN.set(self.streams_open)
        try:
            yield
        finally:
            self._streams.discard(watch)
            STREAMS_OPEN.set(self.streams_open)


async def _tell(watch: Watch, send: Send) -> None:
    """Tell what changed, twice a second at most; or only that the stream is still there."""
    try:
        async with asyncio.timeout(_PING_SECONDS):
            await watch.change()
    except TimeoutError:
        await _write(send, b": ping\n\n")
        return
    if notices := watch.look():
        await _write(send, b"".join(notice.event for notice in notices))
        await asyncio.sleep(_COALESCE_SECONDS)


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _departure(receive: Receive) -> None:
    """Wait until the browser has gone: writing to it would not say so."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _read_course_ids(given: Sequence[str]) -> list[UUID]:
    """Read which courses are asked for; raises Rejection where that cannot be read."""
    unreadable = Rejection(
        "invalid",
        "Indiquez de 1 à %(at_most)s cours par leur identifiant.",
        status=400,
        at_most=COURSES_AT_MOST,
    )
    if not 1 <= len(given) <= COURSES_AT_MOST:
        raise unreadable
    try:
        return [UUID(text) for text in given]
    except ValueError as error:
        raise unreadable from error


def _unavailable(code: str, text: str, retry_after: int) -> Response[Problem]:
    answer = problem_response(Rejection(code, text, status=503))
    answer.headers["retry-after"] = str(retry_after)
    return answer
