"""Which reaction has which queue.

Every process declares all of these at start: an event told before its reader was ever started
waits for it (ARCHITECTURE, trap 5). A test compares this table with the services' own code.
"""

from shared.contract import Event
from shared.contracts.courses import (
    DisciplinesRecorded,
    OfferEnded,
    SeatConfirmed,
    SeatOffered,
    SeatPlaced,
    SeatsChanged,
    SeatsClaimed,
    SeatsHeld,
    SeatsReleased,
)
from shared.contracts.documents import DocumentDeposited, DocumentRemoved
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    DeclineTakenBack,
    ReenrolmentDeclined,
)
from shared.contracts.identity import FamiliesRecorded, SitesRecorded
from shared.contracts.notifications import MessageSent

EVENTS: tuple[type[Event], ...] = (
    ApplicationSubmitted,
    CampaignPublished,
    DeclineTakenBack,
    DisciplinesRecorded,
    DocumentDeposited,
    DocumentRemoved,
    FamiliesRecorded,
    MessageSent,
    OfferEnded,
    ReenrolmentDeclined,
    SeatConfirmed,
    SeatOffered,
    SeatPlaced,
    SeatsChanged,
    SeatsClaimed,
    SeatsHeld,
    SeatsReleased,
    SitesRecorded,
)

REACTIONS: dict[str, type[Event]] = {
    "courses.claim_seats": ApplicationSubmitted,
    "courses.free_seats": ReenrolmentDeclined,
    "courses.remember_campaign": CampaignPublished,
    "courses.remember_families": FamiliesRecorded,
    "documents.remember_campaign": CampaignPublished,
    "documents.remember_disciplines": DisciplinesRecorded,
    "documents.remember_families": FamiliesRecorded,
    "enrolment.adopt_seat": SeatPlaced,
    "enrolment.forget_holds": SeatsReleased,
    "enrolment.record_claims": SeatsClaimed,
    "enrolment.remember_families": FamiliesRecorded,
    "enrolment.remember_holds": SeatsHeld,
    "notifications.remember_campaign": CampaignPublished,
    "notifications.remember_families": FamiliesRecorded,
    "notifications.remember_sites": SitesRecorded,
    "notifications.send_decline_receipt": ReenrolmentDeclined,
    "notifications.send_offer": SeatOffered,
    "notifications.send_receipt": ApplicationSubmitted,
}
