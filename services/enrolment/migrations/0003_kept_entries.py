"""What is typed and not sent yet, and the details that a campaign does not ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "enrolment_0003"
down_revision = "enrolment_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "campaign",
        sa.Column(
            "fields_not_asked",
            postgresql.ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'::text[]"),
        ),
    )
    op.create_table(
        "kept_entries",
        sa.Column("application_id", sa.Uuid, nullable=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("entries", postgresql.JSONB, nullable=False),
        sa.Column("page_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("typed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("application_id", "step", "account_id", name="kept_entries_pkey"),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name="kept_entries_application_id_fkey"
        ),
    )
    op.create_index("kept_entries_family_id_idx", "kept_entries", ["family_id"])
