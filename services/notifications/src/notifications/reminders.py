"""Reminders: queued once a family and an occasion, by a chore that any replica may do (S24, S85).

A row for each family and occasion goes with its message, in one transaction: a restart, a twin
replica or a clock that jumps finds it there. One that could not leave before the next of its kind
gives way to it. Whether a reminder still has an object is seen again as it leaves.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.letters import ReminderKind, Reminders
from shared.contracts.notifications import (
    LaunchReminders,
    ListReminders,
    ResumeReminders,
    StopReminders,
)
from shared.db import Database, Transaction, driver_connection
from shared.handlers import Occurrence
from shared.identifiers import new_id
from shared.observability import correlation_id, get_logger
from sqlalchemy.dialects.postgresql import insert

from notifications.occasions import (
    LAUNCHED_AT_MOST_EVERY,
    REMINDER_KINDS,
    Deadlines,
    Occasion,
    launched,
    present_occasion,
)
from notifications.outgoing import message_id, queue_message
from notifications.standing import count_concerned, not_yet_reminded
from notifications.tables import campaign, message, reminder, reminder_launch, reminder_stop

log = get_logger()

_AT_ONCE = 200
_DEADLINES = sa.select(campaign.c.id, campaign.c.closes_at, campaign.c.documents_due_at)


async def queue_reminders(database: Database) -> None:
    """Queue the reminders whose occasion has come, and those that the staff launched."""
    now = datetime.now(UTC)
    for deadlines in await _running(database, now):
        for kind in REMINDER_KINDS:
            occasion = present_occasion(kind, deadlines, now)
            if occasion is not None:
                await _remind_all(database, deadlines, kind, occasion)
    for launch_id, kind, occasion, deadlines in await _launches(database):
        if now < deadlines.of(kind):
            await _remind_all(database, deadlines, kind, occasion)
        async with database.transaction() as tx:
            await tx.execute(
                reminder_launch.update()
                .where(reminder_launch.c.id == launch_id)
                .values(is_done=True)
            )


async def list_reminders(
    query: ListReminders, caller: Caller, tx: Transaction
) -> tuple[Reminders, ...]:
    """Tell how the reminders of a campaign stand, to the staff of its site."""
    await _find_campaign(tx, query.campaign_id, caller)
    now = datetime.now(UTC)
    return tuple([await _stand(tx, query.campaign_id, kind, now) for kind in REMINDER_KINDS])


async def launch_reminders(command: LaunchReminders, caller: Caller, tx: Transaction) -> Reminders:
    """Write down that the staff reminds families now; the chore does it, some at a time."""
    now = datetime.now(UTC)
    deadlines = await _find_campaign(tx, command.campaign_id, caller)
    # two members of staff at once: the second one sees what the first one launched
    await tx.execute(_turn(f"{command.campaign_id}:launch"))
    if not await _is_launched(tx, command):
        stand = await _stand(tx, command.campaign_id, command.kind, now)
        _refuse_launch(stand, deadlines.of(command.kind), now)
        await tx.execute(
            insert(reminder_launch).values(
                id=command.launch_id,
                campaign_id=command.campaign_id,
                kind=command.kind,
                launched_at=now,
                account_id=caller.account_id,
            )
        )
    return await _stand(tx, command.campaign_id, command.kind, now)


async def stop_reminders(command: StopReminders, caller: Caller, tx: Transaction) -> None:
    """Stop the reminders of a kind; one that waits is dropped as it would leave."""
    await _find_campaign(tx, command.campaign_id, caller)
    await tx.execute(
        insert(reminder_stop)
        .values(
            campaign_id=command.campaign_id,
            kind=command.kind,
            stopped_at=datetime.now(UTC),
            account_id=caller.account_id,
        )
        .on_conflict_do_nothing()
    )


async def resume_reminders(command: ResumeReminders, caller: Caller, tx: Transaction) -> None:
    """Send reminders again; those whose occasion has not passed are sent to all."""
    await _find_campaign(tx, command.campaign_id, caller)
    await tx.execute(reminder_stop.delete().where(_is_stopped(command.campaign_id, command.kind)))


async def _running(database: Database, now: datetime) -> list[Deadlines]:
    last = sa.func.greatest(campaign.c.closes_at, campaign.c.documents_due_at)
    async with database.transaction() as tx:
        return [Deadlines(*row) for row in await tx.execute(_DEADLINES.where(last > now))]


async def _launches(
    database: Database,
) -> list[tuple[UUID, ReminderKind, Occasion, Deadlines]]:
    async with database.transaction() as tx:
        found = await tx.execute(
            _DEADLINES.add_columns(
                reminder_launch.c.id.label("launch_id"),
                reminder_launch.c.kind,
                reminder_launch.c.launched_at,
            )
            .join(reminder_launch, reminder_launch.c.campaign_id == campaign.c.id)
            .where(~reminder_launch.c.is_done)
            .order_by(reminder_launch.c.launched_at)
        )
        return [
            (
                row.launch_id,
                row.kind,
                launched(row.launch_id, row.launched_at),
                Deadlines(row.id, row.closes_at, row.documents_due_at),
            )
            for row in found
        ]


async def _remind_all(
    database: Database, deadlines: Deadlines, kind: ReminderKind, occasion: Occasion
) -> None:
    """Remind every family concerned that was not on this occasion, in short transactions."""
    count = _AT_ONCE
    while count == _AT_ONCE:
        async with database.transaction() as tx:
            count = await _remind_some(tx, deadlines, kind, occasion)
        if count:
            log.info("reminders queued", kind=kind, occasion=occasion.name, families=count)


async def _remind_some(
    tx: Transaction, deadlines: Deadlines, kind: ReminderKind, occasion: Occasion
) -> int:
    campaign_id = deadlines.campaign_id
    # replicas take turns: the next one no longer finds the families that this one reminds
    await tx.execute(_turn(f"{campaign_id}:{kind}"))
    families = await not_yet_reminded(
        await driver_connection(tx), kind, campaign_id, occasion.moment, occasion.name, _AT_ONCE
    )
    await _give_way(tx, campaign_id, kind, families)
    happened = Occurrence(new_id(), datetime.now(UTC), correlation_id())
    for family_id in families:
        about = f"{campaign_id}:{family_id}:{occasion.name}"
        await queue_message(
            tx,
            kind,
            about,
            happened,
            family_id=family_id,
            campaign_id=campaign_id,
            pointless_at=deadlines.of(kind),
            content={},
        )
        await tx.execute(
            insert(reminder).values(
                campaign_id=campaign_id,
                kind=kind,
                occasion=occasion.name,
                family_id=family_id,
                message_id=message_id(kind, about),
            )
        )
    return len(families)


async def _give_way(
    tx: Transaction, campaign_id: UUID, kind: ReminderKind, families: Sequence[UUID]
) -> None:
    """Drop the reminders of a kind that families have not got yet; one that leaves now is sent."""
    waiting = (
        sa.select(message.c.id)
        .where(
            message.c.campaign_id == campaign_id,
            message.c.kind == kind,
            message.c.family_id.in_(families),
            message.c.state == "waiting",
        )
        .with_for_update(skip_locked=True)
    )
    await tx.execute(
        message.update()
        .where(message.c.id.in_(waiting))
        .values(state="not_needed", state_at=datetime.now(UTC))
    )


async def _find_campaign(tx: Transaction, campaign_id: UUID, caller: Caller) -> Deadlines:
    """Give a campaign of the site that the caller serves, or refuse as not found (S97)."""
    site_id = caller.staff_site()
    of_site = sa.true() if site_id is None else campaign.c.site_id == site_id
    row = (await tx.execute(_DEADLINES.where(campaign.c.id == campaign_id, of_site))).one_or_none()
    if row is None:
        raise Rejection.not_found()
    return Deadlines(*row)


async def _stand(
    tx: Transaction, campaign_id: UUID, kind: ReminderKind, now: datetime
) -> Reminders:
    concerned = await count_concerned(await driver_connection(tx), kind, campaign_id, now)
    is_stopped = sa.exists().where(_is_stopped(campaign_id, kind))
    sent = (
        sa.select(sa.func.count())
        .join_from(reminder, message, message.c.id == reminder.c.message_id)
        .where(
            reminder.c.campaign_id == campaign_id,
            reminder.c.kind == kind,
            message.c.state == "sent",
        )
    )
    last = sa.select(sa.func.max(reminder_launch.c.launched_at)).where(
        reminder_launch.c.campaign_id == campaign_id, reminder_launch.c.kind == kind
    )
    row = (
        await tx.execute(sa.select(is_stopped, sent.scalar_subquery(), last.scalar_subquery()))
    ).one()
    stopped, messages, launched_at = row
    return Reminders(
        kind=kind,
        is_stopped=stopped,
        concerned=concerned,
        sent=messages,
        launch_from=launched_at and launched_at + LAUNCHED_AT_MOST_EVERY,
    )


async def _is_launched(tx: Transaction, command: LaunchReminders) -> bool:
    """Tell whether this very launch was asked before; refuse another's identifier."""
    known = await tx.execute(
        sa.select(reminder_launch.c.campaign_id, reminder_launch.c.kind).where(
            reminder_launch.c.id == command.launch_id
        )
    )
    row = known.one_or_none()
    if row is not None and tuple(row) != (command.campaign_id, command.kind):
        raise Rejection.not_found()
    return row is not None


def _refuse_launch(stand: Reminders, deadline: datetime, now: datetime) -> None:
    if now >= deadline:
        raise Rejection(
            "deadline_passed",
            "Il est trop tard pour relancer les familles, depuis le %(deadline)s.",
            deadline=deadline.isoformat(),
        )
    if stand.is_stopped:
        raise Rejection(
            "reminders_stopped",
            "Les relances de ce type sont arrêtées pour cette campagne : reprenez-les d'abord.",
        )
    if stand.launch_from is not None and now < stand.launch_from:
        raise Rejection(
            "reminded_lately",
            "Les familles viennent d'être relancées : vous pourrez recommencer à partir du"
            " %(launch_from)s.",
            launch_from=stand.launch_from.isoformat(),
        )


def _is_stopped(campaign_id: UUID, kind: ReminderKind) -> sa.ColumnElement[bool]:
    return sa.and_(reminder_stop.c.campaign_id == campaign_id, reminder_stop.c.kind == kind)


def _turn(name: str) -> sa.Select[tuple[object]]:
    """Wait for one's turn, until the transaction ends."""
    return sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0)))
