"""Webhooks on real servers: who gets what, once, and what becomes of those that fail."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from notifications.tables import webhook, webhook_delivery, webhook_event, webhook_secret
from notifications.webhooks.courier import AT_ONCE
from notifications.webhooks.events import forget_old_webhook_events, queue_webhooks
from shared.contract import AnyEvent, Ask, Rejection
from shared.contracts.courses import OfferEnded, SeatsReleased
from shared.contracts.identity import FamiliesRecorded
from shared.contracts.notifications import (
    DisableWebhook,
    EnableWebhook,
    ListWebhookDeliveries,
    ListWebhooks,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    WebhookSuspended,
)
from shared.handlers import Occurrence
from shared.identifiers import new_id
from stack.running import Stack
from standardwebhooks.webhooks import WebhookVerificationError

from tests.harness import eventually, family_caller
from tests.integration.notifying import subscriber
from tests.integration.webhooking import OPERATOR, Territory

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def territory(servers: Stack) -> AsyncIterator[Territory]:
    async with Territory.at_work(servers) as territory:
        yield territory


async def refusal(territory: Territory, question: Ask[Any]) -> Rejection:
    with pytest.raises(Rejection) as refused:
        await territory.notifications.ask(question, OPERATOR)
    return refused.value


async def test_a_subscriber_gets_the_events_it_asked_for_signed_and_as_they_were_told(
    territory: Territory,
) -> None:
    event = SeatsReleased(hold_ids=(new_id(),))
    other = OfferEnded(
        place_id=new_id(),
        campaign_id=new_id(),
        family_id=new_id(),
        student_id=new_id(),
        course_id=new_id(),
        label="Éveil musical - MARDI",
        end="expired",
    )
    async with territory.subscribed() as (seats,), territory.subscribed(1, [other.type]) as (ends,):
        await territory.tell(event, other)
        await eventually(lambda: seats.receiver.calls and ends.receiver.calls)
        await territory.all_are(seats, "delivered")
        await territory.all_are(ends, "delivered")
    (call,) = ends.receiver.calls
    read = call.verified(ends.secret)
    assert read["type"] == "courses.offer_ended.v1"
    assert read["source"] == "/notifications"  # who emits it here
    assert read["subject"] == str(other.place_id)
    assert read["id"] == call.event_id
    assert OfferEnded.model_validate(read["data"]) == other
    assert call.headers["content-type"] == "application/cloudevents+json"
    (call,) = seats.receiver.calls
    assert SeatsReleased.model_validate(call.verified(seats.secret)["data"]) == event
    with pytest.raises(WebhookVerificationError):
        call.verified(ends.secret)


async def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        rotation = RotateWebhookSecret(webhook_id=subscription.webhook_id, secret_id=new_id())
        made = await territory.notifications.ask(rotation, OPERATOR)
        assert await territory.notifications.ask(rotation, OPERATOR) == made
        await territory.release(1)
        await eventually(lambda: len(subscription.receiver.calls) == 1)
        for secret in (made.secret, subscription.secret):
            subscription.receiver.calls[0].verified(secret)

        yesterday = datetime.now(UTC) - timedelta(seconds=1)
        retired = webhook_secret.c.retires_at.is_not(None)
        await territory.execute(webhook_secret.update().where(retired).values(retires_at=yesterday))
        await territory.release(1)
        await eventually(lambda: len(subscription.receiver.calls) == 2)
        subscription.receiver.calls[1].verified(made.secret)
        with pytest.raises(WebhookVerificationError):
            subscription.receiver.calls[1].verified(subscription.secret)


async def test_webhooks_are_the_operators_alone(territory: Territory) -> None:
    webhook_id, other_id = new_id(), new_id()
    questions: list[Ask[Any]] = [
        RegisterWebhook(
            webhook_id=webhook_id, url="https://crm.example", event_types=(SeatsReleased.type,)
        ),
        RotateWebhookSecret(webhook_id=webhook_id, secret_id=other_id),
        EnableWebhook(webhook_id=webhook_id),
        DisableWebhook(webhook_id=webhook_id),
        RemoveWebhook(webhook_id=webhook_id),
        ReplayWebhook(webhook_id=webhook_id, replay_id=other_id, since=datetime.now(UTC)),
        ListWebhooks(),
        ListWebhookDeliveries(webhook_id=webhook_id),
    ]
    staff = family_caller().model_copy(update={"role": "staff"})
    for question in questions:
        for caller in (family_caller(), staff):
            with pytest.raises(Rejection) as refused:
                await territory.notifications.ask(question, caller)
            assert refused.value.code == "not_found"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://10.0.0.1/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://nowhere.invalid/", "unknown_name"),
        ("gopher://crm.example/", "not_a_url"),
    ],
)
async def test_a_webhook_that_leads_inside_or_nowhere_is_not_registered(
    territory: Territory, url: str, reason: str
) -> None:
    asked = RegisterWebhook(webhook_id=new_id(), url=url, event_types=(SeatsReleased.type,))
    refused = await refusal(territory, asked)
    assert (refused.code, refused.facts["reason"]) == ("webhook_url_refused", reason)


async def test_personal_and_unknown_events_are_not_given(territory: Territory) -> None:
    asked = RegisterWebhook(
        webhook_id=new_id(),
        url="https://127.0.0.1/",
        event_types=("identity.families_recorded.v1", SeatsReleased.type, "courses.nothing.v1"),
    )
    refused = await refusal(territory, asked)
    assert refused.code == "webhook_events_refused"
    assert refused.facts["event_types"] == ["courses.nothing.v1", "identity.families_recorded.v1"]


async def test_a_personal_event_stays_here_even_where_a_webhook_has_its_type(
    territory: Territory,
) -> None:
    async with territory.subscribed() as (subscription,):
        personal = FamiliesRecorded(families=())
        wanting = webhook.update().where(webhook.c.id == subscription.webhook_id)
        await territory.execute(wanting.values(event_types=[personal.type, SeatsReleased.type]))
        await territory.tell(personal)
        # as if its queue were still bound to a type that has become personal
        occurrence = Occurrence(new_id(), datetime.now(UTC), "test", personal.type, "/identity")
        async with territory.notifications.database.transaction() as tx:
            await queue_webhooks(AnyEvent(), tx, occurrence)
        await territory.release(1)
        await territory.all_are(subscription, "delivered")
    assert len(subscription.receiver.calls) == 1


async def test_a_registration_sent_again_is_answered_the_same_for_a_while(
    territory: Territory,
) -> None:
    asked = RegisterWebhook(
        webhook_id=new_id(), url="http://127.0.0.1:9/", event_types=(SeatsReleased.type,)
    )
    made = await territory.notifications.ask(asked, OPERATOR)
    assert made.secret.startswith("whsec_")
    assert await territory.notifications.ask(asked, OPERATOR) == made
    other = asked.model_copy(update={"url": "http://127.0.0.1:10/"})
    assert (await refusal(territory, other)).code == "webhook_id_reused"

    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    of_it = webhook_secret.c.webhook_id == asked.webhook_id
    await territory.execute(webhook_secret.update().where(of_it).values(created_at=long_ago))
    assert (await refusal(territory, asked)).code == "webhook_secret_shown"
    for _ in range(2):
        await territory.notifications.ask(RemoveWebhook(webhook_id=asked.webhook_id), OPERATOR)


async def test_a_receiver_that_was_down_gets_each_event_once(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        receiver = subscription.receiver
        await receiver.close()
        await territory.release(20)

        async def were_tried() -> bool:
            lines = await territory.log(subscription)
            return len(lines) == 20 and all(line.failure for line in lines)

        await eventually(were_tried)
        assert (await territory.shown(subscription)).failing_since is not None
        await receiver.open()
        await territory.all_are(subscription, *["delivered"] * 20)
        assert len(set(receiver.event_ids)) == len(receiver.event_ids) == 20
        shown = await territory.shown(subscription)
        assert (shown.failing_since, shown.state, shown.waiting) == (None, "enabled", 0)


async def test_the_log_says_what_was_answered(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        receiver = subscription.receiver
        receiver.status, receiver.answer = 500, b"na\x00 " + b"x" * 100_000
        await territory.release(1)
        line = await territory.attempted(subscription, 1)
        assert (line.state, line.status, line.is_replay) == ("waiting", 500, False)
        assert line.answer == "na\ufffd " + "x" * 496
        assert line.milliseconds is not None
        assert line.due_at is not None
        assert line.event_type == SeatsReleased.type

        receiver.status, receiver.answer = 200, b"ok"
        await territory.let_time_pass(subscription)
        line = await territory.attempted(subscription, 2)
        assert (line.state, line.status, line.answer) == ("delivered", 200, "ok")
        assert line.due_at is None
        first, second = receiver.calls
        assert first.event_id == second.event_id == str(line.event_id)
        assert first.body == second.body


async def test_a_redirect_is_not_followed(territory: Territory) -> None:
    async with territory.subscribed(2) as (subscription, target):
        subscription.receiver.status = 307
        subscription.receiver.location = target.receiver.url + "/elsewhere"
        await territory.release(1)
        line = await territory.attempted(subscription, 1)
        assert (line.state, line.status) == ("waiting", 307)
        await territory.all_are(target, "delivered")
    assert [call.path for call in target.receiver.calls] == ["/hook"]


async def test_a_receiver_that_is_gone_is_suspended_at_once_and_told(
    territory: Territory,
) -> None:
    async with (
        subscriber(territory.notifications, WebhookSuspended) as told,
        territory.subscribed() as (subscription,),
    ):
        subscription.receiver.status = 410
        await territory.release(1)
        await eventually(lambda: told)
        shown = await territory.shown(subscription)
        assert (shown.state, shown.state_reason, shown.waiting) == ("suspended", "gone", 1)
        assert told[0].webhook_id == subscription.webhook_id

        subscription.receiver.status = 204
        enable = EnableWebhook(webhook_id=subscription.webhook_id)
        await territory.notifications.ask(enable, OPERATOR)
        await territory.all_are(subscription, "delivered")
        assert len(subscription.receiver.calls) == 2


async def test_a_receiver_that_fails_for_three_days_is_suspended(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        of_it = webhook.c.id == subscription.webhook_id
        subscription.receiver.status = 503
        await territory.release(1)
        await territory.attempted(subscription, 1)
        for hours, state in ((71, "enabled"), (72, "suspended")):
            since = datetime.now(UTC) - timedelta(hours=hours)
            await territory.execute(webhook.update().where(of_it).values(failing_since=since))
            await territory.let_time_pass(subscription)
            await territory.attempted(subscription, hours - 69)
            assert (await territory.shown(subscription)).state == state
        assert (await territory.shown(subscription)).state_reason == "failing"


async def test_a_delivery_is_given_up_after_its_last_attempt(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        subscription.receiver.status = 400
        await territory.release(1)
        await territory.attempted(subscription, 1)
        of_it = webhook_delivery.c.webhook_id == subscription.webhook_id
        await territory.execute(webhook_delivery.update().where(of_it).values(attempts=10))
        await territory.let_time_pass(subscription)
        assert (await territory.attempted(subscription, 11)).state == "failed"


async def test_a_receiver_that_hangs_delays_no_other(territory: Territory) -> None:
    async with territory.subscribed(2) as (slow, sound):
        slow.receiver.hangs = True
        await territory.release(20)
        # less than one of its answers is waited for
        await eventually(lambda: len(sound.receiver.calls) == 20, within_seconds=9)
        await territory.all_are(sound, *["delivered"] * 20)
        assert slow.receiver.most_at_once == AT_ONCE
        assert (await territory.shown(slow)).waiting == 20


async def test_what_happened_while_it_was_disabled_is_had_by_a_replay(
    territory: Territory,
) -> None:
    async with territory.subscribed() as (subscription,):
        receiver, webhook_id = subscription.receiver, subscription.webhook_id
        await territory.release(2)
        await territory.all_are(subscription, "delivered", "delivered")
        replay = ReplayWebhook(webhook_id=webhook_id, replay_id=new_id(), since=datetime.now(UTC))
        await territory.notifications.ask(DisableWebhook(webhook_id=webhook_id), OPERATOR)
        async with territory.subscribed() as (other,):
            await territory.release(3)
            await territory.all_are(other, *["delivered"] * 3)
            missed = other.receiver.event_ids
        assert len(receiver.calls) == 2
        assert (await refusal(territory, replay)).code == "webhook_not_enabled"

        await territory.notifications.ask(EnableWebhook(webhook_id=webhook_id), OPERATOR)
        answer = await territory.notifications.ask(replay, OPERATOR)
        assert (answer.deliveries, answer.reached) == (3, None)
        assert await territory.notifications.ask(replay, OPERATOR) == answer
        await territory.all_are(subscription, *["delivered"] * 5)
        assert sorted(receiver.event_ids[2:]) == sorted(missed)
        assert [line.is_replay for line in await territory.log(subscription)] == [
            *[True] * 3,
            *[False] * 2,
        ]

        everything = replay.model_copy(
            update={"replay_id": new_id(), "since": datetime.now(UTC) - timedelta(days=40)}
        )
        again = await territory.notifications.ask(everything, OPERATOR)
        assert again.deliveries >= 5
        await eventually(lambda: len(receiver.calls) == 5 + again.deliveries)
        assert set(Counter(receiver.event_ids).values()) <= {1, 2}
        assert [call.body for call in receiver.calls[:1]] == [
            call.body for call in receiver.calls[5:] if call.event_id == receiver.event_ids[0]
        ]


async def test_the_log_is_read_page_by_page_and_by_state(territory: Territory) -> None:
    async with territory.subscribed() as (subscription,):
        await territory.release(1)
        await territory.all_are(subscription, "delivered")
        (line,) = await territory.log(subscription)
        again = {
            "webhook_id": subscription.webhook_id,
            "event_id": line.event_id,
            "state": "failed",
            "due_at": line.happened_at,
        }
        lines = [again | {"replay_id": new_id()} for _ in range(129)]
        await territory.execute(webhook_delivery.insert().values(lines))

        first = await territory.log(subscription)
        assert [each.state for each in first] == ["failed"] * 100
        older = ListWebhookDeliveries(webhook_id=subscription.webhook_id, before=first[-1].position)
        second = await territory.notifications.ask(older, OPERATOR)
        assert [each.state for each in second] == [*["failed"] * 29, "delivered"]
        assert len({each.position for each in (*first, *second)}) == 130
        delivered = older.model_copy(update={"before": None, "state": "delivered"})
        assert await territory.notifications.ask(delivered, OPERATOR) == (line,)
        strange = older.model_copy(update={"webhook_id": new_id()})
        assert (await refusal(territory, strange)).code == "not_found"


async def test_an_event_is_forgotten_with_its_deliveries_after_thirty_days(
    territory: Territory,
) -> None:
    async with territory.subscribed() as (subscription,):
        await territory.release(2)
        await territory.all_are(subscription, "delivered", "delivered")
        kept, old = (line.event_id for line in await territory.log(subscription))
        long_ago = datetime.now(UTC) - timedelta(days=30, minutes=1)
        of_it = webhook_event.c.id == old
        await territory.execute(webhook_event.update().where(of_it).values(happened_at=long_ago))
        await forget_old_webhook_events(territory.notifications.database)
        assert [line.event_id for line in await territory.log(subscription)] == [kept]


async def test_nothing_is_kept_of_events_that_nobody_asked_for(territory: Territory) -> None:
    async with territory.subscribed(1, [OfferEnded.type]) as (subscription,):
        unwanted = SeatsReleased(hold_ids=(new_id(),))
        await territory.tell(unwanted)
        wanted = OfferEnded(
            place_id=new_id(),
            campaign_id=new_id(),
            family_id=new_id(),
            student_id=new_id(),
            course_id=new_id(),
            label="FM",
            end="refused",
        )
        await territory.tell(wanted)
        await territory.all_are(subscription, "delivered")
    async with territory.notifications.database.transaction() as tx:
        kept = await tx.scalars(sa.select(webhook_event.c.data))
        assert json.loads(unwanted.model_dump_json()) not in [json.loads(data) for data in kept]
