"""The books after the journeys: what services and mailbox have must be what families were told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import asyncpg
from stack.running import Stack

from bench.visitor import Filed

_SETTLED_WITHIN_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.2

_SUBMITTED = "SELECT receipt_number FROM application WHERE state = 'submitted'"
_SETTLED = "SELECT id FROM application WHERE claimed_at IS NOT NULL"
_WITHOUT_SEAT = "SELECT id FROM application WHERE missing_hold_ids <> '{}'"
_CLAIMED = "SELECT id FROM seat WHERE state = 'claimed'"
_OVER_CAPACITY = """
    SELECT course.id FROM course WHERE capacity < (
        SELECT count(*) FROM seat WHERE course_id = course.id AND state <> 'released'
    )"""
_MISCOUNTED = """
    SELECT course_id FROM occupancy WHERE taken <> (
        SELECT count(*) FROM seat
        WHERE seat.course_id = occupancy.course_id AND state <> 'released'
    )"""
_SENT = "SELECT id FROM message WHERE state = 'sent'"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the books, right where what was found is what was expected."""

    name: str
    expected: int
    found: int

    @property
    def is_right(self) -> bool:
        """Whether this line is right."""
        return self.expected == self.found


async def settle(stack: Stack, journeys: int) -> None:
    """Wait until every seat is claimed and every mail sent, or long enough for the books to say."""
    try:
        async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
            for service, statement in (("enrolment", _SETTLED), ("notifications", _SENT)):
                while len(await _column(stack, service, statement)) < journeys:
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
    except TimeoutError:
        pass  # what did not arrive is missing from the books


async def close_books(stack: Stack, families: int, filed: Sequence[Filed]) -> list[Entry]:
    """Count everything, once it has settled."""
    shown = {each.receipt_number for each in filed}
    submitted = await _column(stack, "enrolment", _SUBMITTED)
    mails = [_receipt_number(mail, shown) for mail in stack.mailbox.messages()]
    return [
        Entry("journeys_finished", families, len(filed)),
        Entry("applications_submitted", len(filed), len(submitted)),
        Entry("receipts_distinct", len(filed), len(shown & set(submitted))),
        Entry("mails_received", len(filed), len(mails)),
        Entry("mails_one_a_receipt", len(filed), len(shown & set(mails))),
        Entry(
            "seats_claimed",
            sum(each.seats for each in filed),
            len(await _column(stack, "courses", _CLAIMED)),
        ),
        Entry("seats_missing", 0, len(await _column(stack, "enrolment", _WITHOUT_SEAT))),
        Entry("courses_over_capacity", 0, len(await _column(stack, "courses", _OVER_CAPACITY))),
        Entry("courses_miscounted", 0, len(await _column(stack, "courses", _MISCOUNTED))),
    ]


def _receipt_number(mail: EmailMessage, shown: set[str]) -> str:
    """Find the receipt that a mail is about in its subject."""
    return next((word for word in str(mail["subject"]).split() if word in shown), "")


async def _column(stack: Stack, service: str, statement: str) -> list[object]:
    connection = await asyncpg.connect(stack.postgresql.url(service))
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()
