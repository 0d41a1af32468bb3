"""What each family lacks, as it was last told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "documents_0003"
down_revision = "documents_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_pieces",
        sa.Column("campaign_id", sa.Uuid, primary_key=True),
        sa.Column("family_id", sa.Uuid, primary_key=True),
        sa.Column("pieces", JSONB, nullable=False),
    )
