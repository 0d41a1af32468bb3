"""Webhooks as operators see them: where events are sent, how that goes, what was delivered."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from shared.contract import Contract

type WebhookUrl = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
]
type WebhookState = Literal["enabled", "disabled", "suspended"]
"""Disabled by an operator, suspended by us: either way nothing is sent."""
type WebhookDeliveryState = Literal["waiting", "delivered", "failed"]


class Webhook(Contract):
    """Where events are sent for a system without AMQP (S91), and how that goes.

    ``state_reason`` says why it is suspended; ``failing_since`` since when nothing got through;
    ``waiting`` how many deliveries are still to be made.
    """

    id: UUID
    url: str
    event_types: tuple[str, ...]
    description: str
    created_at: datetime
    state: WebhookState
    state_at: datetime
    state_reason: str = ""
    failing_since: datetime | None = None
    waiting: int = 0


class WebhookSecret(Contract):
    """What signs, and verifies, what is sent: ``whsec_…``. It is shown when it is made only."""

    webhook_id: UUID
    secret_id: UUID
    secret: str


class WebhookDelivery(Contract):
    """One event for one webhook, and what became of it; ``position`` places it in the log.

    ``event_id`` is its ``webhook-id``. ``status``, ``answer`` (its first 500 characters),
    ``failure`` and ``milliseconds`` are of the last attempt; ``due_at`` is the next one's.
    """

    position: int
    event_id: UUID
    event_type: str
    happened_at: datetime
    is_replay: bool
    state: WebhookDeliveryState
    attempts: int
    attempted_at: datetime | None = None
    due_at: datetime | None = None
    status: int | None = None
    answer: str = ""
    failure: str = ""
    milliseconds: int | None = None


class WebhookReplay(Contract):
    """How many events are sent again.

    ``reached`` is set where there were more than one replay takes: ask again from there.
    """

    deliveries: int
    reached: datetime | None = None
