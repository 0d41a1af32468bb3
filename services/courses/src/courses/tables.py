"""What courses stores: the catalogue, who follows what, seats, and copies of what others own."""

import sqlalchemy as sa
from shared.db import new_metadata

metadata = new_metadata()

course = sa.Table(
    "course",
    metadata,
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
    sa.Index("course_offer_idx", "site_id", "school_year", "curriculum", "level"),
)

occupancy = sa.Table(
    "occupancy",
    metadata,
    sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.id"), primary_key=True),
    sa.Column("taken", sa.Integer, nullable=False, server_default="0"),
    sa.CheckConstraint("taken >= 0", name="not_negative"),
    # the hot table: room on each page keeps an update beside the row it replaces
    postgresql_with={"fillfactor": "25"},
)

follow = sa.Table(
    "follow",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("student_id", sa.Uuid, nullable=False, index=True),
    # absent for a year older than the catalogue: only the code is known then
    sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.id")),
    sa.Column("course_code", sa.Text, nullable=False),
    sa.Column("school_year", sa.Text, nullable=False),
    sa.Column("proposed_level", sa.Text, nullable=False),
)

seat = sa.Table(
    "seat",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.id"), nullable=False),
    sa.Column("family_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("follow_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("released_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("state IN ('held', 'claimed', 'released')", name="known_state"),
    sa.Index(
        "seat_one_a_row_idx",
        "campaign_id",
        "follow_id",
        unique=True,
        postgresql_where=sa.text("state <> 'released'"),
    ),
    sa.Index("seat_student_idx", "student_id", "campaign_id"),
    sa.Index("seat_expiry_idx", "expires_at", postgresql_where=sa.text("state = 'held'")),
)

campaign = sa.Table(
    "campaign",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("site_id", sa.Uuid, nullable=False),
    sa.Column("school_year", sa.Text, nullable=False),
    sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
)

family = sa.Table(
    "family",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("site_id", sa.Uuid, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)

student = sa.Table(
    "student",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("family_id", sa.Uuid, sa.ForeignKey("family.id"), primary_key=True),
)
