"""What enrolment is asked to do. Each command locks one application, applies a rule of
:mod:`enrolment.lifecycle` or :mod:`enrolment.amending`, saves where it stands and tells what
happened.
"""

from datetime import UTC, datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    Application,
    ApplicationStarted,
    ApplicationSubmitted,
    Campaign,
    CampaignPublished,
    CompleteStep,
    DeclineReenrolment,
    DeclineTakenBack,
    PublishCampaign,
    RecordAuthorisations,
    RecordCourseChoices,
    ReenrolmentDeclined,
    RemarksSubmitted,
    StartApplication,
    SubmitApplication,
    SubmittedChoice,
    TakeBackDecline,
)
from shared.contracts.people import OPTIONAL_DETAILS
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert

from enrolment import amending, lifecycle, tables
from enrolment.applications import (
    StoredApplication,
    lock_application,
    lock_or_create,
    read_campaign,
    save,
)
from enrolment.entries import forget_draft, forget_step
from enrolment.holds import known_holds
from enrolment.progress import AUTHORISATIONS, COURSES, Progress
from enrolment.receipts import new_receipt


async def publish_campaign(command: PublishCampaign, caller: Caller, tx: Transaction) -> Campaign:
    """Publish a campaign; the one already published for that site and year stays as it is."""
    caller.require_operator()
    campaign = command.campaign
    if not campaign.prepares_at <= campaign.opens_at < campaign.closes_at:
        raise Rejection(
            "invalid_campaign",
            "Les dates de la campagne se contredisent : elle se prépare, s'ouvre puis se ferme,"
            " dans cet ordre.",
            status=422,
        )
    if needed := sorted(set(campaign.fields_not_asked) - OPTIONAL_DETAILS):
        raise Rejection(
            "invalid_campaign",
            "Cette campagne se passerait de renseignements nécessaires : seuls les facultatifs"
            " peuvent ne pas être demandés.",
            status=422,
            fields=needed,
        )
    published = await tx.execute(
        insert(tables.campaign)
        .values(site_code=command.site_code, **campaign.model_dump())
        .on_conflict_do_nothing()
    )
    if published.rowcount:
        told = campaign.model_dump(exclude={"id", "fields_not_asked"})
        await emit(tx, CampaignPublished(campaign_id=campaign.id, **told))
    same_id = tables.campaign.c.id == campaign.id
    same_year = and_(
        tables.campaign.c.site_id == campaign.site_id,
        tables.campaign.c.school_year == campaign.school_year,
    )
    stored = await tx.execute(
        select(tables.campaign).where(or_(same_id, same_year)).order_by(same_id.desc()).limit(1)
    )
    return read_campaign(stored.mappings().one())


async def start_application(
    command: StartApplication, caller: Caller, tx: Transaction
) -> Application:
    """Begin, resume, or begin again after a refusal."""
    now = datetime.now(UTC)
    stored = await lock_or_create(
        tx, command.application_id, command.campaign_id, command.student_id, caller.family()
    )
    progress = lifecycle.start(stored.progress, stored.campaign, now)
    if stored.is_new:
        await emit(
            tx,
            ApplicationStarted(
                application_id=stored.id,
                campaign_id=stored.campaign.id,
                student_id=stored.student_id,
                family_id=caller.family(),
                started_at=now,
            ),
        )
    return await _keep_reopened(tx, stored, progress, caller, now)


async def complete_step(command: CompleteStep, caller: Caller, tx: Transaction) -> Application:
    """Take note that a step whose content lives elsewhere is done."""
    now = datetime.now(UTC)
    stored = await lock_application(tx, command.application_id, caller.family())
    progress = amending.change_at_work(
        stored.progress,
        lambda draft: lifecycle.complete(draft, command.step, stored.campaign, now),
    )
    await forget_step(tx, stored.id, command.step, caller)
    return (await save(tx, stored, progress)).answer()


async def record_authorisations(
    command: RecordAuthorisations, caller: Caller, tx: Transaction
) -> Application:
    """Keep the two answers with the version of the text they answer."""
    now = datetime.now(UTC)
    stored = await lock_application(tx, command.application_id, caller.family())
    progress = amending.change_at_work(
        stored.progress,
        lambda draft: lifecycle.authorise(
            draft,
            command.authorisations,
            stored.campaign,
            now,
            by=caller.name,
            seen=command.revision,
        ),
    )
    await forget_step(tx, stored.id, AUTHORISATIONS, caller)
    return (await save(tx, stored, progress)).answer()


async def record_course_choices(
    command: RecordCourseChoices, caller: Caller, tx: Transaction
) -> Application:
    """Keep what is decided of each course; whether the seats are held is seen at submission."""
    now = datetime.now(UTC)
    stored = await lock_application(tx, command.application_id, caller.family())
    await known_holds(tx, stored.student_id, command.choices)  # none is another student's
    progress = amending.change_at_work(
        stored.progress,
        lambda draft: lifecycle.choose(
            draft, command.choices, command.remarks, stored.campaign, now
        ),
    )
    await forget_step(tx, stored.id, COURSES, caller)
    return (await save(tx, stored, progress)).answer()


async def submit_application(
    command: SubmitApplication, caller: Caller, tx: Transaction
) -> Application:
    """File the request once, with one receipt, and tell it."""
    now = datetime.now(UTC)
    stored = await lock_application(tx, command.application_id, caller.family())
    former = stored.progress.receipt
    received_at = lifecycle.counted_instant(command.received_at, now, after=former)
    receipt = await new_receipt(tx, stored.campaign, stored.site_code, received_at)
    progress = lifecycle.submit(
        stored.progress,
        stored.campaign,
        await known_holds(tx, stored.student_id, stored.progress.at_work.choices),
        receipt=receipt,
        accepted_text_version=command.accepted_text_version,
        remarks=command.remarks,
        replaces=command.replaces_receipt_number,
    )
    saved = await save(tx, stored, progress)
    if saved is not stored:
        await forget_draft(tx, saved.id)
        await emit(
            tx,
            ApplicationSubmitted(
                application_id=saved.id,
                campaign_id=saved.campaign.id,
                student_id=saved.student_id,
                family_id=caller.family(),
                site_id=saved.campaign.site_id,
                receipt_number=receipt.number,
                received_at=receipt.received_at,
                replaces_receipt_number=former.number if former else None,
                chosen_at=progress.chosen_at,
                choices=tuple(
                    SubmittedChoice(**choice.model_dump()) for choice in progress.choices
                ),
                has_remarks=bool(progress.remarks),
            ),
        )
        if progress.remarks:
            await emit(
                tx,
                RemarksSubmitted(
                    application_id=saved.id,
                    family_id=caller.family(),
                    receipt_number=receipt.number,
                    remarks=progress.remarks,
                ),
            )
    return saved.answer()


async def amend_application(
    command: AmendApplication, caller: Caller, tx: Transaction
) -> Application:
    """Begin to change a request, or go on; it stands meanwhile."""
    received_at = lifecycle.counted_instant(command.received_at, datetime.now(UTC))
    stored = await lock_application(tx, command.application_id, caller.family())
    progress = amending.amend(
        stored.progress,
        stored.campaign,
        received_at,
        is_claimed=stored.is_claimed,
        missing=stored.missing_hold_ids,
    )
    return (await save(tx, stored, progress)).answer()


async def abandon_amendment(
    command: AbandonAmendment, caller: Caller, tx: Transaction
) -> Application:
    """Leave the request as it was submitted."""
    stored = await lock_application(tx, command.application_id, caller.family())
    saved = await save(tx, stored, amending.abandon(stored.progress, command.started_at))
    if saved is not stored:
        await forget_draft(tx, saved.id)
    return saved.answer()


async def decline_reenrolment(
    command: DeclineReenrolment, caller: Caller, tx: Transaction
) -> Application:
    """Record a refusal once, be it before a submission or after, with one receipt, and tell it."""
    received_at = lifecycle.counted_instant(command.received_at, datetime.now(UTC))
    stored = await lock_or_create(
        tx, command.application_id, command.campaign_id, command.student_id, caller.family()
    )
    receipt = await new_receipt(tx, stored.campaign, stored.site_code, received_at)
    progress = lifecycle.decline(stored.progress, stored.campaign, receipt=receipt)
    saved = await save(tx, stored, progress)
    if saved is not stored:
        await forget_draft(tx, saved.id)
        await emit(
            tx,
            ReenrolmentDeclined(
                application_id=saved.id,
                campaign_id=saved.campaign.id,
                student_id=saved.student_id,
                family_id=caller.family(),
                site_id=saved.campaign.site_id,
                receipt_number=receipt.number,
                received_at=receipt.received_at,
                revision=saved.revision,
            ),
        )
    return saved.answer()


async def take_back_decline(
    command: TakeBackDecline, caller: Caller, tx: Transaction
) -> Application:
    """Make a refused application a draft again, its courses to choose again; one that is not
    refused stays as it is.
    """
    received_at = lifecycle.counted_instant(command.received_at, datetime.now(UTC))
    stored = await lock_application(tx, command.application_id, caller.family())
    progress = lifecycle.take_back(stored.progress, stored.campaign, received_at)
    return await _keep_reopened(tx, stored, progress, caller, received_at)


async def _keep_reopened(
    tx: Transaction,
    stored: StoredApplication,
    progress: Progress,
    caller: Caller,
    received_at: datetime,
) -> Application:
    saved = await save(tx, stored, progress)
    if saved is not stored:
        await emit(
            tx,
            DeclineTakenBack(
                application_id=saved.id,
                campaign_id=saved.campaign.id,
                student_id=saved.student_id,
                family_id=caller.family(),
                received_at=received_at,
                revision=saved.revision,
            ),
        )
    return saved.answer()
