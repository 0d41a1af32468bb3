"""What documents stores: its copies of campaigns and families, the document types, the files."""

from shared.db import new_metadata
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

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

# families whose data is to go, for ever: what is told of them later is not kept again
erasure = Table(
    "erasure",
    metadata,
    Column("family_id", Uuid, primary_key=True),
    Column("student_ids", ARRAY(Uuid), nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
)

# without a campaign, a type of every campaign that has none of its own
document_type = Table(
    "document_type",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("campaign_id", Uuid),
    Column("code", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("requirement", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("help", Text, nullable=False),
    UniqueConstraint("campaign_id", "code", postgresql_nulls_not_distinct=True),
)

# what families declare that they do not give, until they do or take it back
declined_piece = Table(
    "declined_piece",
    metadata,
    Column("family_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, ForeignKey("campaign.id"), nullable=False),
    Column("student_id", Uuid),
    Column("type_code", Text, nullable=False),
    Column("declined_at", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid, nullable=False),
    UniqueConstraint(
        "family_id",
        "campaign_id",
        "student_id",
        "type_code",
        postgresql_nulls_not_distinct=True,
    ),
)

# what each family lacks in a campaign, as it was last told
told_pieces = Table(
    "told_pieces",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("family_id", Uuid, primary_key=True),
    Column("pieces", JSONB, nullable=False),
)

# either a family's piece (campaign, family, type) or what a site publishes for a student (title)
document = Table(
    "document",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, ForeignKey("campaign.id")),
    # no foreign key: the files of a family that was erased outlive it until the store is clean
    Column("family_id", Uuid),
    Column("student_id", Uuid),
    Column("type_code", Text),
    Column("title", Text, nullable=False, server_default=""),
    Column("school_year", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("refusal", Text, nullable=False, server_default=""),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("deposited_at", DateTime(timezone=True)),
    Column("closed_at", DateTime(timezone=True)),
    Column("erased_at", DateTime(timezone=True)),
    # the queue of the verification: taken until then, and how often it was taken before
    Column("verify_after", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    CheckConstraint(
        "state IN ('expected', 'analysing', 'unfit', 'deposited', 'accepted', 'refused',"
        " 'removed', 'abandoned')",
        name="state",
    ),
    CheckConstraint(
        "CASE WHEN title = '' THEN num_nulls(campaign_id, family_id, type_code) = 0"
        " ELSE num_nonnulls(campaign_id, family_id, type_code) = 0 AND student_id IS NOT NULL END",
        name="piece_or_publication",
    ),
    # one document counts for a piece, and one at most was sent since
    Index(
        "document_piece_key",
        "family_id",
        "campaign_id",
        "student_id",
        "type_code",
        unique=True,
        postgresql_where=text("title = '' AND state IN ('deposited', 'accepted', 'refused')"),
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "document_attempt_key",
        "family_id",
        "campaign_id",
        "student_id",
        "type_code",
        unique=True,
        postgresql_where=text("title = '' AND state IN ('analysing', 'unfit')"),
        postgresql_nulls_not_distinct=True,
    ),
    # what a family gave, present or not: neither key serves for both
    Index("document_family_id_idx", "family_id", "campaign_id"),
    Index("document_published_idx", "student_id", postgresql_where=text("title <> ''")),
    Index("document_expected_idx", "opened_at", postgresql_where=text("state = 'expected'")),
    Index("document_to_verify_idx", "verify_after", postgresql_where=text("state = 'analysing'")),
    Index(
        "document_to_review_idx",
        "campaign_id",
        "deposited_at",
        postgresql_where=text("state = 'deposited'"),
    ),
    Index(
        "document_to_erase_idx",
        "family_id",
        postgresql_where=text("closed_at IS NOT NULL AND erased_at IS NULL"),
    ),
)

# every change of a document's state, only ever added to
document_step = Table(
    "document_step",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", Uuid, ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("account_id", Uuid),
    Column("reason", Text, nullable=False, server_default=""),
    Index("document_step_document_id_idx", "document_id", "id"),
)

# who asked to read which document, and when
document_reading = Table(
    "document_reading",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", Uuid, ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("read_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Index("document_reading_document_id_idx", "document_id"),
)
