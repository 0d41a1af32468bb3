"""What is typed at a step and not sent yet, kept as it is, right or wrong, for whoever typed it.

Services that own the fields take whole and valid ones alone, and tell others of each change: half
a word is none of their business. So it waits here, beside the draft it belongs to, until its step
is done. Savings cross on the way, from several pages and devices: those of one page follow its own
count, those of two the instant at which they were typed.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.enrolment import ForgetEntries, KeepEntries, KeptEntries, ShowEntries
from shared.contracts.identity import FamilyErased
from shared.db import Transaction
from sqlalchemy import ColumnElement, Row, Select, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from enrolment.tables import application, kept_entries, student


async def keep_entries(command: KeepEntries, caller: Caller, tx: Transaction) -> None:
    """Keep what the caller typed, unless something typed later is kept already."""
    # shared with the family's other pages; what ends the draft waits, or is seen
    wanted = _own_application(command.application_id, caller).with_for_update(
        read=True, of=application
    )
    state = (await _require_one(tx, wanted)).state
    if state != "draft":
        raise Rejection(
            "not_a_draft",
            "Cette demande n'est plus un brouillon : ce que vous saisissez ici n'est pas gardé.",
        )
    kept = insert(kept_entries).values(
        application_id=command.application_id,
        step=command.step,
        account_id=caller.account_id,
        family_id=caller.family(),
        entries=[list(entry) for entry in command.entries],
        page_id=command.page_id,
        position=command.position,
        # a clock that runs ahead would be believed for ever
        typed_at=min(command.typed_at, datetime.now(UTC)),
    )
    stored, arriving = kept_entries.c, kept.excluded
    is_same_page = stored.page_id == arriving.page_id
    await tx.execute(
        kept.on_conflict_do_update(
            index_elements=[stored.application_id, stored.step, stored.account_id],
            set_={column.name: column for column in arriving if not column.primary_key},
            where=or_(
                and_(is_same_page, stored.position < arriving.position),
                and_(~is_same_page, stored.typed_at < arriving.typed_at),
            ),
        )
    )


async def forget_entries(command: ForgetEntries, caller: Caller, tx: Transaction) -> None:
    """Forget what the caller typed at a step, where there is anything."""
    await _require_one(tx, _own_application(command.application_id, caller))
    await step_done(tx, command.application_id, command.step, caller)


async def show_entries(query: ShowEntries, caller: Caller, tx: Transaction) -> KeptEntries | None:
    """Show what the caller typed at a step and did not send; nobody else's is ever read."""
    wanted = (
        _own_application(query.application_id, caller)
        .add_columns(kept_entries.c.entries, kept_entries.c.typed_at)
        .join(kept_entries, _of(query.application_id, query.step, caller), isouter=True)
    )
    row = await _require_one(tx, wanted)
    if row.entries is None:
        return None
    return KeptEntries(entries=row.entries, typed_at=row.typed_at)


async def erase_entries(event: FamilyErased, tx: Transaction) -> None:
    """Keep nothing that was typed in a family whose data is to leave (S96)."""
    await tx.execute(delete(kept_entries).where(kept_entries.c.family_id == event.family_id))


async def step_done(tx: Transaction, application_id: UUID, step: int, caller: Caller) -> None:
    """Forget what the caller typed at a step that is done with it."""
    await tx.execute(delete(kept_entries).where(_of(application_id, step, caller)))


async def draft_ended(tx: Transaction, application_id: UUID) -> None:
    """Forget what anybody typed in a draft that is sent, or that is no more."""
    await tx.execute(delete(kept_entries).where(kept_entries.c.application_id == application_id))


def _own_application(application_id: UUID, caller: Caller) -> Select[tuple[object, ...]]:
    """Select the state of an application of the caller's family."""
    return (
        select(application.c.state)
        .join(student, student.c.id == application.c.student_id)
        .where(application.c.id == application_id, student.c.family_id == caller.family())
    )


async def _require_one(tx: Transaction, wanted: Select[tuple[object, ...]]) -> Row[Any]:
    """Give the application wanted; another family's does not exist (S97)."""
    row = (await tx.execute(wanted)).one_or_none()
    if row is None:
        raise Rejection.not_found()
    return row


def _of(application_id: UUID, step: int, caller: Caller) -> ColumnElement[bool]:
    return and_(
        kept_entries.c.application_id == application_id,
        kept_entries.c.step == step,
        kept_entries.c.account_id == caller.account_id,
    )
