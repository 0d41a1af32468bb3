"""Messages that still hold a link's token are found without reading all the others."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0008"
down_revision = "notifications_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "message_token_idx",
        "message",
        ["pointless_at"],
        postgresql_where=sa.text("content ? 'token'"),
    )
