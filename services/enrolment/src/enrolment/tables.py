"""What enrolment stores."""

from shared.db import new_metadata
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = new_metadata()

campaign = Table(
    "campaign",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("site_code", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("prepares_at", DateTime(timezone=True), nullable=False),
    Column("opens_at", DateTime(timezone=True), nullable=False),
    Column("closes_at", DateTime(timezone=True), nullable=False),
    Column("documents_due_at", DateTime(timezone=True), nullable=False),
    Column("fields_not_asked", ARRAY(Text), nullable=False, server_default=text("'{}'::text[]")),
    UniqueConstraint("site_id", "school_year"),
)

family = Table(
    "family",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
)
"""A copy of identity's families, as of ``revision``."""

student = Table(
    "student",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("family_id", Uuid, ForeignKey("family.id"), primary_key=True),
    Index(None, "family_id"),
)
"""Who belongs to which family: what decides who may see an application (S97)."""

erased_family = Table("erased_family", metadata, Column("id", Uuid, primary_key=True))
"""Families that were erased, for ever: what is told of them late is not kept again."""

application = Table(
    "application",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, ForeignKey("campaign.id"), nullable=False),
    Column("student_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("step_reached", SmallInteger, nullable=False),
    Column("authorisations", JSONB(none_as_null=True)),
    Column("choices", JSONB, nullable=False),
    Column("remarks", Text, nullable=False),
    Column("accepted_text_version", Text),
    Column("receipt_number", Text, unique=True),
    Column("received_at", DateTime(timezone=True)),
    Column("claimed_at", DateTime(timezone=True)),
    Column("missing_hold_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'::uuid[]")),
    Column("chosen_at", DateTime(timezone=True)),
    Column("given_up_hold_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'::uuid[]")),
    Column("amendment", JSONB(none_as_null=True)),
    Column("revision", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("campaign_id", "student_id"),
    CheckConstraint("state IN ('draft', 'submitted', 'declined')", name="state"),
    CheckConstraint("step_reached BETWEEN 1 AND 6", name="step_reached"),
    CheckConstraint(
        "(state = 'draft') = (receipt_number IS NULL)"
        " AND (receipt_number IS NULL) = (received_at IS NULL)",
        name="receipt",
    ),
    CheckConstraint("amendment IS NULL OR state = 'submitted'", name="amendment"),
)
"""One student in one campaign, as its family recorded it. ``revision`` grows with each change.

``claimed_at`` is when courses turned the holds of this submission into claims, all but
``missing_hold_ids``. ``amendment`` is what its family changes in it and has not submitted
(:class:`enrolment.progress.Amendment`). ``given_up_hold_ids`` are the seats that a refusal freed:
none serves again. A placement later than ``chosen_at`` changes the choice of its row
(:mod:`enrolment.adoption`).
"""

kept_entries = Table(
    "kept_entries",
    metadata,
    Column("application_id", Uuid, ForeignKey("application.id"), primary_key=True),
    Column("step", SmallInteger, primary_key=True),
    Column("account_id", Uuid, primary_key=True),
    Column("family_id", Uuid, nullable=False, index=True),
    Column("entries", JSONB, nullable=False),
    Column("page_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("typed_at", DateTime(timezone=True), nullable=False),
)
"""What someone typed at a step and did not send, for them alone (:mod:`enrolment.entries`). Without
any entry, it is when the step was done or forgotten: what was typed before comes too late.
"""

hold = Table(
    "hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("student_id", Uuid),
    Column("follow_id", Uuid),
    Column("course_id", Uuid),
    Column("label", Text),
    Column("expires_at", DateTime(timezone=True)),
    Column("released", Boolean, nullable=False),
    Column("claimed", Boolean, nullable=False),
    Column("replaced", Boolean, nullable=False, server_default=text("false")),
    Column("replaces", Uuid),
    Column("placed_at", DateTime(timezone=True)),
)
"""A copy of the seats that courses holds. A row with nothing but its end is one whose end was
told before its beginning. A claimed one that a later request did without is ``replaced``.
``placed_at`` is when it was given by an accepted offer or by the staff,
in the place of ``replaces``.
"""

Index("hold_placed_idx", hold.c.student_id, postgresql_where=hold.c.placed_at.is_not(None))

receipt_position = Sequence("receipt_position", metadata=metadata)
