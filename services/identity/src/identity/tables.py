"""What identity stores."""

from shared.db import new_metadata
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = new_metadata()

site = Table(
    "site",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("town", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("tariff_page", Text, nullable=False),
    Column("welcome", Text, nullable=False, server_default=""),
)

family = Table(
    "family",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("site_id", Uuid, ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
)


def _person(name: str) -> Table:
    """Guardians and students are stored alike: what the family declares, what was last imported.

    ``code`` is the exporting system's; the lowest of a family is its first guardian's.
    ``revision`` grows with each change of the details.
    """
    return Table(
        name,
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("family_id", Uuid, ForeignKey("family.id"), nullable=False, index=True),
        Column("code", Text, nullable=False, unique=True),
        Column("details", JSONB, nullable=False),
        Column("imported", JSONB, nullable=False),
        Column("revision", Integer, nullable=False, server_default="0"),
    )


guardian = _person("guardian")
student = _person("student")

contact_change = Table(
    "contact_change",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("family_id", Uuid, ForeignKey("family.id"), nullable=False, index=True),
    Column("record", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("field", Text, nullable=False),
    Column("old_value", Text, nullable=False),
    Column("new_value", Text, nullable=False),
    # the account, none for an import
    Column("changed_by", Uuid),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
)
"""One detail of a guardian or a student, changed: it made the ``revision`` of its person."""

account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("guardian_id", Uuid, ForeignKey("guardian.id"), nullable=False, unique=True),
    Column("site_id", Uuid, ForeignKey("site.id"), nullable=False),
    # in its plain form, see passwords.plain_username: unique whatever the case
    Column("username", Text, nullable=False),
    Column("password_hash", Text),
    # deferred: one import may give two guardians each other's name
    UniqueConstraint(
        "site_id",
        "username",
        name="account_site_id_username_key",
        deferrable=True,
        initially="DEFERRED",
    ),
)

# Counted by the name typed, whether or not it is an account's: neither the answer nor the time
# it takes can tell. No foreign key: checking one would take time where there is an account alone.
sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("name_hash", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid),
    Column("is_lock_told", Boolean, nullable=False, server_default=false()),
)

# The same goes for links asked for, by name or, where the address is to change, by account.
link_request = Table(
    "link_request",
    metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("account_id", Uuid),
    Column("is_pending", Boolean, nullable=False),
    Column("correlation_id", Text, nullable=False),
)
Index(
    "link_request_is_pending_idx",
    link_request.c.is_pending,
    postgresql_where=link_request.c.is_pending,
)

# One of a kind for an account: a newer link is all that is known of the older ones.
mailed_link = Table(
    "mailed_link",
    metadata,
    Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("purpose IN ('password_reset', 'email_change')", name="purpose"),
)

session = Table(
    "session",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("previous_token_hash", LargeBinary),
    Column("rotation_seed", LargeBinary),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("rotated_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("device", Text, nullable=False, server_default=""),
)
Index("session_ended_at_idx", session.c.ended_at, postgresql_where=session.c.ended_at.is_not(None))
