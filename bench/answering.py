"""The server of the `ask` benchmark: one answer, given by a bare route and by one made for `ask`.

Both routes touch no database, so that they differ by what `ask` does alone: the caller's token
checked, the question read, the answer written, the correlation id, the metrics.
"""

from contextlib import nullcontext

from litestar import Litestar, Response, get, post
from shared.answering import Desk, ask_route
from shared.callers import Caller, TokenVerifier
from shared.contract import Ask
from shared.contracts.courses import FollowedCourse, FollowedCourses
from shared.db import Database
from shared.handlers import Signature
from shared.observability import configure_logging
from shared.server import run_process
from shared.settings import ServiceSettings

BARE_PATH = "/bare"
READY_PATH = "/ready"


class AnsweringSettings(ServiceSettings):
    """What the server is told besides: the one answer that it gives, in JSON."""

    answer: str


def application(settings: AnsweringSettings) -> Litestar:
    """Make the application with both routes."""
    content = settings.answer.encode()
    answer: tuple[FollowedCourse, ...] = FollowedCourses.answer.validate_json(content)

    @post(BARE_PATH, status_code=200)
    async def bare() -> Response[bytes]:
        return Response(content, media_type="application/json")

    @get(READY_PATH)
    async def ready() -> None:
        return None

    async def followed_courses(_: FollowedCourses, caller: Caller) -> tuple[FollowedCourse, ...]:
        caller.family()
        return answer

    desk = Desk(
        verifier=TokenVerifier.from_file(settings.token_public_key_file),
        database=Database(settings.database_url, name="bench", connections=1),
        given={},
        limit=settings.asks_in_flight,
    )
    signature = Signature.read(followed_courses, Ask)
    return Litestar(
        [bare, ready, ask_route(desk, signature, public=False)],
        openapi_config=None,
        logging_config=None,
    )


def main() -> None:
    """Serve until told to stop, configured by the environment."""
    settings = AnsweringSettings()
    configure_logging("bench", settings.log_level)
    run_process(application(settings), settings, nullcontext)


if __name__ == "__main__":
    main()
