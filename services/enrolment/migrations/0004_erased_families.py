"""Which families were erased, so that what is told of them late is not kept again."""

import sqlalchemy as sa
from alembic import op

revision = "enrolment_0004"
down_revision = "enrolment_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("erased_family", sa.Column("id", sa.Uuid, primary_key=True))
