"""Messages leave: any replica takes due ones, one transaction each, and hands them over.

A message is locked while it is sent, so that no other sender takes it. That it is sent, and the
event that tells so, are written *before* the mail is handed over and undone where the mail server
does not take it: once it does, only the commit remains. A hand-over runs to its end even where
another line fails or the replica is told to stop. So a mail is sent twice only where the server
accepted it, and

- its answer was lost with the line, or came after the five seconds that a hand-over may last;
- or the commit did not follow: the process or its machine died first, or the database was lost.

Both copies carry one Message-ID, and there is one mail at most in hand on each line.

News to a family is gathered: all that waits leaves in one mail (:mod:`notifications.digest`), and
is settled with it, in one transaction.

A message whose family, student, site or campaign is not known yet is simply not due: events come
in any order. One that would come too late, as an offer that ended, has failed: it would mislead.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

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
    note_answer,
    note_refusals,
    pace_out,
    put_off,
    settle,
    take,
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
    ends_at = time.monotonic() + _ROUND_SECONDS
    connection = await database.open_apart(**PLANS)
    try:
        async with sending.postman.line() as line:
            while line.is_open and time.monotonic() < ends_at and not sending.is_ending:
                if not await _send_next(database, connection, sending, line):
                    return
    except MailServerAway as error:
        # no message's fault and held against none: they leave as soon as it is back
        log.warning("mail server away", error=str(error))
    finally:
        connection.terminate()


async def _send_next(
    database: Database, connection: asyncpg.Connection, sending: Sending, line: Line
) -> bool:
    """Send the mail due for longest that nobody else is sending; false where there is none."""
    now = datetime.now(UTC)
    async with connection.transaction():
        taken = await take(connection, now)
        if taken is None:
            return False
        messages = await _leave_out(connection, taken, now)
        if not messages:
            return True
        with correlated(messages[0].correlation_id, message_id=str(messages[0].id)):
            if moment := await _moment(database, sending.pace, messages, now):
                await pace_out(connection, messages, moment)
                return True
            answer = await _send(connection, messages, line, sending, now)
    if answer:
        # after the commit, which nothing may delay: a crash loses but these words
        await note_answer(connection, messages, answer)
    return True


async def _leave_out(
    connection: asyncpg.Connection, taken: Sequence[Due], now: datetime
) -> Sequence[Due]:
    """Give what a mail has to say still; the rest is settled, or waits where it cannot be read."""
    told = []
    for due in taken:
        with correlated(due.correlation_id, message_id=str(due.id)):
            if not due.is_needed:
                await _end(connection, [due], "not_needed", now)
            elif due.pointless_at is not None and due.pointless_at <= now:
                await _end(connection, [due], "failed", now, "it came too late to be of any use")
            elif fault := due.fault:
                log.warning("message not readable", error=fault)
                await _put_off(connection, [due], now, fault)
            else:
                told.append(due)
    return told


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


async def _send(
    connection: asyncpg.Connection,
    messages: Sequence[Due],
    line: Line,
    sending: Sending,
    now: datetime,
) -> str:
    """Send messages in one mail and write what became of them, and give what the mail server
    answered; a failure leaves them waiting, or failed.
    """
    if not messages[0].recipients:
        await _end(connection, messages, "no_address", now)
        return ""
    try:
        mail = await _written(messages, sending, now)
        async with connection.transaction():
            accepted = await _hand_over(connection, messages, line, mail, now)
    except MailRefused as refusal:
        await _end(connection, messages, "failed", now, str(refusal))
        return ""
    except Exception as error:  # noqa: BLE001 - whatever failed, it is tried again and the others leave
        # the mail server's words name addresses: they are kept with the attempt, not in the log
        log.warning("message not sent", error=type(error).__name__)
        await _put_off(connection, messages, now, repr(error))
        return ""
    _count(messages, "sent")
    if accepted.refused:
        await note_refusals(connection, messages, in_words(accepted.refused))
    return accepted.answer


async def _hand_over(
    connection: asyncpg.Connection, messages: Sequence[Due], line: Line, mail: Mail, now: datetime
) -> Acceptance:
    await settle(connection, messages, "sent", now)
    for due in messages:
        with correlated(due.correlation_id):
            await emit_on(
                connection,
                MessageSent(
                    message_id=due.id,
                    application_id=due.application_id,
                    place_id=due.place_id,
                    family_id=due.family_id,
                    kind=due.kind,
                    sent_at=now,
                ),
            )
    return await line.hand_over(mail)


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
        await sending.press.attachments(matters[0]),
    )


async def _put_off(
    connection: asyncpg.Connection, messages: Sequence[Due], now: datetime, failure: str
) -> None:
    """Have messages tried again later; what was tried for 48 hours is given up."""
    jitter = random.random()  # noqa: S311 - chance, not a secret
    for due in messages:
        due_at = next_attempt(due.failed_attempts + 1, due.created_at, now, jitter)
        if due_at is None:
            await _end(connection, [due], "failed", now, failure)
        else:
            await put_off(connection, due, now, due_at, failure)
            _count([due], "waiting")


async def _end(
    connection: asyncpg.Connection,
    messages: Sequence[Due],
    state: DeliveryState,
    now: datetime,
    failure: str = "",
) -> None:
    await settle(connection, messages, state, now, failure)
    _count(messages, state)


def _count(messages: Sequence[Due], outcome: DeliveryState) -> None:
    for due in messages:
        MESSAGES.labels(due.kind, outcome).inc()
        log.info("message handled", kind=due.kind, outcome=outcome)
