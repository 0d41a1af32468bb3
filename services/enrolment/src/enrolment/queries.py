"""What enrolment is asked to show."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.enrolment import (
    Application,
    ListMyApplications,
    MyApplications,
    ShowApplication,
)
from shared.db import Transaction
from sqlalchemy import select

from enrolment.applications import (
    StoredApplication,
    of_family,
    read_application,
    read_campaign,
)
from enrolment.holds import holds_of
from enrolment.lifecycle import with_seats
from enrolment.progress import KnownHold
from enrolment.tables import application, campaign


async def list_my_applications(
    _query: ListMyApplications, caller: Caller, tx: Transaction
) -> MyApplications:
    """Show the site's campaign in preparation or open now, or else its last one."""
    now = datetime.now(UTC)
    family_id = caller.family()
    present = await tx.execute(
        select(campaign)
        .where(campaign.c.site_id == caller.site_id, campaign.c.prepares_at <= now)
        .order_by(
            (campaign.c.closes_at > now).desc(),
            (campaign.c.opens_at <= now).desc(),
            campaign.c.opens_at.desc(),
        )
        .limit(1)
    )
    row = present.mappings().first()
    if row is None:
        return MyApplications(campaign=None, applications=())
    shown = read_campaign(row)
    mine = await tx.execute(
        of_family(family_id)
        .where(application.c.campaign_id == shown.id)
        .order_by(application.c.started_at, application.c.id)
    )
    applications = await _shown(tx, [read_application(found) for found in mine.mappings()])
    return MyApplications(campaign=shown, applications=applications)


async def show_application(query: ShowApplication, caller: Caller, tx: Transaction) -> Application:
    """Show one application of the caller's family, and how long its seats are held."""
    found = await tx.execute(
        of_family(caller.family()).where(application.c.id == query.application_id)
    )
    row = found.mappings().first()
    if row is None:
        raise Rejection.not_found()
    (shown,) = await _shown(tx, [read_application(row)])
    return shown


async def _shown(
    tx: Transaction, applications: Sequence[StoredApplication]
) -> tuple[Application, ...]:
    """Show applications, and how long the seats of each are kept."""
    holds = await holds_of(
        tx,
        [each.student_id for each in applications],
        [
            choice
            for each in applications
            for choice in (*each.progress.choices, *each.progress.at_work.choices)
        ],
    )
    return tuple(_with_seats(each, holds) for each in applications)


def _with_seats(stored: StoredApplication, holds: Mapping[UUID, KnownHold]) -> Application:
    answer = stored.answer()
    amended = answer.amendment
    return answer.model_copy(
        update={
            "choices": with_seats(answer.choices, holds, stored.missing_hold_ids),
            "amendment": amended
            and amended.model_copy(update={"choices": with_seats(amended.choices, holds, ())}),
        }
    )
