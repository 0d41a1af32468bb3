"""Accounts as their owners see them: sessions and their tokens, passwords, mailed links."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contract import Contract


class SignedIn(Contract):
    """Two tokens: a short one that any service verifies alone, and a rotating one to renew it."""

    access_token: str = Field(repr=False)
    access_expires_at: datetime
    refresh_token: str = Field(repr=False)
    refresh_expires_at: datetime


class OpenSession(Contract):
    """A session of the caller's account; ``last_seen_at`` is when it was last renewed."""

    id: UUID
    device: str
    opened_at: datetime
    last_seen_at: datetime
    is_this_one: bool


class Account(Contract):
    """An account as its owner sees it; ``new_email`` waits for its confirmation."""

    username: str
    email: str
    new_email: str = ""


type NewPassword = Annotated[str, StringConstraints(max_length=200)]
"""At least 12 characters, refused with ``password_too_short``, and hard to guess, refused with
``password_too_common``: identity judges it, by the account's own words too.
"""


class ResetLink(Contract):
    """Whose password a mailed link changes, and until when."""

    username: str
    site_id: UUID
    expires_at: datetime


class EmailLink(Contract):
    """The address that a mailed link confirms, and until when."""

    email: str
    expires_at: datetime
