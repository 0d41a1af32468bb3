"""The catalogue, who follows what, seats, and copies of campaigns and families."""

import sqlalchemy as sa
from alembic import op

revision = "courses_0001"
down_revision = None
branch_labels = ("courses",)
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "course",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("school_year", sa.Text, nullable=False),
        sa.Column("discipline", sa.Text, nullable=False),
        sa.Column("curriculum", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("cycle", sa.Text, nullable=False),
        sa.Column("group_number", sa.Text, nullable=False),
        sa.Column("reduced_schedule", sa.Boolean, nullable=False),
        sa.Column("weekday", sa.Text),
        sa.Column("starts_at", sa.Time),
        sa.Column("ends_at", sa.Time),
        sa.Column("teacher", sa.Text, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
    )
    op.create_index("course_offer_idx", "course", ["site_id", "school_year", "curriculum", "level"])
    op.create_table(
        "occupancy",
        sa.Column(
            "course_id",
            sa.Uuid,
            sa.ForeignKey("course.id", name="occupancy_course_id_fkey"),
            primary_key=True,
        ),
        sa.Column("taken", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("taken >= 0", name="occupancy_not_negative_check"),
        postgresql_with={"fillfactor": "25"},
    )
    op.create_table(
        "follow",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column(
            "course_id",
            sa.Uuid,
            sa.ForeignKey("course.id", name="follow_course_id_fkey"),
        ),
        sa.Column("course_code", sa.Text, nullable=False),
        sa.Column("school_year", sa.Text, nullable=False),
        sa.Column("proposed_level", sa.Text, nullable=False),
    )
    op.create_index("follow_student_id_idx", "follow", ["student_id"])
    op.create_table(
        "seat",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("campaign_id", sa.Uuid, nullable=False),
        sa.Column(
            "course_id",
            sa.Uuid,
            sa.ForeignKey("course.id", name="seat_course_id_fkey"),
            nullable=False,
        ),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("follow_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        _instant("held_at"),
        _instant("expires_at"),
        _instant("released_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'claimed', 'released')", name="seat_known_state_check"
        ),
    )
    op.create_index(
        "seat_one_a_row_idx",
        "seat",
        ["campaign_id", "follow_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'released'"),
    )
    op.create_index("seat_student_idx", "seat", ["student_id", "campaign_id"])
    op.create_index(
        "seat_expiry_idx", "seat", ["expires_at"], postgresql_where=sa.text("state = 'held'")
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("school_year", sa.Text, nullable=False),
        _instant("opens_at"),
        _instant("closes_at"),
    )
    op.create_table(
        "family",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "student",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "family_id",
            sa.Uuid,
            sa.ForeignKey("family.id", name="student_family_id_fkey"),
            primary_key=True,
        ),
    )
