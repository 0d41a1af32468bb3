"""A row whose seat is claimed may hold another one, which a modified request puts in its place."""

import sqlalchemy as sa
from alembic import op

revision = "courses_0003"
down_revision = "courses_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "seat_one_of_each_a_row_idx",
        "seat",
        ["student_id", "campaign_id", "follow_id", "state"],
        unique=True,
        postgresql_where=sa.text("state <> 'released'"),
    )
    op.drop_index("seat_one_a_row_idx", "seat")
