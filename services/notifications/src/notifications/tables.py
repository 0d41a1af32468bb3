"""What notifications stores: messages, its copies of whom and what they are about, reminders,
wordings, webhooks.
"""

from shared.db import new_metadata
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = new_metadata()

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("student_id", Uuid),
    Column("campaign_id", Uuid),
    Column("site_id", Uuid),
    Column("application_id", Uuid),
    Column("place_id", Uuid),
    Column("addressee", JSONB(none_as_null=True)),
    Column("content", JSONB, nullable=False),
    Column("receipt_number", Text, Computed("content ->> 'receipt_number'", persisted=True)),
    Column("correlation_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("pointless_at", DateTime(timezone=True)),
    Column("is_paced", Boolean, nullable=False, server_default="false"),
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    Column("recipients", Text, nullable=False, server_default=""),
    Column("failure", Text, nullable=False, server_default=""),
    Column("done_with", ARRAY(Text), nullable=False, server_default="{}"),
    CheckConstraint(
        "state IN ('waiting', 'sent', 'failed', 'no_address', 'too_late', 'not_needed')",
        name="state",
    ),
    Index("message_application_id_idx", "application_id"),
    Index("message_family_id_idx", "family_id"),
    Index("message_receipt_number_idx", "receipt_number"),
)
"""A message to a family, from the event that asked for it to its end.

``content`` is what its kind says beyond the names and dates of the copies below. It goes to the
family's guardians, or to ``addressee``, a ``{"name", "email"}``, alone. Where its event names no
site, it is its campaign's. ``due_at`` counts while ``state`` is waiting, and is a moment booked for
it where ``is_paced``; from ``pointless_at`` on it is sent no more; ``failure`` says why an address,
or all, got nothing. One that waits for some addresses alone is ``done_with`` the others.
"""

Index("message_due_at_idx", message.c.due_at, postgresql_where=message.c.state == "waiting")

NOT_ALL_SENT = or_(
    message.c.state.in_(("failed", "no_address", "too_late")),
    and_(message.c.state == "sent", message.c.failure != ""),
)
"""What its family was not sent, or not at every address."""

Index("message_not_all_sent_idx", message.c.created_at, postgresql_where=NOT_ALL_SENT)

HAS_LEFT = or_(message.c.state == "sent", message.c.done_with != [])
"""What was sent, to some addresses at least, at ``state_at``."""

HOLDS_TOKEN = message.c.content.has_key("token")
"""What makes a link that is good for a while, and is to be forgotten."""

Index("message_token_idx", message.c.pointless_at, postgresql_where=HOLDS_TOKEN)

attempt = Table(
    "attempt",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("message_id", Uuid, ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    Column("attempted_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Index("attempt_message_id_idx", "message_id"),
)
"""Each time that a message was tried, and what the mail server answered."""

pace = Table(
    "pace",
    metadata,
    Column("name", Text, primary_key=True),
    Column("free_at", DateTime(timezone=True), nullable=False),
)
"""When the next mail may leave, to a domain, or to any under the empty name."""

family = Table(
    "family",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid),
    Column("revision", BigInteger, nullable=False),
    Column("guardians", JSONB, nullable=False),
    Column("students", JSONB, nullable=False),
    Column("language", Text, nullable=False, server_default="fr"),
    Index("family_site_id_idx", "site_id"),
)
"""``guardians`` is a list of ``{"name", "email"}``; ``students`` a name for each identifier;
``language`` the one that it is written to in. Of a family that was erased the identifier stays.
"""

site = Table(
    "site",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", DateTime(timezone=True), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid),
    Column("school_year", Text, nullable=False),
    Column("closes_at", DateTime(timezone=True), nullable=False),
    Column("documents_due_at", DateTime(timezone=True), nullable=False),
)

application = Table(
    "application",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, nullable=False),
    Column("student_id", Uuid, nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("state IN ('draft', 'submitted', 'declined')", name="state"),
    Index("application_campaign_id_family_id_idx", "campaign_id", "family_id"),
)
"""How far each family is with each student, as enrolment tells it; the latest instant counts."""

missing_pieces = Table(
    "missing_pieces",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("family_id", Uuid, primary_key=True),
    Column("reckoned_at", DateTime(timezone=True), nullable=False),
    Column("pieces", JSONB, nullable=False),
)
"""What each family lacks, as documents tells it: a list of ``{"student_id", "name"}``."""

remarks = Table(
    "remarks",
    metadata,
    Column("receipt_number", Text, primary_key=True),
    Column("family_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Index("remarks_family_id_idx", "family_id"),
)
"""What a family said in its own words with the request of a receipt (S68)."""

reminder = Table(
    "reminder",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("occasion", Text, primary_key=True),
    Column("family_id", Uuid, primary_key=True),
    Column("message_id", ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    Index("reminder_message_id_idx", "message_id"),
)
"""Which family was reminded on which occasion: of each there is one, whatever starts again."""

reminder_stop = Table(
    "reminder_stop",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("stopped_at", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid, nullable=False),
)

reminder_launch = Table(
    "reminder_launch",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("launched_at", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("is_done", Boolean, nullable=False, server_default="false"),
    Index("reminder_launch_campaign_id_kind_idx", "campaign_id", "kind"),
)
"""Reminders that the staff launched; they are queued after the command, some at a time."""

reminder_refusal = Table(
    "reminder_refusal",
    metadata,
    Column("family_id", Uuid, primary_key=True),
    Column("refused_at", DateTime(timezone=True), nullable=False),
)
"""The families that want no reminder."""

wording = Table(
    "wording",
    metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid, nullable=False),
)
"""How a site opens its messages, where it does so in its own words."""

webhook = Table(
    "webhook",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", DateTime(timezone=True), nullable=False),
    Column("state_reason", Text, nullable=False, server_default=""),
    Column("failing_since", DateTime(timezone=True)),
    CheckConstraint("state IN ('enabled', 'disabled', 'suspended')", name="state"),
)
"""Whoever locks a webhook and its deliveries locks the webhook first."""

webhook_secret = Table(
    "webhook_secret",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("retires_at", DateTime(timezone=True)),
    Index("webhook_secret_webhook_id_idx", "webhook_id"),
)
"""What signs. One that was replaced goes on doing so until it retires."""

webhook_event = Table(
    "webhook_event",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("webhook_event_happened_at_idx", "happened_at"),
)
"""The events that a webhook asked for, as they were told, to be sent and sent again."""

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("webhook_id", ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", ForeignKey("webhook_event.id", ondelete="CASCADE"), nullable=False),
    Column("replay_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("attempted_at", DateTime(timezone=True)),
    Column("status", Integer),
    Column("answer", Text, nullable=False, server_default=""),
    Column("failure", Text, nullable=False, server_default=""),
    Column("milliseconds", Integer),
    CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
    UniqueConstraint("webhook_id", "event_id", "replay_id"),
    Index("webhook_delivery_event_id_idx", "event_id"),
    Index("webhook_delivery_webhook_id_position_idx", "webhook_id", "position"),
)
"""One event for one webhook. ``replay_id`` is the replay that asked for it, or the webhook's own
identifier. While it is sent ``due_at`` is when it is given up for lost with its sender; ``status``,
``answer``, ``failure`` and ``milliseconds`` are of the last attempt.
"""

Index(
    "webhook_delivery_due_at_idx",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.due_at,
    postgresql_where=webhook_delivery.c.state == "waiting",
)
