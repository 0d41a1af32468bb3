"""Mailed links, who asked for one, locks to tell of, and what a session is recognised by."""

import sqlalchemy as sa
from alembic import op

revision = "identity_0002"
down_revision = "identity_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("device", sa.Text, nullable=False, server_default=""))
    op.create_index(
        "session_ended_at_idx",
        "session",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    op.add_column("sign_in_attempt", sa.Column("account_id", sa.Uuid))
    op.add_column(
        "sign_in_attempt",
        sa.Column("is_lock_told", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "link_request",
        sa.Column("key_hash", sa.LargeBinary, primary_key=True),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid),
        sa.Column("is_pending", sa.Boolean, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index(
        "link_request_is_pending_idx",
        "link_request",
        ["is_pending"],
        postgresql_where=sa.text("is_pending"),
    )
    op.create_table(
        "mailed_link",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('password_reset', 'email_change')", name=op.f("mailed_link_purpose_check")
        ),
    )
