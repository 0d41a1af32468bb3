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
    sa.Column("capacity", sa.Integer, nullable=False, server_default="0"),
    sa.Column("taken", sa.Integer, nullable=False, server_default="0"),
    sa.Column("waiting", sa.Integer, nullable=False, server_default="0"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("taken >= 0", name="not_negative"),
    sa.CheckConstraint("waiting >= 0", name="nobody_missing"),
    # the hot table: room on each page keeps an update beside the row it replaces
    postgresql_with={"fillfactor": "25"},
)
"""A course's counters, and the lock under which its seats change.

``taken`` counts the seats held, claimed and offered; ``waiting`` who waits without an offer.
``version`` grows with every change.
"""

edition = sa.Table(
    "edition",
    metadata,
    sa.Column("id", sa.Boolean, primary_key=True, server_default="true"),
    sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("id", name="only_one"),
)
"""One row, whose number is another one whenever a course or a campaign is."""

told = sa.Table(
    "told",
    metadata,
    sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
"""The version of a course's counters that was last told to the other parts."""

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
    # no foreign key: the lock on its occupancy row proves the course, once a batch
    sa.Column("course_id", sa.Uuid, nullable=False),
    sa.Column("family_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("follow_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("confirmed_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint("state IN ('held', 'claimed', 'released')", name="known_state"),
    sa.Index(
        # a row has one held seat, and one claimed; the same index finds those of a student
        "seat_one_of_each_a_row_idx",
        "student_id",
        "campaign_id",
        "follow_id",
        "state",
        unique=True,
        postgresql_where=sa.text("state <> 'released'"),
    ),
    sa.Index("seat_expiry_idx", "expires_at", postgresql_where=sa.text("state = 'held'")),
)

place = sa.Table(
    "place",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("campaign_id", sa.Uuid, nullable=False),
    sa.Column("course_id", sa.Uuid, sa.ForeignKey("course.id"), nullable=False),
    sa.Column("family_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("follow_id", sa.Uuid, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("offered_until", sa.DateTime(timezone=True)),
    sa.CheckConstraint(
        "state IN ('waiting', 'offered', 'accepted', 'refused', 'expired', 'withdrawn')",
        name="known_state",
    ),
    sa.Index(
        "place_one_a_row_idx",
        "course_id",
        "follow_id",
        "campaign_id",
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    ),
    sa.Index(
        "place_line_idx", "course_id", "position", postgresql_where=sa.text("state = 'waiting'")
    ),
    sa.Index("place_family_idx", "family_id"),
    sa.Index("place_student_idx", "student_id", "campaign_id"),
    sa.Index("place_expiry_idx", "offered_until", postgresql_where=sa.text("state = 'offered'")),
)
"""A place on the waiting list of a course, in the order of ``position``. The seat of an accepted
offer has the place's identifier.
"""

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("seat_id", sa.Uuid, nullable=False),
    sa.Column("course_id", sa.Uuid, nullable=False),
    sa.Column("student_id", sa.Uuid, nullable=False),
    sa.Column("change", sa.Text, nullable=False),
    sa.Column("step", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Uuid),
    sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("step BETWEEN -1 AND 1", name="one_seat"),
)
"""Who had which seat when, and why: rows are only ever added. The sum of ``step`` over a course is
its seats taken; ``actor_id`` is the account that asked, none where time or an event did.
"""

filing = sa.Table(
    "filing",
    metadata,
    sa.Column("campaign_id", sa.Uuid, primary_key=True),
    sa.Column("student_id", sa.Uuid, primary_key=True),
    sa.Column("filed_at", sa.DateTime(timezone=True)),
    sa.Column("declined_at", sa.DateTime(timezone=True)),
)
"""When a student's application was last submitted, and last declined: the later one counts."""

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
