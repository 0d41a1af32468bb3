"""What notifications answers and tells: messages and their delivery."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.contract import Contract, Event, Query

type ReceiptKind = Literal["submission_receipt", "decline_receipt"]
type MessageKind = ReceiptKind | Literal["waiting_list_offer"]
type DeliveryState = Literal["waiting", "sent", "failed", "no_address"]


class Delivery(Contract):
    """A receipt sent to a family: to whom, where it stands, and since when."""

    kind: ReceiptKind
    receipt_number: str
    to: str
    state: DeliveryState
    at: datetime


class ListDeliveries(Query[tuple[Delivery, ...]]):
    """The receipts of one application of the caller's family, the latest first.

    An offer of a waiting list is about a place, not an application: the portal shows it by itself.
    """

    application_id: UUID


class MessageSent(Event, about="message_id"):
    """The territory's mail server accepted a message.

    It is about an application (receipts) or about a ``place_id`` of a waiting list (offers).
    """

    message_id: UUID
    application_id: UUID | None = None
    place_id: UUID | None = None
    family_id: UUID
    kind: MessageKind
    sent_at: datetime
