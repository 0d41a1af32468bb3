"""Whom a reminder concerns, and what a receipt's family lacks, on the copies that events keep.

A reminder has one statement a kind. It is asked of a whole campaign to remind it, and again of one
family as its message leaves: what it has done meanwhile is not asked of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from shared.contracts.letters import ReminderKind

_DRAFTS = """
SELECT family.id AS family_id, '{}'::text[] AS missing,
    array_agg(DISTINCT family.students ->> application.student_id::text) AS students
FROM application
JOIN family ON family.id = application.family_id
    AND family.students ? application.student_id::text
WHERE application.campaign_id = $1 AND ($2::uuid IS NULL OR application.family_id = $2)
    AND application.state = 'draft' AND application.state_at <= $3
GROUP BY family.id
"""
_LACKING = """
SELECT family.id AS family_id,
    array_agg(DISTINCT family.students ->> application.student_id::text) AS students,
    ARRAY(
        SELECT concat(
            piece.value ->> 'name',
            ' (' || (family.students ->> (piece.value ->> 'student_id')) || ')'
        )
        FROM jsonb_array_elements(missing_pieces.pieces) WITH ORDINALITY AS piece (value, position)
        WHERE piece.value ->> 'student_id' IS NULL
            OR (piece.value ->> 'student_id')::uuid = ANY (array_agg(application.student_id))
        ORDER BY piece.position
    ) AS missing
FROM missing_pieces
JOIN application ON application.campaign_id = missing_pieces.campaign_id
    AND application.family_id = missing_pieces.family_id AND application.state <> 'declined'
JOIN family ON family.id = missing_pieces.family_id
    AND family.students ? application.student_id::text
WHERE missing_pieces.campaign_id = $1 AND ($2::uuid IS NULL OR missing_pieces.family_id = $2)
    AND missing_pieces.pieces <> '[]' AND application.state_at <= $3
GROUP BY family.id, missing_pieces.campaign_id, missing_pieces.family_id
"""
_UNANSWERED = """
SELECT family.id AS family_id, '{}'::text[] AS missing,
    ARRAY(
        SELECT known.value FROM jsonb_each_text(family.students) AS known
        WHERE NOT EXISTS (
            SELECT FROM application
            WHERE application.campaign_id = $1 AND application.student_id = known.key::uuid
        )
        ORDER BY known.value
    ) AS students
FROM family
JOIN campaign ON campaign.id = $1 AND campaign.site_id = family.site_id
WHERE ($2::uuid IS NULL OR family.id = $2)
    AND $3::timestamptz IS NOT NULL -- as the others, though nobody begins not to answer
"""
_CONCERNED: Final[Mapping[ReminderKind, str]] = {
    "draft_reminder": f"SELECT * FROM ({_DRAFTS}) AS concerned",  # noqa: S608 - constants
    "documents_reminder": f"SELECT * FROM ({_LACKING}) AS concerned"  # noqa: S608
    " WHERE cardinality(missing) > 0",
    "answer_reminder": f"SELECT * FROM ({_UNANSWERED}) AS concerned"  # noqa: S608
    " WHERE cardinality(students) > 0",
}
_WANTED = (
    "NOT EXISTS (SELECT FROM reminder_refusal WHERE reminder_refusal.family_id = {family})"
    " AND NOT EXISTS (SELECT FROM reminder_stop"
    " WHERE reminder_stop.campaign_id = $1 AND reminder_stop.kind = {kind})"
)
_STILL = {
    kind: f"SELECT * FROM ({concerned}) AS still"  # noqa: S608
    f" WHERE {_WANTED.format(family='still.family_id', kind='$4')}"
    for kind, concerned in _CONCERNED.items()
}
_NOT_YET = {
    kind: still + " AND NOT EXISTS (SELECT FROM reminder WHERE reminder.campaign_id = $1"
    " AND reminder.kind = $4 AND reminder.occasion = $5"
    " AND reminder.family_id = still.family_id) ORDER BY still.family_id LIMIT $6"
    for kind, still in _STILL.items()
}
MISSING_OF_RECEIPT: Final = """ARRAY(
    SELECT piece.value ->> 'name'
    FROM missing_pieces,
        jsonb_array_elements(missing_pieces.pieces) WITH ORDINALITY AS piece (value, position)
    WHERE message.kind = 'submission_receipt'
        AND missing_pieces.campaign_id = message.campaign_id
        AND missing_pieces.family_id = message.family_id
        AND coalesce(cast(piece.value ->> 'student_id' AS uuid), message.student_id)
            = message.student_id
    ORDER BY piece.position
)"""
"""What the family lacks for the student of the ``message`` at hand, the family's own included."""
REMARKS_OF_RECEIPT: Final = """
SELECT coalesce(max(remarks.text), '') FROM remarks
WHERE remarks.receipt_number = message.receipt_number
"""
"""What the family said in its own words with the request of the ``message`` at hand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a family has to do still: for which students, and which pieces it lacks."""

    students: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


NOTHING: Final = Standing()


async def standing_of(
    connection: asyncpg.Connection,
    kind: ReminderKind,
    campaign_id: UUID,
    family_id: UUID,
    now: datetime,
) -> Standing | None:
    """Tell what a family is to be reminded of now; None where there is nothing, or it wants no
    reminder, or the staff stopped them.
    """
    row = await connection.fetchrow(_STILL[kind], campaign_id, family_id, now, kind)
    return None if row is None else Standing(tuple(row["students"]), tuple(row["missing"]))


async def not_yet_reminded(
    connection: asyncpg.Connection,
    kind: ReminderKind,
    campaign_id: UUID,
    since: datetime,
    occasion: str,
    at_most: int,
) -> list[UUID]:
    """Give families that a reminder concerns and that did not get it on this occasion."""
    rows = await connection.fetch(_NOT_YET[kind], campaign_id, None, since, kind, occasion, at_most)
    return [row["family_id"] for row in rows]


async def count_concerned(
    connection: asyncpg.Connection, kind: ReminderKind, campaign_id: UUID, now: datetime
) -> int:
    """Count the families that a reminder would concern now."""
    counted = f"SELECT count(*) FROM ({_CONCERNED[kind]}) AS counted"  # noqa: S608
    count: int = await connection.fetchval(counted, campaign_id, None, now)
    return count
