"""What documents stores: its copies of campaigns and families, the document types, the files."""

from shared.db import new_metadata
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

metadata = new_metadata()

campaign = Table(
    "campaign",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("prepares_at", DateTime(timezone=True), nullable=False),
    Column("opens_at", DateTime(timezone=True), nullable=False),
    Column("documents_due_at", DateTime(timezone=True), nullable=False),
)

family = Table(
    "family",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
)

# a student who changes family is, until both have told it, in both: hence the two-column key
student = Table(
    "student",
    metadata,
    Column("family_id", Uuid, ForeignKey("family.id"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("birth_on", Date),
)

student_disciplines = Table(
    "student_disciplines",
    metadata,
    Column("student_id", Uuid, primary_key=True),
    Column("school_year", Text, primary_key=True),
    Column("disciplines", ARRAY(Text), nullable=False),
    Column("told_at", DateTime(timezone=True), nullable=False),
)

document_type = Table(
    "document_type",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("position", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("requirement", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("help", Text, nullable=False),
)

document = Table(
    "document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, ForeignKey("campaign.id"), nullable=False),
    Column("family_id", Uuid, ForeignKey("family.id"), nullable=False),
    Column("student_id", Uuid),
    Column("type_code", Text, ForeignKey("document_type.code"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("refusal", Text, nullable=False, server_default=""),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("deposited_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("erased_at", DateTime(timezone=True)),
    CheckConstraint(
        "state IN ('expected', 'deposited', 'refused', 'removed', 'abandoned')", name="state"
    ),
    Index(
        "document_piece_key",
        "family_id",
        "campaign_id",
        "student_id",
        "type_code",
        unique=True,
        postgresql_where=text("state = 'deposited'"),
        postgresql_nulls_not_distinct=True,
    ),
    Index("document_expected_idx", "opened_at", postgresql_where=text("state = 'expected'")),
    Index(
        "document_to_erase_idx",
        "family_id",
        postgresql_where=text("closed_at IS NOT NULL AND erased_at IS NULL"),
    ),
)
