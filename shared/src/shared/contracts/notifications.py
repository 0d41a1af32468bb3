"""What notifications answers and tells: messages and their delivery."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.contract import Contract, Event, Query

type MessageKind = Literal["submission_receipt", "decline_receipt"]
type DeliveryState = Literal["waiting", "sent", "failed", "no_address"]


class Delivery(Contract):
    """A message to a family: to whom, where it stands, and since when."""

    kind: MessageKind
    receipt_number: str
    to: str
    state: DeliveryState
    at: datetime


class ListDeliveries(Query[tuple[Delivery, ...]]):
    """The messages about one application of the caller's family, the latest first."""

    application_id: UUID


class MessageSent(Event, about="message_id"):
    """The territory's mail server accepted a message."""

    message_id: UUID
    application_id: UUID
    family_id: UUID
    kind: MessageKind
    sent_at: datetime
