"""What notifications stores: messages, and its copies of whom and what they are about."""

from shared.db import new_metadata
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = new_metadata()

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("family_id", Uuid, nullable=False),
    Column("student_id", Uuid),
    Column("campaign_id", Uuid),
    Column("site_id", Uuid),
    Column("application_id", Uuid),
    Column("place_id", Uuid),
    Column("addressee", JSONB(none_as_null=True)),
    Column("content", JSONB, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("pointless_at", DateTime(timezone=True)),
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    Column("recipients", Text, nullable=False, server_default=""),
    Column("failure", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('waiting', 'sent', 'failed', 'no_address')", name="state"),
    Index("message_application_id_idx", "application_id"),
    Index("message_family_id_idx", "family_id"),
)
"""A message to a family, from the event that asked for it to its end.

``content`` is what its kind says beyond the names and dates of the copies below. It goes to the
family's guardians, or to ``addressee``, a ``{"name", "email"}``, alone. Where its event names no
site, it is its campaign's. ``due_at`` counts while ``state`` is waiting, and from ``pointless_at``
on it is sent no more; ``failure`` says why an address, or all, got nothing.
"""

Index("message_due_at_idx", message.c.due_at, postgresql_where=message.c.state == "waiting")

family = Table(
    "family",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("guardians", JSONB, nullable=False),
    Column("students", JSONB, nullable=False),
)
"""``guardians`` is a list of ``{"name", "email"}``; ``students`` a name for each identifier."""

site = Table(
    "site",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", DateTime(timezone=True), nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid),
    Column("school_year", Text, nullable=False),
    Column("closes_at", DateTime(timezone=True), nullable=False),
    Column("documents_due_at", DateTime(timezone=True), nullable=False),
)
