"""Offers of a seat: messages about a place of a waiting list, which have no receipt."""

import sqlalchemy as sa
from alembic import op

revision = "notifications_0002"
down_revision = "notifications_0001"
branch_labels = None
depends_on = None

_ONLY_RECEIPTS_HAVE = ("application_id", "site_id", "receipt_number", "received_at")


def upgrade() -> None:
    for name in _ONLY_RECEIPTS_HAVE:
        op.alter_column("message", name, nullable=True)
    op.add_column("message", sa.Column("place_id", sa.Uuid))
    op.add_column("message", sa.Column("offered_course", sa.Text))
    op.add_column("message", sa.Column("offered_until", sa.DateTime(timezone=True)))
    op.drop_constraint("message_kind_check", "message", type_="check")
    op.create_check_constraint(
        "message_kind_check",
        "message",
        "kind IN ('submission_receipt', 'decline_receipt', 'waiting_list_offer')",
    )
    op.create_check_constraint(
        "message_whole_check",
        "message",
        "CASE kind WHEN 'waiting_list_offer'"
        " THEN num_nulls(place_id, offered_course, offered_until) = 0"
        " ELSE num_nulls(application_id, receipt_number, received_at) = 0 END",
    )
    op.add_column("campaign", sa.Column("site_id", sa.Uuid))
    # a campaign already known was told with its site to this very service, in a receipt
    op.execute(
        "UPDATE campaign SET site_id = message.site_id FROM message"
        " WHERE message.campaign_id = campaign.id"
    )
