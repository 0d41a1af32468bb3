"""What a person's details were when a form was shown: the revision of each change."""

import sqlalchemy as sa
from alembic import op

revision = "identity_0003"
down_revision = "identity_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("guardian", "student", "contact_change"):
        column = sa.Column("revision", sa.Integer, nullable=False, server_default="0")
        op.add_column(table, column)
    op.alter_column("contact_change", "changed_by", nullable=True)
