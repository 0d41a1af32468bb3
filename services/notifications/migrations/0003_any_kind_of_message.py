"""Messages of any kind: what they say in one column; the log of attempts, and the pace of mails."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "notifications_0003"
down_revision = "notifications_0002"
branch_labels = None
depends_on = None

_NOW_IN_CONTENT = (
    "receipt_number",
    "received_at",
    "asked_courses",
    "left_courses",
    "offered_course",
    "offered_until",
)


def upgrade() -> None:
    op.add_column("message", sa.Column("content", JSONB))
    op.add_column("message", sa.Column("addressee", JSONB))
    op.add_column("message", sa.Column("pointless_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE message SET pointless_at = offered_until,"
        " content = CASE kind WHEN 'waiting_list_offer'"
        " THEN jsonb_build_object('course', offered_course, 'until', offered_until)"
        " ELSE jsonb_build_object('receipt_number', receipt_number, 'received_at', received_at,"
        " 'asked_courses', asked_courses, 'left_courses', left_courses) END"
    )
    op.alter_column("message", "content", nullable=False)
    op.drop_constraint("message_kind_check", "message", type_="check")
    op.drop_constraint("message_whole_check", "message", type_="check")
    for name in _NOW_IN_CONTENT:
        op.drop_column("message", name)
    for name in ("campaign_id", "student_id"):
        op.alter_column("message", name, nullable=True)
    op.add_column(
        "message", sa.Column("is_paced", sa.Boolean, nullable=False, server_default="false")
    )
    _create_attempts_and_pace()


def _create_attempts_and_pace() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column(
            "message_id",
            sa.Uuid,
            sa.ForeignKey("message.id", name="attempt_message_id_fkey", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("attempt_message_id_idx", "attempt", ["message_id"])
    op.create_table(
        "pace",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
    )
