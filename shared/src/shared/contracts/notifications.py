"""What notifications answers and tells: messages and their delivery."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Base64Bytes, Field, StringConstraints

from shared.contract import Command, Contract, Event, Query
from shared.contracts.letters import (
    Language,
    ReminderKind,
    Reminders,
    WordedKind,
    Wording,
    WordingPreview,
    WordingText,
)
from shared.contracts.webhooks import (
    Webhook,
    WebhookDelivery,
    WebhookDeliveryState,
    WebhookReplay,
    WebhookSecret,
    WebhookUrl,
)

type ReceiptKind = Literal["submission_receipt", "decline_receipt"]
type AccountNoticeKind = Literal[
    "password_reset_link",
    "password_changed",
    "account_locked",
    "email_confirmation_link",
    "email_changed",
    "email_recorded",
]
type DecisionKind = Literal[
    "seat_confirmed", "seat_placed", "waiting_list_offer_ended", "document_accepted"
]
type MessageKind = WordedKind | AccountNoticeKind | DecisionKind
type ReceiptNumber = Annotated[str, Field(max_length=100)]
type DeliveryState = Literal["waiting", "sent", "failed", "no_address", "too_late", "not_needed"]
"""``too_late`` is what could not be sent before it lost its object, as an offer that ended;
``not_needed`` a reminder that its family had answered, or wanted no more, or got a newer one of.
One that waits may have reached some of its addresses.
"""


class Delivery(Contract):
    """A receipt sent to a family: to whom, where it stands, and since when.

    ``again_from`` is when it may be sent again: none while it is on its way, or where the family
    has no address.
    """

    kind: ReceiptKind
    receipt_number: str
    to: str
    state: DeliveryState
    at: datetime
    again_from: datetime | None = None


class ListDeliveries(Query[tuple[Delivery, ...]]):
    """The receipts of one application, the latest first: for its family, and the staff of its site.

    An offer of a waiting list is about a place, not an application: the portal shows it by itself.
    """

    application_id: UUID


class PrintedReceipt(Contract):
    """A receipt as a PDF to keep."""

    filename: str
    pdf: Base64Bytes


class PrintReceipt(Query[PrintedReceipt]):
    """The PDF of a receipt, for its family and the staff of its site: the same each time, but
    for names and missing pieces, as they are now.

    Refused: ``not_found``, ``receipt_not_ready`` (what it names is not known yet: repeat in a
    moment).
    """

    receipt_number: ReceiptNumber


class SendReceiptAgain(Command[Delivery]):
    """Send a receipt again, to the family's present addresses (family, or staff of the site).

    ``delivery_id`` is the client's. Refused: ``receipt_on_its_way``, ``sent_a_moment_ago`` (with
    ``facts["again_from"]``), ``no_address``, ``not_found``.
    """

    delivery_id: UUID
    receipt_number: ReceiptNumber


class GenuineReceipt(Contract):
    """What anyone may know of a receipt whose number and code they have."""

    received_at: datetime


class VerifyReceipt(Query[GenuineReceipt | None]):
    """Tell whether a receipt is genuine, by the code printed on it; public.

    None for a number that does not exist, as for a wrong code.
    """

    receipt_number: ReceiptNumber
    code: str = Field(max_length=100)


class MessageSent(Event, about="message_id"):
    """The territory's mail server accepted a message.

    It is about an application (receipts) or about a ``place_id`` of a waiting list (offers).
    """

    message_id: UUID
    application_id: UUID | None = None
    place_id: UUID | None = None
    family_id: UUID
    kind: MessageKind
    sent_at: datetime


class FamilyMessagesErased(Event, about="family_id"):
    """Nothing is left of what a family was sent, nor of whom it was sent to (S96)."""

    family_id: UUID
    erased_at: datetime


class ListReminders(Query[tuple[Reminders, ...]]):
    """The reminders of a campaign, by kind; for the staff of its site."""

    campaign_id: UUID


class LaunchReminders(Command[Reminders]):
    """Remind now every family that a kind concerns, each once (S85); for the staff of the site.

    ``launch_id`` is the caller's. Refused: ``reminders_stopped``, ``reminded_lately`` (once a day,
    with ``facts["launch_from"]``), ``deadline_passed``, ``not_found``.
    """

    launch_id: UUID
    campaign_id: UUID
    kind: ReminderKind


class StopReminders(Command[None]):
    """Send no more reminders of a kind in a campaign, those that wait included (staff)."""

    campaign_id: UUID
    kind: ReminderKind


class ResumeReminders(Command[None]):
    """Send reminders again, after :class:`StopReminders`."""

    campaign_id: UUID
    kind: ReminderKind


class ReminderChoice(Query[bool]):
    """Whether the family of a mail's link gets reminders; public, ``link_expired`` if not ours."""

    token: str = Field(max_length=200, repr=False)


class ChooseReminders(Command[None]):
    """Get reminders or not, by a mail's link; public, refused as :class:`ReminderChoice`."""

    token: str = Field(max_length=200, repr=False)
    wanted: bool


class ChooseLanguage(Command[None]):
    """Have the caller's family written to in this language from now on, in mails and receipts."""

    language: Language


class ListWordings(Query[tuple[Wording, ...]]):
    """The wordings of a site, for its staff."""

    site_id: UUID


class SaveWording(Command[Wording]):
    """Open the messages of a kind in a site's own words, from now on (staff of the site).

    Refused: ``wording_refused``, with ``facts["line"]`` and, where there is one,
    ``facts["variable"]`` that does not exist.
    """

    site_id: UUID
    kind: WordedKind
    language: Language = "fr"
    text: WordingText


class ResetWording(Command[Wording]):
    """Come back to the territory's words."""

    site_id: UUID
    kind: WordedKind
    language: Language = "fr"


class PreviewWording(Query[WordingPreview]):
    """An example of a message in these words, which are not saved, or in the site's present ones.

    Refused as :class:`SaveWording`.
    """

    site_id: UUID
    kind: WordedKind
    language: Language = "fr"
    text: WordingText | None = None


A_PAGE_OF_MESSAGES = 50


class MessageAttempt(Contract):
    """A time that a message was tried, and what the mail server answered."""

    at: datetime
    outcome: DeliveryState
    answer: str


class SentMessage(Contract):
    """A message to a family: what, to whom, where it stands and since when (``at``).

    ``failure`` says why an address, or all, got nothing.
    """

    id: UUID
    kind: MessageKind
    family_id: UUID
    student: str
    created_at: datetime
    to: str
    state: DeliveryState
    at: datetime
    failure: str
    attempts: tuple[MessageAttempt, ...]


class ListMessages(Query[tuple[SentMessage, ...]]):
    """The messages to a family, the latest first, fifty at a time; ``before`` is the last one
    of the page before.

    A family's own, but those to one guardian alone; to the staff, their site's to ``family_id``.
    """

    family_id: UUID | None = None
    before: UUID | None = None


class ListMailFailures(Query[tuple[SentMessage, ...]]):
    """What a site's families were not sent, or not at every address (S82), for its staff; listed
    as :class:`ListMessages` lists.
    """

    site_id: UUID
    before: UUID | None = None


class RegisterWebhook(Command[WebhookSecret]):
    """Have events of these types sent to ``url``. For operators alone, as all about webhooks.

    ``webhook_id`` is the caller's, and is its first secret's. Refused: ``webhook_url_refused``
    (``facts["reason"]`` says why: not https, a private address, an unknown name…),
    ``webhook_events_refused`` (``facts["event_types"]`` are unknown or personal, S90),
    ``webhook_id_reused``, ``webhook_secret_shown``.
    """

    webhook_id: UUID
    url: WebhookUrl
    event_types: Annotated[tuple[str, ...], Field(min_length=1, max_length=200)]
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class RotateWebhookSecret(Command[WebhookSecret]):
    """Make a new secret; the former one signs too for 24 hours.

    ``secret_id`` is the caller's. Refused: ``webhook_secret_shown``, where that secret was made
    more than ten minutes ago: mint another identifier.
    """

    webhook_id: UUID
    secret_id: UUID


class EnableWebhook(Command[None]):
    """Send again; what waited goes at once. What happened meanwhile is had by a replay."""

    webhook_id: UUID


class DisableWebhook(Command[None]):
    """Send nothing, and queue nothing, until it is enabled again."""

    webhook_id: UUID


class RemoveWebhook(Command[None]):
    """Forget a webhook, its secrets and its delivery log. One already removed stays so."""

    webhook_id: UUID


class ListWebhooks(Query[tuple[Webhook, ...]]):
    """Every webhook of the territory, the oldest first."""


class ListWebhookDeliveries(Query[tuple[WebhookDelivery, ...]]):
    """The delivery log of a webhook, the latest first, a hundred at a time.

    ``before`` is the ``position`` of the last line of the page before.
    """

    webhook_id: UUID
    state: WebhookDeliveryState | None = None
    before: int | None = None


class ReplayWebhook(Command[WebhookReplay]):
    """Send again, under the same identifiers, the events that happened from ``since`` on.

    Events are kept for 30 days, where a webhook asked for their type. ``replay_id`` is the
    caller's. Refused: ``webhook_not_enabled``.
    """

    webhook_id: UUID
    replay_id: UUID
    since: AwareDatetime


class WebhookSuspended(Event, about="webhook_id"):
    """Nothing is sent to a webhook any more, until an operator enables it again.

    ``reason`` is ``gone`` (it answered 410) or ``failing`` (nothing got through for three days).
    """

    webhook_id: UUID
    reason: Literal["gone", "failing"]
    failing_since: datetime
    suspended_at: datetime
