"""``ask``: how the gateway has a command or a query answered by a service.

One pooled HTTP client, one POST named after the command, a typed answer or a Rejection.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from types import TracebackType
from typing import Self

import aiohttp
from pydantic import ValidationError

from shared.contract import Ask, Problem, Rejection
from shared.observability import CORRELATION_HEADER, correlation_id

_REST_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_IDLE_CONNECTION_SECONDS = 15.0
"""One idle for longer is not used again: its server closes it at 30, maybe just as we ask."""


class ServiceUnavailable(Exception):
    """No replica of ``service`` answered.

    ``maybe_recorded`` says that a request went out and its reply was lost: it may have been
    recorded, and repeating it with the same identifiers is harmless.
    ``retry_after`` is in seconds.
    """

    def __init__(self, service: str, *, maybe_recorded: bool = False, retry_after: int = 5) -> None:
        super().__init__(f"{service} is unavailable")
        self.service = service
        self.maybe_recorded = maybe_recorded
        self.retry_after = retry_after


class _Replicas:
    """The replicas of one service, taken in turn; one that failed rests for a second."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._rests_until = {url.rstrip("/"): 0.0 for url in urls}
        self._turn = cycle(self._rests_until)

    def pick(self, avoid: str | None) -> str:
        """Give the next that is well, or else the next; ``avoid`` only where there is no other."""
        now = time.monotonic()
        for url in islice(self._turn, len(self._rests_until)):
            if url != avoid and self._rests_until[url] <= now:
                return url
        url = next(self._turn)
        return url if url != avoid else next(self._turn)

    def rest(self, url: str) -> None:
        self._rests_until[url] = time.monotonic() + _REST_SECONDS


class Services:
    """The services that answer, each behind one or several replicas. Use as a context manager."""

    def __init__(self, urls: Mapping[str, Sequence[str]], *, timeout_seconds: float = 10.0) -> None:
        self._replicas = {service: _Replicas(replicas) for service, replicas in urls.items()}
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=1.0)
        self._client: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=256, keepalive_timeout=_IDLE_CONNECTION_SECONDS
            ),
            timeout=self._timeout,
            headers={"content-type": "application/json"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def ask[Answer](self, question: Ask[Answer], *, token: str | None = None) -> Answer:
        """Have ``question`` answered on behalf of the token's caller.

        A replica that dies or is busy is replaced by another once; identifiers are the caller's,
        so repeating is harmless. Raises the service's Rejection, or ServiceUnavailable.
        """
        replicas = self._replicas[question.owner]
        headers = {CORRELATION_HEADER: correlation_id()}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        body = question.model_dump_json().encode()
        refusal = ServiceUnavailable(question.owner)
        url: str | None = None
        for _ in range(2):
            previous, url = url, replicas.pick(avoid=url)
            if previous == url:
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                return await self._ask_replica(url, question, headers, body)
            except ServiceUnavailable as error:
                refusal = ServiceUnavailable(
                    question.owner,
                    maybe_recorded=refusal.maybe_recorded or error.maybe_recorded,
                    retry_after=error.retry_after,
                )
                replicas.rest(url)
        raise refusal

    async def _ask_replica[Answer](
        self, url: str, question: Ask[Answer], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        if self._client is None:
            message = "Services is used outside its context"
            raise RuntimeError(message)
        try:
            response = await self._client.post(
                f"{url}/ask/{question.name}", data=body, headers=headers
            )
            # reading it gives the connection back, or closes it: a context would only cost more
            content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ServiceUnavailable(question.owner) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServiceUnavailable(question.owner, maybe_recorded=True) from error
        if response.status == 200:
            answer: Answer = question.answer.validate_json(content)
            return answer
        raise _refusal(question.owner, response.headers, content)


def _refusal(
    service: str, headers: Mapping[str, str], content: bytes
) -> Rejection | ServiceUnavailable:
    """Read what is not an answer: a Rejection, or a service that cannot answer now."""
    try:
        problem = Problem.model_validate_json(content)
    except ValidationError:
        return ServiceUnavailable(service, maybe_recorded=True)
    if problem.code in ("busy", "internal_error"):
        retry_after = int(headers.get("retry-after", "5"))
        recorded = problem.code != "busy"
        return ServiceUnavailable(service, maybe_recorded=recorded, retry_after=retry_after)
    return Rejection.from_problem(problem)
