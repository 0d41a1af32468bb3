"""The queue of messages in the database: what the next mail says, and what became of it.

On the driver's own connection, which prepares each statement once: a mail is sent within a handful
of them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from operator import attrgetter
from typing import Final
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from shared.contracts.letters import Language
from shared.contracts.notifications import DeliveryState, MessageKind

from notifications.digest import NEWS, leaves_at
from notifications.mail import usable_addresses
from notifications.matters import ContactBlock, Matter, read_matter
from notifications.occasions import REMINDER_KINDS
from notifications.standing import (
    MISSING_OF_RECEIPT,
    NOTHING,
    REMARKS_OF_RECEIPT,
    Standing,
    standing_of,
)

_KNOWN = """
FROM message
JOIN family ON family.id = message.family_id
LEFT JOIN campaign ON campaign.id = message.campaign_id
JOIN site ON site.id = coalesce(message.site_id, campaign.site_id)
WHERE message.state = 'waiting'
    AND (message.student_id IS NULL OR family.students ? message.student_id::text)
    AND (message.campaign_id IS NULL OR campaign.id IS NOT NULL)
    AND (
        message.content -> 'has_remarks' IS DISTINCT FROM 'true'
        OR EXISTS (SELECT FROM remarks WHERE remarks.receipt_number = message.receipt_number)
    )
"""
_DUE = f"{_KNOWN} AND message.due_at <= $1"
_COUNT = f"SELECT count(*) FROM (SELECT {_DUE} LIMIT $2) AS due"  # noqa: S608 - a constant
_FORMER_NUMBER = """
SELECT CASE former.kind WHEN 'submission_receipt' THEN former.receipt_number END
FROM message AS former
WHERE former.application_id = message.application_id
    AND (former.content ->> 'received_at')::timestamptz
        < (message.content ->> 'received_at')::timestamptz
    AND (former.kind = 'submission_receipt' OR message.kind = 'decline_receipt')
ORDER BY (former.content ->> 'received_at')::timestamptz DESC LIMIT 1
"""
_OVER_AT = """
SELECT min(ended.created_at) FROM message AS ended
WHERE message.kind = 'waiting_list_offer' AND ended.kind = 'waiting_list_offer_ended'
    AND ended.family_id = message.family_id AND ended.place_id = message.place_id
"""
_WORDINGS = """
SELECT jsonb_object_agg(wording.kind, wording.text) FROM wording
WHERE wording.site_id = site.id AND wording.language = family.language
"""
_WHOLE = f"""
SELECT message.*, least(message.pointless_at, ({_OVER_AT})) AS pointless_from,
    family.guardians, family.language, family.students ->> message.student_id::text AS student,
    ({_FORMER_NUMBER}) AS former_number, ({_WORDINGS}) AS wordings,
    {MISSING_OF_RECEIPT} AS missing, ({REMARKS_OF_RECEIPT}) AS remarks,
    site.id AS of_site_id, site.name, site.address, site.postcode, site.city, site.phone,
    site.email, campaign.school_year, campaign.closes_at, campaign.documents_due_at
"""
_TAKE = f"{_WHOLE} {_DUE} ORDER BY message.due_at LIMIT 1 FOR UPDATE OF message SKIP LOCKED"
_GATHER = f"""
{_WHOLE} {_KNOWN} AND message.family_id = $1 AND site.id = $2 AND message.kind = ANY($3)
    AND message.id <> $4
FOR UPDATE OF message SKIP LOCKED
"""
_WRITE_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_LAST_NEWS_AT = """
SELECT max(state_at) FROM message
WHERE family_id = $1 AND kind = ANY($2) AND (state = 'sent' OR done_with <> '{}')
"""
_SETTLE = """
WITH settled AS (
    UPDATE message SET state = $2, state_at = $3, recipients = $4, failure = $5
    WHERE id = ANY($1)
)
INSERT INTO attempt (message_id, attempted_at, outcome, answer)
SELECT id, $3, $2, $5 FROM unnest($1::uuid[]) AS id
"""
_PUT_OFF = """
WITH put_off AS (
    UPDATE message SET due_at = $4, failed_attempts = failed_attempts + 1, is_paced = false,
        failure = CASE WHEN done_with = '{}' THEN $3 ELSE failure END
    WHERE id = $1
)
INSERT INTO attempt (message_id, attempted_at, outcome, answer) VALUES ($1, $2, 'waiting', $3)
"""
_WAIT_FOR_OTHERS = """
UPDATE message SET state = 'waiting', due_at = $2, is_paced = false, failure = $4,
    failed_attempts = failed_attempts + 1, done_with = done_with || $3::text[]
WHERE id = $1
"""
_ANSWERED = """
UPDATE attempt SET answer = said.answer
FROM unnest($1::uuid[], $2::text[]) AS said (message_id, answer)
WHERE attempt.id = (SELECT max(id) FROM attempt WHERE attempt.message_id = said.message_id)
"""
_REFUSED = "UPDATE message SET failure = $2 WHERE id = $1"
_PACED = "UPDATE message SET due_at = $2, is_paced = true WHERE id = ANY($1)"

_LOOKED_UP: Final = (
    "kind",
    "student",
    "school_year",
    "closes_at",
    "documents_due_at",
    "former_number",
    "remarks",
)
PLANS: Final = {
    "enable_sort": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""The next mail is found along the index of what is due, however many wait behind it."""
_ELSEWHERE_FOR: Final = timedelta(seconds=1)
"""How long news waits while another sender writes to its family."""


@dataclass(frozen=True, slots=True)
class Due:
    """A message taken to be sent, with what it is written from; ``wordings`` are its site's own.

    A reminder is not needed any more once there is nothing left to remind of. One that reached some
    addresses already is ``done_with`` them, and ``refused`` says which of them do not exist.
    """

    id: UUID
    kind: MessageKind
    application_id: UUID | None
    place_id: UUID | None
    family_id: UUID
    site_id: UUID
    correlation_id: str
    created_at: datetime
    due_at: datetime
    failed_attempts: int
    pointless_at: datetime | None
    is_paced: bool
    recipients: tuple[Address, ...]
    done_with: tuple[str, ...]
    refused: str
    language: Language
    wordings: Mapping[str, str]
    told: Mapping[str, object]
    is_needed: bool

    @property
    def is_reminder(self) -> bool:
        """Whether its family may refuse more of the kind."""
        return self.kind in REMINDER_KINDS

    @property
    def matter(self) -> Matter:
        """What it is about; raises ValueError where there is a ``fault``."""
        return read_matter(self.told)

    @property
    def fault(self) -> str:
        """Why it cannot be written: what its kind needs and is not told. Empty otherwise.

        It names fields and never shows what they hold: it goes to the log.
        """
        try:
            read_matter(self.told)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False, include_input=False)
            return " ; ".join(f"{'.'.join(map(str, one['loc']))} : {one['type']}" for one in faults)
        return ""


async def count_due(connection: asyncpg.Connection, now: datetime, at_most: int) -> int:
    """Count the messages that are due, as far as ``at_most``."""
    count: int = await connection.fetchval(_COUNT, now, at_most)
    return count


async def take(connection: asyncpg.Connection, now: datetime) -> tuple[Due, ...] | None:
    """Take what one mail says, until the transaction ends: None where nothing is due.

    It is the message due for longest that nobody else is sending; where that is news, with all the
    news of its family, the oldest first. Nothing where that news has to wait, and then it does.
    """
    row = await connection.fetchrow(_TAKE, now)
    if row is None:
        return None
    due = await _read(connection, row, now)
    if due.kind not in NEWS:
        return (due,)
    # whoever holds this writes to the family alone, and sees what was sent to it before
    if not await connection.fetchval(_WRITE_ALONE, str(due.family_id)):
        await _wait(connection, due, now + _ELSEWHERE_FOR)
        return ()
    last_left_at = await connection.fetchval(_LAST_NEWS_AT, due.family_id, list(NEWS))
    leaves = leaves_at(last_left_at, now)
    if leaves > now:
        await _wait(connection, due, leaves)
        return ()
    rows = await connection.fetch(_GATHER, due.family_id, due.site_id, list(NEWS), due.id)
    others = [await _read(connection, each, now) for each in rows]
    rest = [other for other in others if other.recipients == due.recipients]
    return tuple(sorted((due, *rest), key=attrgetter("created_at", "id")))


async def settle(
    connection: asyncpg.Connection,
    messages: Sequence[Due],
    state: DeliveryState,
    now: datetime,
    failure: str = "",
) -> None:
    """Write down how messages ended, together."""
    first = messages[0]
    recipients = ", ".join((*first.done_with, *(one.addr_spec for one in first.recipients)))
    why = _joined(first.refused, failure)
    await connection.execute(_SETTLE, _ids(messages), state, now, recipients, why)


async def note_answers(connection: asyncpg.Connection, answers: Mapping[UUID, str]) -> None:
    """Keep what the mail server said of the last attempt of each message."""
    await connection.execute(_ANSWERED, list(answers), list(answers.values()))


async def note_refusals(connection: asyncpg.Connection, due: Due, reasons: str) -> None:
    """Keep why some of the addresses got nothing of a mail that the others were sent."""
    await connection.execute(_REFUSED, due.id, _joined(due.refused, reasons))


async def wait_for_others(
    connection: asyncpg.Connection,
    due: Due,
    due_at: datetime,
    done_with: Sequence[str],
    refused: str,
) -> None:
    """Have a message tried again later for the addresses that it is not done with."""
    why = _joined(due.refused, refused)
    await connection.execute(_WAIT_FOR_OTHERS, due.id, due_at, done_with, why)


async def put_off(
    connection: asyncpg.Connection, due: Due, now: datetime, due_at: datetime, failure: str
) -> None:
    """Have a message tried again later, for it failed."""
    await connection.execute(_PUT_OFF, due.id, now, failure, due_at)


async def pace_out(
    connection: asyncpg.Connection, messages: Sequence[Due], due_at: datetime
) -> None:
    """Have messages wait for the moment that was booked for their mail."""
    await connection.execute(_PACED, _ids(messages), due_at)


async def _wait(connection: asyncpg.Connection, due: Due, due_at: datetime) -> None:
    await connection.execute("UPDATE message SET due_at = $2 WHERE id = $1", due.id, due_at)


def _joined(*reasons: str) -> str:
    return " ; ".join(filter(None, reasons))


def _ids(messages: Sequence[Due]) -> list[UUID]:
    return [message.id for message in messages]


async def _read(connection: asyncpg.Connection, row: asyncpg.Record, now: datetime) -> Due:
    standing = await _standing(connection, row, now)
    addressee = row["addressee"]
    people = [json.loads(addressee)] if addressee else json.loads(row["guardians"])
    done_with = tuple(row["done_with"])
    return Due(
        id=row["id"],
        kind=row["kind"],
        application_id=row["application_id"],
        place_id=row["place_id"],
        family_id=row["family_id"],
        site_id=row["of_site_id"],
        correlation_id=row["correlation_id"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        failed_attempts=row["failed_attempts"],
        pointless_at=row["pointless_from"],
        is_paced=row["is_paced"],
        recipients=tuple(one for one in usable_addresses(people) if one.addr_spec not in done_with),
        done_with=done_with,
        refused=row["failure"] if done_with else "",
        language=row["language"],
        wordings=json.loads(row["wordings"] or "{}"),
        told=_told(row, standing or NOTHING),
        is_needed=standing is not None,
    )


async def _standing(
    connection: asyncpg.Connection, row: asyncpg.Record, now: datetime
) -> Standing | None:
    """Find what a reminder is about now; any other message is needed whatever its family did."""
    if row["kind"] not in REMINDER_KINDS:
        return Standing(missing=tuple(row["missing"]))
    return await standing_of(connection, row["kind"], row["campaign_id"], row["family_id"], now)


def _told(row: asyncpg.Record, standing: Standing) -> dict[str, object]:
    contact = ContactBlock(
        name=row["name"],
        address=row["address"],
        postcode=row["postcode"],
        city=row["city"],
        phone=row["phone"],
        email=row["email"],
    )
    known = (
        "kind",
        "student",
        "school_year",
        "closes_at",
        "documents_due_at",
        "former_number",
        "remarks",
    )
    content: dict[str, object] = json.loads(row["content"])
    return {name: row[name] for name in known} | {"site": contact} | asdict(standing) | content
