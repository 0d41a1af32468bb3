"""Webhooks: events sent to the territory's other systems, and what became of them."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, RequestBody
from pydantic import AwareDatetime
from shared.contract import Contract
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
from shared.contracts.webhooks import (
    Webhook,
    WebhookDelivery,
    WebhookDeliveryState,
    WebhookReplay,
    WebhookSecret,
)

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Webhooks",
    description="Events sent to the territory's other systems, signed as Standard Webhooks. For"
    " operators alone: to anyone else nothing is here.",
)


class Rotation(Contract):
    """The identifier of a new secret, minted by the client."""

    secret_id: UUID


class Replay(Contract):
    """From when on events are sent again; ``replay_id`` is the client's."""

    replay_id: UUID
    since: AwareDatetime


@post("/webhooks", status_code=200, responses=CHANGED)
async def register_webhook(
    data: RequestBody[RegisterWebhook], person: NamedDependency[Person]
) -> WebhookSecret:
    """Have events of some types sent to a URL; answers its secret, shown this once.

    `webhook_id` is the client's: sent again within ten minutes, it is answered the same. Refused:
    `webhook_url_refused` (422: `facts.reason` is `not_a_url`, `not_https`, `has_credentials`,
    `unknown_name` or `private_address`), `webhook_events_refused` (422: `facts.event_types` are
    unknown, or personal), `webhook_id_reused`, `webhook_secret_shown`.
    """
    return await person.ask(data)


@get("/webhooks", responses=MINE)
async def list_webhooks(person: NamedDependency[Person]) -> tuple[Webhook, ...]:
    """Give every webhook: its state, since when it has been failing, how much it is behind."""
    return await person.ask(ListWebhooks())


@delete("/webhooks/{webhook_id:uuid}", responses=CHANGED)
async def remove_webhook(webhook_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Forget a webhook with its delivery log. Repeating changes nothing."""
    await person.ask(RemoveWebhook(webhook_id=webhook_id))


@put("/webhooks/{webhook_id:uuid}/activation", status_code=204, responses=CHANGED)
async def enable_webhook(webhook_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Send again, after it was disabled or suspended: what waited goes at once.

    What happened meanwhile was not queued: replay it.
    """
    await person.ask(EnableWebhook(webhook_id=webhook_id))


@delete("/webhooks/{webhook_id:uuid}/activation", responses=CHANGED)
async def disable_webhook(webhook_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Send and queue nothing until it is enabled again."""
    await person.ask(DisableWebhook(webhook_id=webhook_id))


@post("/webhooks/{webhook_id:uuid}/secrets", status_code=200, responses=CHANGED)
async def rotate_webhook_secret(
    webhook_id: FromPath[UUID], data: RequestBody[Rotation], person: NamedDependency[Person]
) -> WebhookSecret:
    """Make a new secret, shown this once; the former one signs too for 24 hours.

    Refused: `webhook_secret_shown` (that `secret_id` was made more than ten minutes ago).
    """
    return await person.ask(RotateWebhookSecret(webhook_id=webhook_id, secret_id=data.secret_id))


@get("/webhooks/{webhook_id:uuid}/deliveries", responses=MINE)
async def list_webhook_deliveries(
    webhook_id: FromPath[UUID],
    person: NamedDependency[Person],
    in_state: FromQuery[WebhookDeliveryState | None] = None,
    before: FromQuery[int | None] = None,
) -> tuple[WebhookDelivery, ...]:
    """Give a page of the delivery log, a hundred lines, the latest first.

    `before` is the `position` of the last line of the page before.
    """
    return await person.ask(
        ListWebhookDeliveries(webhook_id=webhook_id, state=in_state, before=before)
    )


@post("/webhooks/{webhook_id:uuid}/replays", status_code=200, responses=CHANGED)
async def replay_webhook(
    webhook_id: FromPath[UUID], data: RequestBody[Replay], person: NamedDependency[Person]
) -> WebhookReplay:
    """Send again what happened since an instant, at most 30 days ago, with the same `webhook-id`s.

    `reached` is set where there was more than one replay takes: ask again from there, with another
    `replay_id`. Refused: `webhook_not_enabled`.
    """
    return await person.ask(
        ReplayWebhook(webhook_id=webhook_id, replay_id=data.replay_id, since=data.since)
    )


ROUTES = [
    register_webhook,
    list_webhooks,
    remove_webhook,
    enable_webhook,
    disable_webhook,
    rotate_webhook_secret,
    list_webhook_deliveries,
    replay_webhook,
]
