"""A family may refuse reminders, by the link of any of them: one click, no session (RFC 8058).

The link holds the family's identifier, signed: it does that alone, and for ever.
"""

import hmac
from base64 import b32encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from shared.contract import Rejection
from shared.contracts.notifications import ChooseReminders, ReminderChoice
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import reminder_refusal

REMINDERS_PATH = "/rappels"
"""Where the portal lets a family refuse reminders, and take them again."""

_PURPOSE = b"reminders:"
_SIGNATURE_BYTES = 15


@dataclass(frozen=True, slots=True)
class ReminderLinks:
    """Makes and reads the links that reminders carry; the secret never leaves the service."""

    secret: str = field(repr=False)
    portal_url: str

    def link(self, family_id: UUID) -> str:
        """Give a family's link."""
        query = urlencode({"jeton": self.token(family_id)})
        return f"{self.portal_url.rstrip('/')}{REMINDERS_PATH}?{query}"

    def token(self, family_id: UUID) -> str:
        """Sign a family's identifier."""
        return f"{family_id.hex}.{self._signature(family_id)}"

    def family(self, token: str) -> UUID:
        """Read whose link it is; refuse what we did not sign."""
        named, _, signature = token.partition(".")
        try:
            family_id = UUID(hex=named)
        except ValueError:
            raise _not_ours() from None
        if not hmac.compare_digest(signature.encode(), self._signature(family_id).encode()):
            raise _not_ours()
        return family_id

    def _signature(self, family_id: UUID) -> str:
        digest = hmac.digest(self.secret.encode(), _PURPOSE + family_id.bytes, sha256)
        return b32encode(digest[:_SIGNATURE_BYTES]).decode()


async def reminder_choice(query: ReminderChoice, tx: Transaction, links: ReminderLinks) -> bool:
    """Tell whether a family gets reminders."""
    family_id = links.family(query.token)
    refused = sa.select(reminder_refusal).where(reminder_refusal.c.family_id == family_id)
    return (await tx.execute(refused)).first() is None


async def choose_reminders(command: ChooseReminders, tx: Transaction, links: ReminderLinks) -> None:
    """Keep whether a family wants reminders; those that wait are dropped as they would leave."""
    family_id = links.family(command.token)
    if command.wanted:
        await tx.execute(reminder_refusal.delete().where(reminder_refusal.c.family_id == family_id))
        return
    await tx.execute(
        insert(reminder_refusal)
        .values(family_id=family_id, refused_at=datetime.now(UTC))
        .on_conflict_do_nothing()
    )


def _not_ours() -> Rejection:
    return Rejection(
        "link_expired",
        "Ce lien n'est pas valable : ouvrez-le depuis l'e-mail que vous avez reçu.",
    )
