"""Sessions and the refresh tokens that carry them.

An access token lives 10 minutes and is verified by anyone; a refresh token renews it and is
replaced at each use. A session ends after 12 hours without use, after 30 days in any case, at
sign-out, or when a replaced token comes back: two people hold it, and one of them stole it. Two
tabs may present the same token at the same moment, and a reply may be lost: for 30 seconds after
its replacement a token is answered again, with the very same successor.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

ACCESS_LIFE = timedelta(minutes=10)
IDLE_LIFE = timedelta(hours=12)
LONGEST_LIFE = timedelta(days=30)
TWIN_GRACE = timedelta(seconds=30)

_SECRET_BYTES = 32
_TOKEN_BYTES = 16 + _SECRET_BYTES


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A session's identifier and a secret of 256 bits; opaque to whoever carries it."""

    session_id: UUID
    secret: bytes = field(repr=False)

    @classmethod
    def mint(cls, session_id: UUID) -> "RefreshToken":
        """Make a session's first token."""
        return cls(session_id, new_seed())

    @classmethod
    def read(cls, text: str) -> "RefreshToken | None":
        """Read a token back; none where the text is something else."""
        try:
            content = urlsafe_b64decode(text)
        except ValueError:
            return None
        if len(content) != _TOKEN_BYTES:
            return None
        return cls(UUID(bytes=content[:16]), content[16:])

    @property
    def text(self) -> str:
        """The token as it travels."""
        return urlsafe_b64encode(self.session_id.bytes + self.secret).decode()

    @property
    def hash(self) -> bytes:
        """What is stored of it: enough to recognise it, useless to whoever reads the table."""
        return hashlib.sha256(self.secret).digest()

    def successor(self, seed: bytes) -> "RefreshToken":
        """Give the token that replaces this one.

        Computed rather than drawn, so that a twin gets the same: the stored seed is nothing
        without the token, and the token is nothing without the seed.
        """
        return RefreshToken(self.session_id, hmac.digest(seed, self.secret, "sha256"))


def new_seed() -> bytes:
    """Draw the randomness of one replacement."""
    return secrets.token_bytes(_SECRET_BYTES)


def expiry(opened_at: datetime, now: datetime) -> datetime:
    """Give the instant when a session used now ends by itself."""
    return min(now + IDLE_LIFE, opened_at + LONGEST_LIFE)


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a session when a token is presented."""

    token_hash: bytes
    previous_token_hash: bytes | None
    rotated_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Use(Enum):
    """What presenting a refresh token amounts to."""

    RENEWS = auto()
    TWIN = auto()
    OVER = auto()
    REPLAY = auto()


def judge(session: Session, presented_hash: bytes, now: datetime) -> Use:
    """Judge a token presented for a session, by its hash.

    Whatever is neither the current token nor its fresh predecessor is an older one come back: the
    session's identifier alone is known only to those who held a token.
    """
    if session.ended_at is not None or now >= session.expires_at:
        return Use.OVER
    if presented_hash == session.token_hash:
        return Use.RENEWS
    is_fresh = now - session.rotated_at <= TWIN_GRACE
    if presented_hash == session.previous_token_hash and is_fresh:
        return Use.TWIN
    return Use.REPLAY
