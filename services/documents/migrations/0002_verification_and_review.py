"""Analysis, review and publication of documents; their history, who read them, types a campaign."""

import sqlalchemy as sa
from alembic import op

revision = "documents_0002"
down_revision = "documents_0001"
branch_labels = None
depends_on = None

_PIECE = ["family_id", "campaign_id", "student_id", "type_code"]


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _give_campaigns_their_types()
    _extend_documents()
    _prepare_erasures()
    _index_documents()
    _create_logs()


def _give_campaigns_their_types() -> None:
    op.drop_constraint("document_type_code_fkey", "document")
    op.drop_constraint("document_type_code_key", "document_type")
    op.add_column("document_type", sa.Column("campaign_id", sa.Uuid))
    op.create_unique_constraint(
        "document_type_campaign_id_code_key",
        "document_type",
        ["campaign_id", "code"],
        postgresql_nulls_not_distinct=True,
    )


def _extend_documents() -> None:
    op.add_column("document", sa.Column("site_id", sa.Uuid))
    op.add_column("document", sa.Column("school_year", sa.Text))
    op.add_column("document", sa.Column("title", sa.Text, nullable=False, server_default=""))
    op.add_column("document", _instant("verify_after", nullable=True))
    op.add_column("document", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE document SET site_id = campaign.site_id, school_year = campaign.school_year"
        " FROM campaign WHERE campaign.id = document.campaign_id"
    )
    for required in ("site_id", "school_year"):
        op.alter_column("document", required, nullable=False)
    for optional in ("campaign_id", "family_id", "type_code"):
        op.alter_column("document", optional, nullable=True)
    op.drop_constraint("document_state_check", "document")
    op.create_check_constraint(
        "document_state_check",
        "document",
        "state IN ('expected', 'analysing', 'unfit', 'deposited', 'accepted', 'refused',"
        " 'removed', 'abandoned')",
    )
    op.create_check_constraint(
        "document_piece_or_publication_check",
        "document",
        "CASE WHEN title = '' THEN num_nulls(campaign_id, family_id, type_code) = 0"
        " ELSE num_nonnulls(campaign_id, family_id, type_code) = 0 AND student_id IS NOT NULL END",
    )
    # what the former verification refused was shown nowhere, and its file is gone or going
    op.execute("UPDATE document SET state = 'removed', refusal = '' WHERE state = 'refused'")


def _prepare_erasures() -> None:
    op.drop_constraint("document_family_id_fkey", "document")
    op.create_table(
        "erasure",
        sa.Column("family_id", sa.Uuid, primary_key=True),
        sa.Column("student_ids", sa.ARRAY(sa.Uuid), nullable=False),
        _instant("asked_at"),
        _instant("done_at", nullable=True),
    )


def _index_documents() -> None:
    op.drop_index("document_piece_key", "document")
    for name, states in (
        ("document_piece_key", "'deposited', 'accepted', 'refused'"),
        ("document_attempt_key", "'analysing', 'unfit'"),
    ):
        op.create_index(
            name,
            "document",
            _PIECE,
            unique=True,
            postgresql_where=sa.text(f"title = '' AND state IN ({states})"),
            postgresql_nulls_not_distinct=True,
        )
    for name, columns, condition in (
        ("document_published_idx", ["student_id"], "title <> ''"),
        ("document_to_verify_idx", ["verify_after"], "state = 'analysing'"),
        ("document_to_review_idx", ["campaign_id", "deposited_at"], "state = 'deposited'"),
    ):
        op.create_index(name, "document", columns, postgresql_where=sa.text(condition))
    op.create_index("document_family_id_idx", "document", ["family_id", "campaign_id"])


def _create_logs() -> None:
    op.create_table(
        "document_step",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _document_id("document_step"),
        sa.Column("state", sa.Text, nullable=False),
        _instant("happened_at"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("document_step_document_id_idx", "document_step", ["document_id", "id"])
    op.create_table(
        "document_reading",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _document_id("document_reading"),
        _instant("read_at"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
    )
    op.create_index("document_reading_document_id_idx", "document_reading", ["document_id"])


def _document_id(table: str) -> sa.Column[object]:
    return sa.Column(
        "document_id",
        sa.Uuid,
        sa.ForeignKey("document.id", name=f"{table}_document_id_fkey", ondelete="CASCADE"),
        nullable=False,
    )
