"""What is typed at a step and not sent yet, kept as it is, right or wrong, for whoever typed it.

Services that own the fields take whole and valid ones alone, and tell others of each change: half
a word is none of their business. So it waits here, beside the draft it belongs to, until its step
is done; of a draft left at closing it is there to be read, for as long as documents are due.
Savings cross on the way, from several pages and devices: those of one page follow its own count,
those of two, and the end of the step, the instant at which they were typed.
"""

from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.enrolment import ForgetEntries, KeepEntries, KeptEntries, ShowEntries
from shared.db import Database, Transaction
from shared.identifiers import new_id
from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    and_,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from enrolment.applications import read_campaign
from enrolment.erasure import hold_family
from enrolment.lifecycle import require_open
from enrolment.tables import application, campaign, kept_entries, student

_KEY = [column.name for column in kept_entries.primary_key]


async def keep_entries(command: KeepEntries, caller: Caller, tx: Transaction) -> None:
    """Keep what the caller typed, unless something typed later is kept already."""
    now = datetime.now(UTC)
    row = await _hold(tx, command.application_id, caller)
    if not _is_at_work(row):
        raise Rejection(
            "not_a_draft",
            "Cette demande n'est pas en cours de saisie : ce que vous tapez ici n'est pas gardé.",
        )
    its_campaign = read_campaign(row)
    require_open(its_campaign, now, since=its_campaign.prepares_at)
    saving = _saving(command.application_id, command.step, caller).values(
        entries=[list(entry) for entry in command.entries],
        page_id=command.page_id,
        position=command.position,
        # a clock that runs ahead would be believed for ever
        typed_at=min(command.typed_at, now),
    )
    stored, arriving = kept_entries.c, saving.excluded
    is_same_page = stored.page_id == arriving.page_id
    await tx.execute(
        saving.on_conflict_do_update(
            index_elements=_KEY,
            set_=_all_of(saving),
            where=or_(
                and_(is_same_page, stored.position < arriving.position),
                and_(~is_same_page, stored.typed_at < arriving.typed_at),
            ),
        )
    )


async def forget_entries(command: ForgetEntries, caller: Caller, tx: Transaction) -> None:
    """Forget what the caller typed at a step, where there is anything."""
    row = await _hold(tx, command.application_id, caller)
    if _is_at_work(row):
        await forget_step(tx, command.application_id, command.step, caller)


async def show_entries(query: ShowEntries, caller: Caller, tx: Transaction) -> KeptEntries | None:
    """Show what the caller typed at a step and did not send; nobody else's is ever read."""
    wanted = (
        _own_application(query.application_id, caller)
        .add_columns(kept_entries.c.entries, kept_entries.c.typed_at)
        .join(kept_entries, _of(query.application_id, query.step, caller), isouter=True)
    )
    row = await _require_one(tx, wanted)
    if not row[kept_entries.c.entries]:
        return None
    return KeptEntries(entries=row[kept_entries.c.entries], typed_at=row[kept_entries.c.typed_at])


async def purge_entries(database: Database) -> None:
    """Purge what was typed in campaigns that closed and wait for no document any more."""
    over = (
        select(application.c.id)
        .join(campaign, campaign.c.id == application.c.campaign_id)
        .where(func.greatest(campaign.c.closes_at, campaign.c.documents_due_at) <= func.now())
    )
    async with database.transaction() as tx:
        await tx.execute(delete(kept_entries).where(kept_entries.c.application_id.in_(over)))


async def forget_step(tx: Transaction, application_id: UUID, step: int, caller: Caller) -> None:
    """Forget what the caller typed at a step of a draft that is held or locked.

    That it was forgotten, and when, is kept: a saving that comes late does not bring it back.
    """
    saving = _saving(application_id, step, caller).values(
        entries=[], page_id=new_id(), position=0, typed_at=datetime.now(UTC)
    )
    await tx.execute(saving.on_conflict_do_update(index_elements=_KEY, set_=_all_of(saving)))


async def forget_draft(tx: Transaction, application_id: UUID) -> None:
    """Forget what anybody typed in a draft that is sent, or that is no more."""
    await tx.execute(delete(kept_entries).where(kept_entries.c.application_id == application_id))


async def _hold(tx: Transaction, application_id: UUID, caller: Caller) -> RowMapping:
    """Give the state and campaign of an application of the caller's family.

    It is shared with the family's other pages; what ends the draft waits, or is seen.
    """
    await hold_family(tx, caller.family())
    wanted = (
        _own_application(application_id, caller)
        .add_columns(campaign)
        .join(campaign, campaign.c.id == application.c.campaign_id)
    )
    return await _require_one(tx, wanted.with_for_update(read=True, of=application))


def _own_application(application_id: UUID, caller: Caller) -> Select[tuple[object, ...]]:
    """Select where an application of the caller's family stands."""
    return (
        select(application.c.state, application.c.amendment.is_not(None).label("is_amended"))
        .join(student, student.c.id == application.c.student_id)
        .where(application.c.id == application_id, student.c.family_id == caller.family())
    )


def _is_at_work(row: RowMapping) -> bool:
    """Tell whether there are steps to do: those of a draft, or of an amendment."""
    return row[application.c.state] == "draft" or bool(row["is_amended"])


async def _require_one(tx: Transaction, wanted: Select[tuple[object, ...]]) -> RowMapping:
    """Give the application wanted; another family's does not exist (S97)."""
    row = (await tx.execute(wanted)).mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return row


def _saving(application_id: UUID, step: int, caller: Caller) -> Insert:
    return insert(kept_entries).values(
        application_id=application_id,
        step=step,
        account_id=caller.account_id,
        family_id=caller.family(),
    )


def _all_of(saving: Insert) -> dict[str, ColumnElement[object]]:
    """Replace all that is kept at that step."""
    return {column.name: column for column in saving.excluded if not column.primary_key}


def _of(application_id: UUID, step: int, caller: Caller) -> ColumnElement[bool]:
    return and_(
        kept_entries.c.application_id == application_id,
        kept_entries.c.step == step,
        kept_entries.c.account_id == caller.account_id,
    )
