"""Who asks: short-lived signed tokens that each service verifies alone.

Identity signs (Ed25519, RFC 8037); everyone else holds the public key only.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import ValidationError

from shared.contract import Contract, Rejection

type Role = Literal["family", "staff", "operator"]

_ISSUER = "rentree/identity"
_LEEWAY_SECONDS = 5
"""What two machines' clocks may differ by."""
_REMEMBERED = 4096


class Caller(Contract):
    """The person, or the operator's tool, on whose behalf something is asked."""

    account_id: UUID
    session_id: UUID
    role: Role
    name: str = ""
    site_id: UUID | None = None
    family_id: UUID | None = None

    def family(self) -> UUID:
        """Give the caller's family; anyone else is answered that there is nothing here (S97)."""
        if self.role != "family" or self.family_id is None:
            raise Rejection.not_found()
        return self.family_id

    def staff_site(self) -> UUID | None:
        """Give the site that a member of staff serves, none for an operator, who serves all; a
        family is answered that there is nothing here.
        """
        if self.role == "operator":
            return None
        if self.role != "staff" or self.site_id is None:
            raise Rejection.not_found()
        return self.site_id

    def require_operator(self) -> None:
        """Let only the territory's operators through; raises the same refusal as a wrong page."""
        if self.role != "operator":
            raise Rejection.not_found()


def not_signed_in() -> Rejection:
    """Refuse someone whose session ended or never was."""
    return Rejection("not_signed_in", "Votre session a expiré. Reconnectez-vous.", status=401)


class TokenVerifier:
    """Reads a token back, without asking anyone.

    What was verified is remembered: checking a signature costs more than the rest of an answer.
    """

    def __init__(self, public_key: Ed25519PublicKey) -> None:
        self._public_key = public_key
        self._read = lru_cache(maxsize=_REMEMBERED)(self._check)

    @classmethod
    def from_file(cls, path: Path) -> "TokenVerifier":
        """Read the public key (PEM); raises TypeError where it is of another kind."""
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            message = f"{path} does not hold an Ed25519 public key"
            raise TypeError(message)
        return cls(key)

    def verify(self, token: str) -> Caller:
        """Give the token's caller; raises the Rejection ``not_signed_in`` where it is not valid."""
        caller, expires_at = self._read(token)
        if expires_at + _LEEWAY_SECONDS < time.time():
            raise not_signed_in()
        return caller

    def _check(self, token: str) -> tuple[Caller, float]:
        """Give the caller and the expiry, in seconds since 1970."""
        try:
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=["EdDSA"],
                issuer=_ISSUER,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss"]},
            )
            return Caller.model_validate(claims["caller"]), float(claims["exp"])
        except (jwt.InvalidTokenError, ValidationError, KeyError) as error:
            raise not_signed_in() from error


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """Signs tokens: in identity, and in the operator's own tools that hold the private key."""

    private_key: Ed25519PrivateKey

    @classmethod
    def from_file(cls, path: Path) -> "TokenSigner":
        """Read the private key (PEM, PKCS 8); raises TypeError where it is of another kind."""
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            message = f"{path} does not hold an Ed25519 private key"
            raise TypeError(message)
        return cls(key)

    def sign(self, caller: Caller, now: datetime, life: timedelta) -> str:
        """Make a token for ``caller``, valid from ``now`` for ``life``."""
        claims = {
            "iss": _ISSUER,
            "iat": now.astimezone(UTC),
            "exp": now.astimezone(UTC) + life,
            "caller": caller.model_dump(mode="json", exclude_none=True),
        }
        return jwt.encode(claims, self.private_key, algorithm="EdDSA")
