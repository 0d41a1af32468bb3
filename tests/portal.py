"""The gateway in the test's own process, with services that answer from a table."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FunctionType
from typing import Any

from gateway.app import application
from gateway.ended_sessions import EndedSessions
from gateway.live import STREAMS_AT_MOST, LiveSeats
from gateway.people import ACCESS_COOKIE
from gateway.seats_board import SeatsBoard
from gateway.settings import GatewaySettings
from litestar import Litestar
from litestar.testing import TestClient
from shared.ask import Services, ServiceUnavailable
from shared.callers import Caller, TokenSigner
from shared.contract import Ask
from stack.keys import key_pair

type Answers = Mapping[type[Ask[Any]], object]
"""What each question is answered: a value, an exception to raise, or a function of the question."""


class TableOfAnswers(Services):
    """Stands in for the five services at the gateway's edge; what has no answer is away."""

    def __init__(self) -> None:
        super().__init__({})
        self.answers: dict[type[Ask[Any]], object] = {}
        self.asked: list[Ask[Any]] = []

    async def ask[Answer](self, question: Ask[Answer], *, token: str | None = None) -> Answer:
        """Answer from the table, whoever asks."""
        del token
        self.asked.append(question)
        answer: Any = self.answers.get(type(question), ServiceUnavailable(question.owner))
        if isinstance(answer, Exception):
            raise answer
        answered: Answer = answer(question) if isinstance(answer, FunctionType) else answer
        return answered


class Portal:
    """One gateway and whoever is before it."""

    def __init__(self, folder: Path, *, streams_at_most: int = STREAMS_AT_MOST) -> None:
        keys = key_pair(folder)
        self.services = TableOfAnswers()
        self.signer = TokenSigner.from_file(keys.private)
        self.board = SeatsBoard()
        self.live_seats = LiveSeats(self.board, streams_at_most=streams_at_most)
        self.ended = EndedSessions()
        self.app: Litestar = application(
            GatewaySettings.model_validate(
                {
                    "token_public_key_file": keys.public,
                    "public_url": "http://portal.example",
                    "broker_url": "amqp://broker.example",
                    "store_public_url": "http://store.example",
                    "store_url": "http://store.example",
                    "cookie_secret": "s" * 32,
                    "cookie_secure": False,
                    "services": dict.fromkeys(
                        ("identity", "enrolment", "documents", "courses", "notifications"),
                        "http://service.example",
                    ),
                }
            ),
            self.services,
            self.live_seats,
            self.ended,
        )

    def reset(self, answers: Answers) -> None:
        """Start again with these answers alone, nothing having been asked."""
        self.services.answers = dict(answers)
        self.services.asked.clear()

    def token_for(self, caller: Caller) -> str:
        """Sign a token as identity would."""
        return self.signer.sign(caller, datetime.now(UTC), timedelta(minutes=10))

    @contextmanager
    def browser(self, caller: Caller | None = None) -> Iterator[TestClient[Litestar]]:
        """A browser, where ``caller`` is signed in."""
        with TestClient(self.app) as client:
            if caller is not None:
                client.cookies.set(ACCESS_COOKIE, self.token_for(caller))
            yield client

    @contextmanager
    def program(self, caller: Caller | None = None) -> Iterator[TestClient[Litestar]]:
        """A program, which sends the token of ``caller``."""
        with TestClient(self.app) as client:
            if caller is not None:
                client.headers["authorization"] = f"Bearer {self.token_for(caller)}"
            yield client
