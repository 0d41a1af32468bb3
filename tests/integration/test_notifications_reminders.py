"""Reminders on real servers: whom they reach, once, and who stops them (S24, S85)."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from itertools import permutations

import pytest
import sqlalchemy as sa
from notifications.reminders import queue_reminders
from notifications.tables import campaign, message
from shared.contract import Event, Rejection
from shared.contracts.documents import LackingFamily, LackingPiece, PiecesReckoned
from shared.contracts.enrolment import ApplicationStarted, CampaignPublished, DeclineTakenBack
from shared.contracts.letters import ReminderKind, Reminders
from shared.contracts.notifications import (
    ChooseReminders,
    LaunchReminders,
    ListReminders,
    ReminderChoice,
    ResumeReminders,
    StopReminders,
)
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.harness import eventually, family_caller, staff_caller
from tests.integration.notifying import LINKS, Notifications
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

HOUR = timedelta(hours=1)
LONG_AGO = timedelta(days=20)


def a_campaign(
    applicant: Applicant,
    closes_in: timedelta = 40 * HOUR,
    documents_due_in: timedelta = 60 * 24 * HOUR,
) -> CampaignPublished:
    return applicant.campaign().model_copy(
        update={
            "closes_at": applicant.now + closes_in,
            "documents_due_at": applicant.now + documents_due_in,
        }
    )


def a_draft(applicant: Applicant, begun_ago: timedelta = LONG_AGO) -> ApplicationStarted:
    return ApplicationStarted(
        application_id=applicant.application_id,
        campaign_id=applicant.campaign_id,
        student_id=applicant.student_id,
        family_id=applicant.family_id,
        started_at=applicant.now - begun_ago,
    )


def lacking(applicant: Applicant, *names: str, later: timedelta = 0 * HOUR) -> PiecesReckoned:
    pieces = (LackingPiece(student_id=None, name=name) for name in names)
    return PiecesReckoned(
        campaign_id=applicant.campaign_id,
        families=(LackingFamily(family_id=applicant.family_id, pieces=tuple(pieces)),),
        reckoned_at=applicant.now + later,
    )


async def told(notifications: Notifications, *events: Event) -> None:
    for event in events:
        await notifications.react(event)


async def reminded(
    notifications: Notifications, applicant: Applicant
) -> list[tuple[ReminderKind, str]]:
    """Have the chore done, and give the messages of the family once none waits."""
    await queue_reminders(notifications.database)

    async def states() -> list[tuple[ReminderKind, str]] | None:
        async with notifications.database.transaction() as tx:
            found = await tx.execute(
                sa.select(message.c.kind, message.c.state)
                .where(message.c.family_id == applicant.family_id)
                .order_by(message.c.created_at)
            )
            messages = [(row.kind, row.state) for row in found]
        return None if any(state == "waiting" for _, state in messages) else messages

    settled: list[tuple[ReminderKind, str]] = []

    async def is_settled() -> bool:
        found = await states()
        settled[:] = found or []
        return found is not None

    await eventually(is_settled)
    return settled


def text_of(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    content: str = text.get_content()
    return content


async def test_a_draft_is_reminded_of_once_whatever_starts_again(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    address = applicant.address
    await told(
        notifications,
        applicant.sites(),
        a_campaign(applicant),
        applicant.recorded(address),
        a_draft(applicant),
    )
    await asyncio.gather(*(queue_reminders(notifications.database) for _ in range(4)))
    assert await reminded(notifications, applicant) == [("draft_reminder", "sent")]
    assert await reminded(notifications, applicant) == [("draft_reminder", "sent")]

    (mail,) = post.received_by(address)
    link = LINKS.link(applicant.family_id).removeprefix(LINKS.portal_url)
    assert link.removeprefix("/rappels?jeton=")[:32] in mail["List-Unsubscribe"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Zoé N'DIAYE" in text_of(mail)
    assert "/rappels?jeton=" in text_of(mail)


async def test_a_draft_just_begun_or_sent_in_time_is_nobodys_concern(
    notifications: Notifications,
) -> None:
    begun, sent, declined = Applicant(), Applicant(), Applicant()
    for applicant in (begun, sent, declined):
        await told(
            notifications,
            applicant.sites(),
            a_campaign(applicant),
            applicant.recorded(applicant.address),
        )
    await told(notifications, a_draft(begun, HOUR), a_draft(sent), sent.submitted())
    await told(notifications, a_draft(declined), declined.declined())

    assert await reminded(notifications, begun) == []
    assert [kind for kind, _ in await reminded(notifications, sent)] == ["submission_receipt"]
    assert [kind for kind, _ in await reminded(notifications, declined)] == ["decline_receipt"]


async def test_events_in_any_order_leave_the_same_standing(notifications: Notifications) -> None:
    for order in permutations(range(4)):
        applicant = Applicant()
        await told(notifications, applicant.sites(), a_campaign(applicant))
        again = DeclineTakenBack(
            **a_draft(applicant).model_dump(exclude={"started_at"}),
            received_at=applicant.now + 2 * HOUR,
            revision=9,
        )
        declined = applicant.declined().model_copy(update={"received_at": applicant.now + HOUR})
        events = (a_draft(applicant), applicant.submitted(), declined, again)
        for index in (*order, *order):
            await notifications.react(events[index])
        await notifications.react(applicant.recorded(applicant.address))
        staff = staff_caller(applicant.site_id)
        asked = ListReminders(campaign_id=applicant.campaign_id)
        # a draft again, but since less than 48 hours before closing
        assert "draft_reminder" not in dict(await reminded(notifications, applicant))
        stand = {one.kind: one for one in await notifications.ask(asked, staff)}
        assert stand["answer_reminder"].concerned == 0


async def test_of_two_reminders_that_could_not_leave_the_later_one_alone_does(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await told(notifications, a_campaign(applicant), a_draft(applicant))
    await notifications.react(applicant.recorded(applicant.address))
    await queue_reminders(notifications.database)  # its site is not known yet: it waits
    async with notifications.database.transaction() as tx:
        closing = campaign.update().where(campaign.c.id == applicant.campaign_id)
        await tx.execute(closing.values(closes_at=applicant.now + 2 * HOUR))
    await queue_reminders(notifications.database)
    await notifications.react(applicant.sites())

    kinds = await reminded(notifications, applicant)

    assert sorted(kinds) == [("draft_reminder", "not_needed"), ("draft_reminder", "sent")]
    assert len(post.received_by(applicant.address)) == 1


async def test_what_was_done_meanwhile_is_not_asked_as_it_leaves(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await told(notifications, a_campaign(applicant), a_draft(applicant))
    await notifications.react(applicant.recorded(applicant.address))
    await queue_reminders(notifications.database)  # its site is not known yet: it waits
    await notifications.react(applicant.submitted())
    await notifications.react(applicant.sites())
    states = dict(await reminded(notifications, applicant))
    assert states == {"draft_reminder": "not_needed", "submission_receipt": "sent"}
    assert len(post.received_by(applicant.address)) == 1


async def test_missing_documents_are_named_before_their_deadline(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await told(
        notifications,
        applicant.sites(),
        a_campaign(applicant, -24 * HOUR, 5 * 24 * HOUR),
        applicant.recorded(applicant.address),
        a_draft(applicant),
        lacking(applicant, "Avis d'imposition", "RIB"),
    )
    assert await reminded(notifications, applicant) == [("documents_reminder", "sent")]
    (mail,) = post.received_by(applicant.address)
    assert "- Avis d'imposition\n- RIB\n" in text_of(mail).replace("\r\n", "\n")


async def test_a_complete_family_or_one_that_asks_for_nothing_lacks_nothing(
    notifications: Notifications,
) -> None:
    complete, absent = Applicant(), Applicant()
    for applicant in (complete, absent):
        await told(
            notifications,
            applicant.sites(),
            a_campaign(applicant, -24 * HOUR, 5 * 24 * HOUR),
            applicant.recorded(applicant.address),
        )
    await told(notifications, a_draft(complete), lacking(complete, later=HOUR))
    await told(notifications, lacking(complete, "told late"), lacking(absent, "RIB"))
    assert await reminded(notifications, complete) == []
    assert await reminded(notifications, absent) == []


async def test_the_staff_remind_once_a_day_who_has_not_answered(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await told(
        notifications,
        applicant.sites(),
        a_campaign(applicant, 30 * 24 * HOUR),
        applicant.recorded(applicant.address),
    )
    assert await reminded(notifications, applicant) == []
    staff = staff_caller(applicant.site_id)
    launch = LaunchReminders(
        launch_id=new_id(), campaign_id=applicant.campaign_id, kind="answer_reminder"
    )
    stand = await notifications.ask(launch, staff)
    assert stand == await notifications.ask(launch, staff)
    assert stand.concerned == 1
    assert await reminded(notifications, applicant) == [("answer_reminder", "sent")]
    with pytest.raises(Rejection, match="reminded_lately"):
        await notifications.ask(launch.model_copy(update={"launch_id": new_id()}), staff)
    assert await reminded(notifications, applicant) == [("answer_reminder", "sent")]
    (mail,) = post.received_by(applicant.address)
    assert "Sans réponse à ce jour : Zoé N'DIAYE" in text_of(mail)


async def test_the_staff_stop_reminders_until_they_resume_them(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    staff = staff_caller(applicant.site_id)
    of_drafts = {"campaign_id": applicant.campaign_id, "kind": "draft_reminder"}
    await told(
        notifications,
        applicant.sites(),
        a_campaign(applicant),
        applicant.recorded(applicant.address),
    )
    await notifications.ask(StopReminders.model_validate(of_drafts), staff)
    await notifications.react(a_draft(applicant))
    assert await reminded(notifications, applicant) == []
    stand = await the_stand(notifications, applicant)
    assert stand.is_stopped

    await notifications.ask(ResumeReminders.model_validate(of_drafts), staff)
    assert await reminded(notifications, applicant) == [("draft_reminder", "sent")]
    assert (await the_stand(notifications, applicant)).sent == 1


async def test_a_family_refuses_reminders_by_its_link_and_keeps_its_receipts(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    secret = notifications.settings.receipt_secret
    token = type(LINKS)(secret, LINKS.portal_url).token(applicant.family_id)
    assert await notifications.ask(ReminderChoice(token=token), None)
    for _ in range(2):
        await notifications.ask(ChooseReminders(token=token, wanted=False), None)
    assert not await notifications.ask(ReminderChoice(token=token), None)
    await told(
        notifications,
        applicant.sites(),
        a_campaign(applicant),
        applicant.recorded(applicant.address),
        a_draft(applicant),
    )
    assert await reminded(notifications, applicant) == []
    await notifications.react(applicant.submitted())
    assert await reminded(notifications, applicant) == [("submission_receipt", "sent")]
    for forged in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "x",
        f"{new_id().hex}.{token[33:]}",
    ):
        with pytest.raises(Rejection, match="link_expired"):
            await notifications.ask(ChooseReminders(token=forged, wanted=False), None)


async def test_another_sites_staff_and_families_are_told_nothing(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await told(notifications, applicant.sites(), a_campaign(applicant))
    strangers = (
        staff_caller(new_id()),
        family_caller(applicant.family_id, applicant.site_id),
    )
    for stranger in strangers:
        for asked in (
            ListReminders(campaign_id=applicant.campaign_id),
            StopReminders(campaign_id=applicant.campaign_id, kind="draft_reminder"),
            LaunchReminders(
                launch_id=new_id(), campaign_id=applicant.campaign_id, kind="answer_reminder"
            ),
        ):
            with pytest.raises(Rejection, match="not_found"):
                await notifications.ask(asked, stranger)


async def the_stand(notifications: Notifications, applicant: Applicant) -> Reminders:
    """How reminders of drafts stand in the applicant's campaign."""
    asked = ListReminders(campaign_id=applicant.campaign_id)
    (stand, *_) = await notifications.ask(asked, staff_caller(applicant.site_id))
    return stand
