"""What families declare that they do not give (S55)."""

import sqlalchemy as sa
from alembic import op

revision = "documents_0004"
down_revision = "documents_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "declined_piece",
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("campaign_id", sa.Uuid, sa.ForeignKey("campaign.id"), nullable=False),
        sa.Column("student_id", sa.Uuid),
        sa.Column("type_code", sa.Text, nullable=False),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.UniqueConstraint(
            "family_id",
            "campaign_id",
            "student_id",
            "type_code",
            postgresql_nulls_not_distinct=True,
        ),
    )
