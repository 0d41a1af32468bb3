"""Families are written to in the language that they chose."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0007"
down_revision = "notifications_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("family", sa.Column("language", sa.Text, nullable=False, server_default="fr"))
