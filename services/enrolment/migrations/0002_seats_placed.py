"""Seats given by an accepted offer or by the staff, and those that a refusal gave up for good."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "enrolment_0002"
down_revision = "enrolment_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("application", sa.Column("chosen_at", sa.DateTime(timezone=True)))
    op.add_column(
        "application",
        sa.Column(
            "given_up_hold_ids",
            postgresql.ARRAY(sa.Uuid),
            nullable=False,
            server_default=sa.text("'{}'::uuid[]"),
        ),
    )
    op.add_column("hold", sa.Column("replaces", sa.Uuid))
    op.add_column("hold", sa.Column("placed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "hold_placed_idx",
        "hold",
        ["student_id"],
        postgresql_where=sa.text("placed_at IS NOT NULL"),
    )
