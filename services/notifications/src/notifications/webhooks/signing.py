"""What is sent, and its signature: Standard Webhooks around a CloudEvent."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from standardwebhooks import Webhook

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it was told; ``data`` is its body, in JSON."""

    id: UUID
    type: str
    source: str
    subject: str
    happened_at: datetime
    correlation_id: str
    data: str

    def body(self) -> str:
        """Give its form on the wire: CloudEvents 1.0, JSON, structured mode."""
        attributes = {
            "specversion": "1.0",
            "id": str(self.id),
            "source": self.source,
            "type": self.type,
            "time": self.happened_at.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json",
        }
        # these two are absent rather than empty
        attributes |= {"subject": self.subject} if self.subject else {}
        attributes |= {"correlationid": self.correlation_id} if self.correlation_id else {}
        return f'{json.dumps(attributes, ensure_ascii=False)[:-1]}, "data": {self.data}}}'


def new_secret() -> str:
    """Make a secret, in the form that the libraries of subscribers take."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(
    event_id: UUID, body: str, signing: Sequence[str], now: datetime
) -> dict[str, str]:
    """Sign with each secret: a subscriber checks with the one it has."""
    signatures = [
        Webhook(secret).sign(str(event_id), now.astimezone(UTC), body) for secret in signing
    ]
    return {
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
