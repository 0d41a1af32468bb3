"""Webhooks: where events are sent, what signs them, the events themselves and their deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "notifications_0004"
down_revision = "notifications_0003"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, server_default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=server_default)


def upgrade() -> None:
    _create_webhooks()
    _create_deliveries()


def _create_webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid, primary_key=True),
        _text("url"),
        sa.Column("event_types", ARRAY(sa.Text), nullable=False),
        _text("description"),
        _instant("created_at"),
        _text("state"),
        _instant("state_at"),
        _text("state_reason", server_default=""),
        _instant("failing_since", nullable=True),
        sa.CheckConstraint(
            "state IN ('enabled', 'disabled', 'suspended')", name="webhook_state_check"
        ),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "webhook_id", sa.Uuid, sa.ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False
        ),
        _text("secret"),
        _instant("created_at"),
        _instant("retires_at", nullable=True),
    )
    op.create_index("webhook_secret_webhook_id_idx", "webhook_secret", ["webhook_id"])


def _create_deliveries() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.Uuid, primary_key=True),
        _text("type"),
        _text("source"),
        _text("subject"),
        _instant("happened_at"),
        _text("correlation_id"),
        _text("data"),
    )
    op.create_index("webhook_event_happened_at_idx", "webhook_event", ["happened_at"])
    op.create_table(
        "webhook_delivery",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "webhook_id", sa.Uuid, sa.ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "event_id",
            sa.Uuid,
            sa.ForeignKey("webhook_event.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("replay_id", sa.Uuid, nullable=False),
        _text("state"),
        _instant("due_at"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _instant("attempted_at", nullable=True),
        sa.Column("status", sa.Integer),
        _text("answer", server_default=""),
        _text("failure", server_default=""),
        sa.Column("milliseconds", sa.Integer),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed')", name="webhook_delivery_state_check"
        ),
        sa.UniqueConstraint("webhook_id", "event_id", "replay_id"),
    )
    op.create_index("webhook_delivery_event_id_idx", "webhook_delivery", ["event_id"])
    op.create_index(
        "webhook_delivery_webhook_id_position_idx", "webhook_delivery", ["webhook_id", "position"]
    )
    op.create_index(
        "webhook_delivery_due_at_idx",
        "webhook_delivery",
        ["webhook_id", "due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
