"""What reached some addresses is tried again for the others alone; what came too late says so; a
receipt shows what its family said in its own words.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "notifications_0009"
down_revision = "notifications_0008"
branch_labels = None
depends_on = None

_STATES = "'waiting', 'sent', 'failed', 'no_address', 'too_late', 'not_needed'"
_NOT_ALL_SENT = (
    "state IN ('failed', 'no_address', 'too_late') OR (state = 'sent' AND failure <> '')"
)


def upgrade() -> None:
    op.add_column(
        "message",
        sa.Column(
            "done_with",
            postgresql.ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
        ),
    )
    op.create_table(
        "remarks",
        sa.Column("receipt_number", sa.Text, nullable=False),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("receipt_number", name="remarks_pkey"),
    )
    op.create_index("remarks_family_id_idx", "remarks", ["family_id"])
    op.drop_constraint("message_state_check", "message")
    op.create_check_constraint("message_state_check", "message", f"state IN ({_STATES})")
    op.drop_index("message_not_all_sent_idx", "message")
    op.create_index(
        "message_not_all_sent_idx",
        "message",
        ["created_at"],
        postgresql_where=sa.text(_NOT_ALL_SENT),
    )
