"""The operations of webhooks: what they ask of notifications, and what they answer."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from shared.contract import Rejection
from shared.contracts.notifications import (
    DisableWebhook,
    EnableWebhook,
    ListWebhookDeliveries,
    ListWebhooks,
    RegisterWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
)
from shared.contracts.webhooks import Webhook, WebhookDelivery, WebhookReplay, WebhookSecret
from shared.identifiers import new_id

from tests.harness import operator
from tests.portal import Portal

NOW = datetime.now(UTC)
WEBHOOK_ID, OTHER_ID = new_id(), new_id()

type Program = TestClient[Litestar]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def portal(gateway: Portal) -> Portal:
    gateway.reset({})
    return gateway


@pytest.fixture
def program(portal: Portal) -> Iterator[Program]:
    with portal.program(operator()) as program:
        yield program


def test_a_webhook_is_registered_with_its_secret(portal: Portal, program: Program) -> None:
    made = WebhookSecret(webhook_id=WEBHOOK_ID, secret_id=WEBHOOK_ID, secret="whsec_x")
    portal.services.answers[RegisterWebhook] = made
    wanted = {
        "webhook_id": str(WEBHOOK_ID),
        "url": "https://crm.example/hook",
        "event_types": ["enrolment.application_submitted.v1"],
    }
    answer = program.post("/api/v1/webhooks", json=wanted)
    assert (answer.status_code, answer.json()["secret"]) == (200, "whsec_x")
    assert portal.services.asked == [RegisterWebhook.model_validate(wanted)]


def test_a_registration_without_events_is_no_registration(portal: Portal, program: Program) -> None:
    wanted = {"webhook_id": str(WEBHOOK_ID), "url": "https://crm.example", "event_types": []}
    answer = program.post("/api/v1/webhooks", json=wanted)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert portal.services.asked == []


def test_a_url_that_is_refused_says_why(portal: Portal, program: Program) -> None:
    portal.services.answers[RegisterWebhook] = Rejection(
        "webhook_url_refused", "Non", status=422, reason="private_address"
    )
    wanted = {"webhook_id": str(WEBHOOK_ID), "url": "https://10.0.0.1", "event_types": ["a"]}
    answer = program.post("/api/v1/webhooks", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["facts"] == {"reason": "private_address"}


def test_webhooks_and_their_log_are_shown(portal: Portal, program: Program) -> None:
    shown = Webhook(
        id=WEBHOOK_ID,
        url="https://crm.example/hook",
        event_types=("a",),
        description="CRM",
        created_at=NOW,
        state="suspended",
        state_at=NOW,
        state_reason="failing",
        failing_since=NOW,
        waiting=3,
    )
    line = WebhookDelivery(
        position=7,
        event_id=new_id(),
        event_type="a",
        happened_at=NOW,
        is_replay=False,
        state="waiting",
        attempts=2,
        status=500,
        answer="oops",
    )
    portal.services.answers |= {ListWebhooks: (shown,), ListWebhookDeliveries: (line,)}
    (listed,) = program.get("/api/v1/webhooks").json()
    assert Webhook.model_validate(listed) == shown
    log = f"/api/v1/webhooks/{WEBHOOK_ID}/deliveries"
    (told,) = program.get(log, params={"in_state": "waiting", "before": 9}).json()
    assert WebhookDelivery.model_validate(told) == line
    program.get(log).raise_for_status()
    assert program.get(log, params={"in_state": "lost"}).status_code == 422
    assert portal.services.asked == [
        ListWebhooks(),
        ListWebhookDeliveries(webhook_id=WEBHOOK_ID, state="waiting", before=9),
        ListWebhookDeliveries(webhook_id=WEBHOOK_ID),
    ]


def test_a_webhook_is_stopped_started_and_removed(portal: Portal, program: Program) -> None:
    portal.services.answers |= dict.fromkeys((DisableWebhook, EnableWebhook, RemoveWebhook))
    its = f"/api/v1/webhooks/{WEBHOOK_ID}"
    answers = [
        program.delete(f"{its}/activation"),
        program.put(f"{its}/activation"),
        program.delete(its),
    ]
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 3
    assert portal.services.asked == [
        DisableWebhook(webhook_id=WEBHOOK_ID),
        EnableWebhook(webhook_id=WEBHOOK_ID),
        RemoveWebhook(webhook_id=WEBHOOK_ID),
    ]


def test_secrets_are_rotated_and_events_replayed(portal: Portal, program: Program) -> None:
    portal.services.answers |= {
        RotateWebhookSecret: WebhookSecret(
            webhook_id=WEBHOOK_ID, secret_id=OTHER_ID, secret="whsec_y"
        ),
        ReplayWebhook: WebhookReplay(deliveries=4),
    }
    its = f"/api/v1/webhooks/{WEBHOOK_ID}"
    rotated = program.post(f"{its}/secrets", json={"secret_id": str(OTHER_ID)})
    assert rotated.json()["secret"] == "whsec_y"
    since = {"replay_id": str(OTHER_ID), "since": NOW.isoformat()}
    replayed = program.post(f"{its}/replays", json=since)
    assert replayed.json() == {"deliveries": 4, "reached": None}
    without_offset = since | {"since": "2027-06-01T10:00:00"}
    assert program.post(f"{its}/replays", json=without_offset).status_code == 422
    assert portal.services.asked == [
        RotateWebhookSecret(webhook_id=WEBHOOK_ID, secret_id=OTHER_ID),
        ReplayWebhook(webhook_id=WEBHOOK_ID, replay_id=OTHER_ID, since=NOW),
    ]
