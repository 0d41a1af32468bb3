"""Messages leave: any replica takes due ones, one transaction each, and hands them over.

A message is locked while it is sent, so that no other sender takes it. That it is sent, and the
event that tells so, are written *before* the mail is handed over and undone where the mail server
does not take it: once it does, only the commit remains. A hand-over runs to its end even where
another line fails or the replica is told to stop. So a mail is sent twice only where the server
accepted it, and

- its answer was lost with the line, or came after the five seconds that a hand-over may last;
- or the commit did not follow: the process or its machine died first, or the database was lost.

Both copies carry one Message-ID, and there is one mail at most in hand on each line. A mail that
the server took for some of its addresses, and refused for now for others, waits for those alone.

News to a family is gathered: all that waits leaves in one mail (:mod:`notifications.digest`), and
is settled with it, in one transaction.

A message whose family, student, site or campaign is not known yet is simply not due: events come
in any order. One that would come too late, as an offer that ended, is not sent: it would mislead.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from prometheus_client import Counter
from shared.contracts.notifications import DeliveryState, MessageSent
from shared.db import Database, driver_connection
from shared.observability import correlated, get_logger
from shared.outbox import emit_on

from notifications.digest import NEWS
from notifications.letters import Frame, write_letter, write_news
from notifications.mail import Letterhead, Mail, Marks, compose
from notifications.opting_out import ReminderLinks
from notifications.pacing import Pace, book
from notifications.patience import next_attempt
from notifications.postman import (
    TAKES_A_MAIL_WITHIN_SECONDS,
    Acceptance,
    Line,
    MailRefused,
    MailServerAway,
    Postman,
    in_words,
)
from notifications.press import Press
from notifications.taking import (
    PLANS,
    Due,
    count_due,
    note_answers,
    note_refusals,
    pace_out,
    put_off,
    settle,
    take,
    wait_for_others,
)

log = get_logger()

MESSAGES = Counter("rentree_messages_total", "Attempts to send a message", ["kind", "outcome"])

_ROUND_SECONDS = 2.0
_LAST_MAIL_SECONDS = 0.5  # with a hand-over, within the 6 s that a graceful stop waits


@dataclass(slots=True)
class Sending:
    """What a replica sends with: whom it writes as, what prints the receipts that go with letters,
    what makes the links of reminders, how fast, and on how many lines at once.
    """

    postman: Postman
    letterhead: Letterhead
    press: Press
    links: ReminderLinks
    pace: Pace = field(default_factory=Pace)
    lines: int = 1
    is_ending: bool = field(default=False, init=False)
    _idle: list[asyncpg.Connection] = field(default_factory=list, init=False)

    @asynccontextmanager
    async def connection(self, database: Database) -> AsyncIterator[asyncpg.Connection]:
        """Give a connection with its statements prepared: one that did well before, if any."""
        self._idle[:] = [each for each in self._idle if not each.is_closed()]
        connection = self._idle.pop() if self._idle else await database.open_apart(**PLANS)
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)


async def send_due_messages(database: Database, sending: Sending) -> None:
    """Send the messages that are due, over as many lines as there are messages, within bounds.

    Told to end, it lets the mails at hand arrive first.
    """
    postman = sending.postman
    await postman.hang_up()
    if postman.is_resting:
        return
    async with database.transaction() as tx:
        lines = await count_due(await driver_connection(tx), datetime.now(UTC), sending.lines)
    rounds = asyncio.gather(
        *(_make_round(database, sending) for _ in range(lines)), return_exceptions=True
    )
    try:
        ends = await asyncio.shield(rounds)
    except asyncio.CancelledError:
        sending.is_ending = True
        await asyncio.wait([rounds], timeout=_LAST_MAIL_SECONDS + TAKES_A_MAIL_WITHIN_SECONDS)
        raise
    for end in ends:
        if end is not None:
            log.warning("line given up", error=repr(end))


async def _make_round(database: Database, sending: Sending) -> None:
    try:
        async with (
            sending.postman.line() as line,
            sending.connection(database) as connection,
        ):
            await _Round(database, connection, sending, line).make()
    except MailServerAway as error:
        # no message's fault and held against none: they leave as soon as it is back
        log.warning("mail server away", error=str(error))


@dataclass(slots=True)
class _Round:
    """One mail after the other on a line, and on a connection of its own.

    What adds up is how often the database is asked for each: five times, from taking a message to
    the commit, which begins the next transaction. What the mail server answered waits for the end
    of the round: a crash loses but these words.
    """

    database: Database
    connection: asyncpg.Connection
    sending: Sending
    line: Line
    answers: dict[UUID, str] = field(default_factory=dict)

    async def make(self) -> None:
        """Send mails for a while, as long as there are any and the line holds."""
        ends_at = time.monotonic() + _ROUND_SECONDS
        await self.connection.execute("BEGIN")
        while self.line.is_open and time.monotonic() < ends_at and not self.sending.is_ending:
            if not await self._send_next():
                break
        if self.answers:
            await note_answers(self.connection, self.answers)
        await self.connection.execute("COMMIT")

    async def _send_next(self) -> bool:
        """Send the mail due for longest that nobody else is sending; false where there is none."""
        now = datetime.now(UTC)
        taken = await take(self.connection, now)
        if taken is None:
            return False
        messages = await self._leave_out(taken, now)
        if messages:
            with correlated(messages[0].correlation_id, message_id=str(messages[0].id)):
                if moment := await _moment(self.database, self.sending.pace, messages, now):
                    await pace_out(self.connection, messages, moment)
                else:
                    await self._send(messages, now)
        await self.connection.execute("COMMIT AND CHAIN")
        return True

    async def _leave_out(self, taken: Sequence[Due], now: datetime) -> Sequence[Due]:
        """Give what a mail has to say still; the rest is settled, or waits where it cannot be
        read.
        """
        told = []
        for due in taken:
            with correlated(due.correlation_id, message_id=str(due.id)):
                if not due.is_needed:
                    await self._end([due], "not_needed", now)
                elif due.pointless_at is not None and due.pointless_at <= now:
                    await self._end([due], "too_late", now)
                elif fault := due.fault:
                    log.warning("message not readable", error=fault)
                    await self._put_off([due], now, fault)
                else:
                    told.append(due)
        return told

    async def _send(self, messages: Sequence[Due], now: datetime) -> None:
        """Send messages in one mail and write what became of them; a failure leaves them waiting,
        or failed.
        """
        if not messages[0].recipients:
            await self._end(messages, "no_address", now)
            return
        await self.connection.execute("SAVEPOINT unsent")
        try:
            mail = await _written(messages, self.sending, now)
            await self._write_down(messages, now)
            accepted = await self.line.hand_over(mail)
        except MailRefused as refusal:
            await self.connection.execute("ROLLBACK TO SAVEPOINT unsent")
            await self._end(messages, "failed", now, str(refusal))
        except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again and the others leave
            await self.connection.execute("ROLLBACK TO SAVEPOINT unsent")
            # the mail server's words name addresses: they are kept with the attempt, not in the log
            log.warning("message not sent", error=type(error).__name__)
            await self._put_off(messages, now, repr(error))
        else:
            _count(messages, "sent")
            await self._note(messages, accepted, now)

    async def _write_down(self, messages: Sequence[Due], now: datetime) -> None:
        await settle(self.connection, messages, "sent", now)
        for due in messages:
            if due.done_with:
                continue  # told when the first of its addresses was reached
            with correlated(due.correlation_id):
                await emit_on(
                    self.connection,
                    MessageSent(
                        message_id=due.id,
                        application_id=due.application_id,
                        place_id=due.place_id,
                        family_id=due.family_id,
                        kind=due.kind,
                        sent_at=now,
                    ),
                )

    async def _note(self, messages: Sequence[Due], accepted: Acceptance, now: datetime) -> None:
        """Keep what the mail server said, and have the addresses that it refuses for now tried
        again, alone.
        """
        answer = accepted.answer
        if accepted.refused_for_now:
            answer = f"{answer} ; {in_words(accepted.refused_for_now)}"
        self.answers |= dict.fromkeys((due.id for due in messages), answer)
        if not (accepted.refused or accepted.refused_for_now):
            return
        reached = [
            address.addr_spec
            for address in messages[0].recipients
            if address.addr_spec not in accepted.refused_for_now
        ]
        for due in messages:
            due_at = _next_attempt(due, now) if accepted.refused_for_now else None
            if due_at is None:
                reasons = {**accepted.refused, **accepted.refused_for_now}
                await note_refusals(self.connection, due, in_words(reasons))
            else:
                refused = in_words(accepted.refused)
                await wait_for_others(self.connection, due, due_at, reached, refused)

    async def _put_off(self, messages: Sequence[Due], now: datetime, failure: str) -> None:
        """Have messages tried again later; what was tried for 48 hours is given up."""
        for due in messages:
            due_at = _next_attempt(due, now)
            if due_at is None:
                await self._end([due], "failed", now, failure)
            else:
                await put_off(self.connection, due, now, due_at, failure)
                _count([due], "waiting")

    async def _end(
        self, messages: Sequence[Due], state: DeliveryState, now: datetime, failure: str = ""
    ) -> None:
        """Try messages no more. Those that reached some of their addresses were sent."""
        ended: DeliveryState = "sent" if messages[0].done_with else state
        await settle(self.connection, messages, ended, now, failure)
        _count(messages, ended)


async def _moment(
    database: Database, pace: Pace, messages: Sequence[Due], now: datetime
) -> datetime | None:
    """Give the moment that a mail has to wait for; none where it may leave now.

    News that joins a mail whose moment was booked waits for it too.
    """
    booked = [message.due_at for message in messages if message.is_paced]
    if booked:
        return max(booked) if max(booked) > now else None
    domains = {address.domain.casefold() for address in messages[0].recipients}
    return await book(database, pace, domains, now) if domains else None


async def _written(messages: Sequence[Due], sending: Sending, now: datetime) -> Mail:
    """Write the mail of messages: the first one's identifier and click are its own."""
    first, portal_url = messages[0], sending.letterhead.portal_url
    may_refuse = any(due.is_reminder for due in messages)
    link = sending.links.link(first.family_id) if may_refuse else ""
    frame = Frame(first.wordings, link)
    matters = [due.matter for due in messages]
    if first.kind in NEWS:
        letter = write_news(matters, portal_url, first.language, frame)
    else:
        letter = write_letter(matters[0], portal_url, first.language, frame)
    return compose(
        letter,
        first.recipients,
        sending.letterhead,
        Marks(first.id, first.correlation_id, matters[0].site.email, link),
        now,
        await sending.press.attachments(matters[0], first.language),
    )


def _next_attempt(due: Due, now: datetime) -> datetime | None:
    jitter = random.random()  # noqa: S311 - chance, not a secret
    return next_attempt(due.failed_attempts + 1, due.created_at, now, jitter)


def _count(messages: Sequence[Due], outcome: DeliveryState) -> None:
    for due in messages:
        MESSAGES.labels(due.kind, outcome).inc()
        log.info("message handled", kind=due.kind, outcome=outcome)
