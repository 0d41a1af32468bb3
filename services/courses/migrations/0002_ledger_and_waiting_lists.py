"""Waiting lists, the ledger of seats, and what other parts were told of the counters."""

import sqlalchemy as sa
from alembic import op

revision = "courses_0002"
down_revision = "courses_0001"
branch_labels = None
depends_on = None

_LIVE = "state IN ('waiting', 'offered')"


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _extend_occupancy()
    _create_waiting_lists()
    _create_ledger()


def _extend_occupancy() -> None:
    op.add_column(
        "occupancy", sa.Column("capacity", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column("occupancy", sa.Column("waiting", sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        "occupancy", sa.Column("version", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_check_constraint("occupancy_nobody_missing_check", "occupancy", "waiting >= 0")
    op.execute(
        "UPDATE occupancy SET capacity = course.capacity FROM course"
        " WHERE course.id = occupancy.course_id"
    )
    op.create_table(
        "edition",
        sa.Column("id", sa.Boolean, primary_key=True, server_default="true"),
        sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),
        sa.CheckConstraint("id", name="edition_only_one_check"),
    )
    op.execute("INSERT INTO edition DEFAULT VALUES")
    op.create_table(
        "told",
        sa.Column(
            "course_id",
            sa.Uuid,
            sa.ForeignKey("course.id", name="told_course_id_fkey"),
            primary_key=True,
        ),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _create_waiting_lists() -> None:
    op.create_table(
        "place",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.Uuid, nullable=False),
        sa.Column(
            "course_id",
            sa.Uuid,
            sa.ForeignKey("course.id", name="place_course_id_fkey"),
            nullable=False,
        ),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("follow_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _instant("joined_at"),
        _instant("offered_until", nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'accepted', 'refused', 'expired', 'withdrawn')",
            name="place_known_state_check",
        ),
    )
    op.create_index(
        "place_one_a_row_idx",
        "place",
        ["course_id", "follow_id", "campaign_id"],
        unique=True,
        postgresql_where=sa.text(_LIVE),
    )
    op.create_index(
        "place_line_idx",
        "place",
        ["course_id", "position"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("place_family_idx", "place", ["family_id"])
    op.create_index("place_student_idx", "place", ["student_id", "campaign_id"])
    op.create_index(
        "place_expiry_idx",
        "place",
        ["offered_until"],
        postgresql_where=sa.text("state = 'offered'"),
    )
    op.create_table(
        "filing",
        sa.Column("campaign_id", sa.Uuid, primary_key=True),
        sa.Column("student_id", sa.Uuid, primary_key=True),
        _instant("filed_at", nullable=True),
        _instant("declined_at", nullable=True),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("seat_id", sa.Uuid, nullable=False),
        sa.Column("course_id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        _instant("happened_at"),
        sa.CheckConstraint("step BETWEEN -1 AND 1", name="ledger_one_seat_check"),
    )
    # what was decided before there was a ledger: each seat as it came, and as it ended
    op.execute(
        "INSERT INTO ledger (seat_id, course_id, student_id, change, step, reason, happened_at)"
        " SELECT id, course_id, student_id, 'held', 1, 'chosen', held_at FROM seat"
        " ORDER BY held_at"
    )
    op.execute(
        "INSERT INTO ledger (seat_id, course_id, student_id, change, step, reason, happened_at)"
        " SELECT id, course_id, student_id, state,"
        " CASE state WHEN 'released' THEN -1 ELSE 0 END, 'before the ledger',"
        " coalesce(released_at, expires_at) FROM seat WHERE state <> 'held'"
    )
    op.drop_column("seat", "released_at")
    op.drop_index("seat_student_idx", "seat")
    op.drop_index("seat_one_a_row_idx", "seat")
    op.create_index(
        "seat_one_a_row_idx",
        "seat",
        ["student_id", "campaign_id", "follow_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'released'"),
    )
    op.drop_constraint("seat_course_id_fkey", "seat", type_="foreignkey")
    op.add_column("seat", _instant("confirmed_at", nullable=True))
