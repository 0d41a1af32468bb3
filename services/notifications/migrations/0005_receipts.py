"""Receipts are found by their number: to print one, to send it again, to confirm it."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0005"
down_revision = "notifications_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "message",
        sa.Column(
            "receipt_number", sa.Text, sa.Computed("content ->> 'receipt_number'", persisted=True)
        ),
    )
    op.create_index("message_receipt_number_idx", "message", ["receipt_number"])
