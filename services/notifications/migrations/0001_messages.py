"""Messages, and the copies of families, sites and campaigns that they are written from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("campaign_id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("receipt_number", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_courses", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("left_courses", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failed_attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("recipients", sa.Text, nullable=False, server_default=""),
        sa.Column("failure", sa.Text, nullable=False, server_default=""),
        sa.CheckConstraint(
            "kind IN ('submission_receipt', 'decline_receipt')", name=op.f("message_kind_check")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sent', 'failed', 'no_address')",
            name=op.f("message_state_check"),
        ),
    )
    op.create_index("message_application_id_idx", "message", ["application_id"])
    op.create_index("message_family_id_idx", "message", ["family_id"])
    op.create_index(
        "message_due_at_idx", "message", ["due_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "family",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("guardians", JSONB, nullable=False),
        sa.Column("students", JSONB, nullable=False),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("school_year", sa.Text, nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("documents_due_at", sa.DateTime(timezone=True), nullable=False),
    )
