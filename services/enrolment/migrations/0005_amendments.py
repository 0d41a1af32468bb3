"""What a family changes in the request that it submitted, and the seats that it then replaced."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "enrolment_0005"
down_revision = "enrolment_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("application", sa.Column("amendment", JSONB))
    op.add_column(
        "hold", sa.Column("replaced", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.create_check_constraint(
        "application_amendment_check", "application", "amendment IS NULL OR state = 'submitted'"
    )
