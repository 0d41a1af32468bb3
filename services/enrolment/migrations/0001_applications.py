"""Campaigns, applications, and the copies of families and holds that they need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "enrolment_0001"
down_revision = None
branch_labels = ("enrolment",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("site_code", sa.Text, nullable=False),
        sa.Column("school_year", sa.Text, nullable=False),
        sa.Column("prepares_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("documents_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="campaign_pkey"),
        sa.UniqueConstraint("site_id", "school_year", name="campaign_site_id_school_year_key"),
    )
    op.create_table(
        "family",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("site_id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="family_pkey"),
    )
    op.create_table(
        "student",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("family_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("id", "family_id", name="student_pkey"),
        sa.ForeignKeyConstraint(["family_id"], ["family.id"], name="student_family_id_fkey"),
    )
    op.create_index("student_family_id_idx", "student", ["family_id"])
    op.create_table(
        "application",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("campaign_id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("step_reached", sa.SmallInteger, nullable=False),
        sa.Column("authorisations", postgresql.JSONB),
        sa.Column("choices", postgresql.JSONB, nullable=False),
        sa.Column("remarks", sa.Text, nullable=False),
        sa.Column("accepted_text_version", sa.Text),
        sa.Column("receipt_number", sa.Text),
        sa.Column("received_at", sa.DateTime(timezone=True)),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.Column(
            "missing_hold_ids",
            postgresql.ARRAY(sa.Uuid),
            nullable=False,
            server_default=sa.text("'{}'::uuid[]"),
        ),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.PrimaryKeyConstraint("id", name="application_pkey"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name="application_campaign_id_fkey"
        ),
        sa.UniqueConstraint("receipt_number", name="application_receipt_number_key"),
        sa.UniqueConstraint(
            "campaign_id", "student_id", name="application_campaign_id_student_id_key"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'declined')", name="application_state_check"
        ),
        sa.CheckConstraint("step_reached BETWEEN 1 AND 6", name="application_step_reached_check"),
        sa.CheckConstraint(
            "(state = 'draft') = (receipt_number IS NULL)"
            " AND (receipt_number IS NULL) = (received_at IS NULL)",
            name="application_receipt_check",
        ),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("student_id", sa.Uuid),
        sa.Column("follow_id", sa.Uuid),
        sa.Column("course_id", sa.Uuid),
        sa.Column("label", sa.Text),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("released", sa.Boolean, nullable=False),
        sa.Column("claimed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="hold_pkey"),
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("receipt_position")))
