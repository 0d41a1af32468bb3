"""Events leave for webhooks: a lane for each, so that a slow one delays no other."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import aiohttp
from prometheus_client import Counter
from shared.db import Database, Transaction
from shared.observability import correlated, get_logger

from notifications.webhooks.addresses import AddressRule
from notifications.webhooks.deliveries import Due, Outcome, claim, settle, webhooks_to_serve
from notifications.webhooks.signing import signed_headers

log = get_logger()

DELIVERIES = Counter(
    "rentree_webhook_deliveries_total", "Attempts to deliver an event to a webhook", ["outcome"]
)

AT_ONCE = 8
"""Events that a replica sends to one webhook at the same time: what one crash may repeat."""

_LOOKS_EVERY_SECONDS = 0.25
_ANSWERS_WITHIN_SECONDS = 10.0
_LANES_END_WITHIN_SECONDS = 4.0  # within what a graceful stop waits for a chore
_KEPT_OPEN_SECONDS = 3.0  # less than servers do: an event must not meet a line just closed
_CONNECTIONS = 3  # of the pool, whatever the number of webhooks: messages and asks need the others
_ANSWER_KEPT = 500
_ANSWER_READ_BYTES = 4 * _ANSWER_KEPT


async def deliver_webhooks(database: Database, rule: AddressRule, stop: asyncio.Event) -> None:
    """Deliver what is due until told to stop; what is being sent then has a moment to arrive."""
    async with way_out(rule) as session:
        courier = Courier(database, rule, session, stop)
        try:
            while not stop.is_set():
                await courier.open_lanes()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOKS_EVERY_SECONDS):
                        await stop.wait()
        finally:
            await courier.close_lanes()


@dataclass(slots=True)
class Courier:
    """Sends what is due, webhook by webhook, until told to stop."""

    database: Database
    rule: AddressRule
    session: aiohttp.ClientSession
    stop: asyncio.Event
    _lanes: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    _connections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_CONNECTIONS))

    async def open_lanes(self) -> None:
        """Begin to serve the webhooks that have something due and are not being served."""
        async with self._transaction() as tx:
            due = await webhooks_to_serve(tx, datetime.now(UTC))
        for webhook_id in due:
            if webhook_id not in self._lanes:
                lane = asyncio.create_task(self._serve(webhook_id))
                self._lanes[webhook_id] = lane

    async def close_lanes(self) -> None:
        """Let what is being sent arrive for a while, then give it up: its lease will end."""
        lanes = set(self._lanes.values())
        if not lanes:
            return
        await asyncio.wait(lanes, timeout=_LANES_END_WITHIN_SECONDS)
        for lane in lanes:
            lane.cancel()
        await asyncio.wait(lanes)

    async def _serve(self, webhook_id: UUID) -> None:
        """Send to one webhook until nothing is due to it."""
        try:
            while not self.stop.is_set():
                async with self._transaction() as tx:
                    batch = await claim(tx, webhook_id, datetime.now(UTC), at_most=AT_ONCE)
                if not batch:
                    return
                await asyncio.gather(*(self._deliver(due) for due in batch))
        except Exception as error:  # noqa: BLE001 - whatever failed, the lane opens again
            log.warning("webhook put off", webhook_id=str(webhook_id), error=repr(error))
        finally:
            del self._lanes[webhook_id]

    async def _deliver(self, due: Due) -> None:
        """Send one event and write what became of it.

        What cannot be written is sent again once its lease ends, and holds up none of the others.
        """
        with correlated(due.event.correlation_id, webhook_id=str(due.webhook_id)):
            outcome = await send(self.session, self.rule, due)
            state: str = "unrecorded"
            try:
                async with self._transaction() as tx:
                    jitter = random.random()  # noqa: S311 - chance, not a secret
                    state = await settle(tx, due, outcome, datetime.now(UTC), jitter)
            except Exception as error:  # noqa: BLE001 - whatever failed, it is sent again
                log.warning("webhook delivery not recorded", error=repr(error))
            DELIVERIES.labels(state).inc()
            log.info(
                "webhook attempted",
                event_id=str(due.event.id),
                outcome=state,
                attempt=due.attempt,
                status=outcome.status,
                failure=outcome.failure,
            )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._connections, self.database.transaction() as tx:
            yield tx


async def send(session: aiohttp.ClientSession, rule: AddressRule, due: Due) -> Outcome:
    """Send one event, signed; anything but an answer is a failure, told in a few words."""
    if objection := rule.objection(due.url):
        return Outcome(0, failure=objection)
    body = due.event.body()
    headers = {
        "content-type": "application/cloudevents+json",
        **signed_headers(due.event.id, body, due.secrets, datetime.now(UTC)),
    }
    started = time.monotonic()
    status, answer, failure = None, "", ""
    try:
        async with session.post(
            due.url, data=body.encode(), headers=headers, allow_redirects=False
        ) as response:
            status = response.status
            answer = await _beginning(response)
    except TimeoutError:
        failure = f"no answer within {_ANSWERS_WITHIN_SECONDS:.0f} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        failure = _storable(str(error) or repr(error))
    milliseconds = round((time.monotonic() - started) * 1000)
    return Outcome(milliseconds, status, answer, failure)


@asynccontextmanager
async def way_out(rule: AddressRule) -> AsyncIterator[aiohttp.ClientSession]:
    """Open the way out: no proxy, no cookie, nothing that an answer could swell in memory."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEPT_OPEN_SECONDS,
            socket_factory=rule.open_socket,
        ),
        timeout=aiohttp.ClientTimeout(total=_ANSWERS_WITHIN_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"user-agent": "Rentree-Webhooks", "accept-encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Read how an answer begins; its status counts, whatever becomes of the rest."""
    read = bytearray()
    try:
        while len(read) < _ANSWER_READ_BYTES and not response.content.at_eof():
            read += await response.content.read(_ANSWER_READ_BYTES - len(read))
    except (aiohttp.ClientError, OSError):
        log.info("webhook answer cut short")
    return _storable(read.decode(errors="replace"))


def _storable(text: str) -> str:
    """Keep the beginning; PostgreSQL takes no NUL in a text."""
    return text.replace("\x00", "\ufffd")[:_ANSWER_KEPT]
