"""Sites, families with their people, accounts and sessions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "identity_0001"
down_revision = None
branch_labels = ("identity",)
depends_on = None


def upgrade() -> None:
    _create_families()
    _create_accounts()


def _create_families() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("town", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("city", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("tariff_page", sa.Text, nullable=False),
    )
    op.create_table(
        "family",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    )
    for person in ("guardian", "student"):
        op.create_table(
            person,
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("family_id", sa.Uuid, sa.ForeignKey("family.id"), nullable=False),
            sa.Column("code", sa.Text, nullable=False, unique=True),
            sa.Column("details", JSONB, nullable=False),
            sa.Column("imported", JSONB, nullable=False),
        )
        op.create_index(f"{person}_family_id_idx", person, ["family_id"])
    op.create_table(
        "contact_change",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("family_id", sa.Uuid, sa.ForeignKey("family.id"), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("record_id", sa.Uuid, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("old_value", sa.Text, nullable=False),
        sa.Column("new_value", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Uuid, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("contact_change_family_id_idx", "contact_change", ["family_id"])


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "guardian_id", sa.Uuid, sa.ForeignKey("guardian.id"), nullable=False, unique=True
        ),
        sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.UniqueConstraint(
            "site_id",
            "username",
            name="account_site_id_username_key",
            deferrable=True,
            initially="DEFERRED",
        ),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("name_hash", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("previous_token_hash", sa.LargeBinary),
        sa.Column("rotation_seed", sa.LargeBinary),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("session_account_id_idx", "session", ["account_id"])
