"""Copies of campaigns and families, the document types, the files and their state."""

import sqlalchemy as sa
from alembic import op

revision = "documents_0001"
down_revision = None
branch_labels = ("documents",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("school_year", sa.Text, nullable=False),
        sa.Column("prepares_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("documents_due_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "family",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "student",
        sa.Column("family_id", sa.Uuid, sa.ForeignKey("family.id"), primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("birth_on", sa.Date),
    )
    op.create_table(
        "student_disciplines",
        sa.Column("student_id", sa.Uuid, primary_key=True),
        sa.Column("school_year", sa.Text, primary_key=True),
        sa.Column("disciplines", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "document_type",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("requirement", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("help", sa.Text, nullable=False),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("campaign_id", sa.Uuid, sa.ForeignKey("campaign.id"), nullable=False),
        sa.Column("family_id", sa.Uuid, sa.ForeignKey("family.id"), nullable=False),
        sa.Column("student_id", sa.Uuid),
        sa.Column("type_code", sa.Text, sa.ForeignKey("document_type.code"), nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("refusal", sa.Text, nullable=False, server_default=""),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deposited_at", sa.DateTime(timezone=True)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('expected', 'deposited', 'refused', 'removed', 'abandoned')",
            name="document_state_check",
        ),
    )
    # one document a piece; a family's own has no student, and is one all the same
    op.create_index(
        "document_piece_key",
        "document",
        ["family_id", "campaign_id", "student_id", "type_code"],
        unique=True,
        postgresql_where=sa.text("state = 'deposited'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "document_expected_idx",
        "document",
        ["opened_at"],
        postgresql_where=sa.text("state = 'expected'"),
    )
    op.create_index(
        "document_to_erase_idx",
        "document",
        ["family_id"],
        postgresql_where=sa.text("closed_at IS NOT NULL AND erased_at IS NULL"),
    )
