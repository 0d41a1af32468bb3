"""Reminders, with the copies that say whom they concern, and the sites' own words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notifications_0006"
down_revision = "notifications_0005"
branch_labels = None
depends_on = None


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _uuid(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.drop_constraint("message_state_check", "message", type_="check")
    op.create_check_constraint(
        "message_state_check",
        "message",
        "state IN ('waiting', 'sent', 'failed', 'no_address', 'not_needed')",
    )
    op.create_index(
        "message_not_all_sent_idx",
        "message",
        ["created_at"],
        postgresql_where=sa.text(
            "state IN ('failed', 'no_address') OR (state = 'sent' AND failure <> '')"
        ),
    )
    op.add_column("family", sa.Column("site_id", sa.Uuid))
    op.create_index("family_site_id_idx", "family", ["site_id"])
    # the others are known of their site when they are next told
    op.execute(
        "UPDATE family SET site_id = message.site_id FROM message"
        " WHERE message.family_id = family.id AND message.site_id IS NOT NULL"
    )
    _create_copies()
    _create_reminders()
    op.create_table(
        "wording",
        _uuid("site_id"),
        _text("kind"),
        _text("language"),
        _text("text"),
        _instant("saved_at"),
        _uuid("account_id"),
        sa.PrimaryKeyConstraint("site_id", "kind", "language"),
    )


def _create_copies() -> None:
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid, primary_key=True),
        _uuid("campaign_id"),
        _uuid("student_id"),
        _uuid("family_id"),
        _text("state"),
        _instant("state_at"),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'declined')", name="application_state_check"
        ),
    )
    op.create_index(
        "application_campaign_id_family_id_idx", "application", ["campaign_id", "family_id"]
    )
    op.create_table(
        "missing_pieces",
        _uuid("campaign_id"),
        _uuid("family_id"),
        _instant("reckoned_at"),
        sa.Column("pieces", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "family_id"),
    )


def _create_reminders() -> None:
    op.create_table(
        "reminder",
        _uuid("campaign_id"),
        _text("kind"),
        _text("occasion"),
        _uuid("family_id"),
        sa.Column(
            "message_id", sa.Uuid, sa.ForeignKey("message.id", ondelete="CASCADE"), nullable=False
        ),
        sa.PrimaryKeyConstraint("campaign_id", "kind", "occasion", "family_id"),
    )
    op.create_index("reminder_message_id_idx", "reminder", ["message_id"])
    op.create_table(
        "reminder_stop",
        _uuid("campaign_id"),
        _text("kind"),
        _instant("stopped_at"),
        _uuid("account_id"),
        sa.PrimaryKeyConstraint("campaign_id", "kind"),
    )
    op.create_table(
        "reminder_launch",
        sa.Column("id", sa.Uuid, primary_key=True),
        _uuid("campaign_id"),
        _text("kind"),
        _instant("launched_at"),
        _uuid("account_id"),
        sa.Column("is_done", sa.Boolean, nullable=False, server_default="false"),
    )
    op.create_index(
        "reminder_launch_campaign_id_kind_idx", "reminder_launch", ["campaign_id", "kind"]
    )
    op.create_table(
        "reminder_refusal",
        sa.Column("family_id", sa.Uuid, primary_key=True),
        _instant("refused_at"),
    )
