"""Which reaction has which queue.

Every process declares all of these at start: an event told before its reader was ever started
waits for it (ARCHITECTURE, trap 5). A test compares this table with the services' own code.
"""

from shared.contract import AnyEvent, Event
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
from shared.contracts.documents import (
    DocumentAccepted,
    DocumentDeposited,
    DocumentPublished,
    DocumentRefused,
    DocumentRemoved,
    FamilyDocumentsErased,
    PieceDeclined,
    PieceDeclineTakenBack,
    PiecesReckoned,
)
from shared.contracts.enrolment import (
    ApplicationStarted,
    ApplicationSubmitted,
    CampaignPublished,
    DeclineTakenBack,
    FamilyApplicationsErased,
    ReenrolmentDeclined,
    RemarksSubmitted,
)
from shared.contracts.identity import (
    AccountLocked,
    EmailChanged,
    EmailChangeOpened,
    FamiliesRecorded,
    FamilyErased,
    PasswordChanged,
    PasswordResetOpened,
    SessionsEnded,
    SitesRecorded,
)
from shared.contracts.notifications import FamilyMessagesErased, MessageSent, WebhookSuspended

EVENTS: tuple[type[Event], ...] = (
    AccountLocked,
    ApplicationStarted,
    ApplicationSubmitted,
    CampaignPublished,
    DeclineTakenBack,
    DisciplinesRecorded,
    DocumentAccepted,
    DocumentDeposited,
    DocumentPublished,
    DocumentRefused,
    DocumentRemoved,
    EmailChanged,
    EmailChangeOpened,
    FamiliesRecorded,
    FamilyApplicationsErased,
    FamilyDocumentsErased,
    FamilyErased,
    FamilyMessagesErased,
    MessageSent,
    OfferEnded,
    PasswordChanged,
    PasswordResetOpened,
    PieceDeclined,
    PieceDeclineTakenBack,
    PiecesReckoned,
    ReenrolmentDeclined,
    RemarksSubmitted,
    SeatConfirmed,
    SeatOffered,
    SeatPlaced,
    SeatsChanged,
    SeatsClaimed,
    SeatsHeld,
    SeatsReleased,
    SessionsEnded,
    SitesRecorded,
    WebhookSuspended,
)

PUBLIC_TYPES: tuple[str, ...] = tuple(event.type for event in EVENTS if not event.personal)
"""The types of the events that may leave the territory's own services (S90)."""

REACTIONS: dict[str, type[Event]] = {
    "courses.claim_seats": ApplicationSubmitted,
    "courses.free_seats": ReenrolmentDeclined,
    "courses.remember_campaign": CampaignPublished,
    "courses.remember_families": FamiliesRecorded,
    "documents.erase_family": FamilyErased,
    "documents.remember_campaign": CampaignPublished,
    "documents.remember_disciplines": DisciplinesRecorded,
    "documents.remember_families": FamiliesRecorded,
    "enrolment.adopt_seat": SeatPlaced,
    "enrolment.erase_family": FamilyErased,
    "enrolment.forget_holds": SeatsReleased,
    "enrolment.record_claims": SeatsClaimed,
    "enrolment.remember_families": FamiliesRecorded,
    "enrolment.remember_holds": SeatsHeld,
    "notifications.erase_family": FamilyErased,
    "notifications.queue_webhooks": AnyEvent,
    "notifications.remember_campaign": CampaignPublished,
    "notifications.remember_change_of_mind": DeclineTakenBack,
    "notifications.remember_draft": ApplicationStarted,
    "notifications.remember_families": FamiliesRecorded,
    "notifications.remember_missing_pieces": PiecesReckoned,
    "notifications.remember_refusal": ReenrolmentDeclined,
    "notifications.remember_remarks": RemarksSubmitted,
    "notifications.remember_sites": SitesRecorded,
    "notifications.remember_submission": ApplicationSubmitted,
    "notifications.send_decline_receipt": ReenrolmentDeclined,
    "notifications.send_email_link": EmailChangeOpened,
    "notifications.send_offer": SeatOffered,
    "notifications.send_receipt": ApplicationSubmitted,
    "notifications.send_reset_link": PasswordResetOpened,
    "notifications.tell_accepted_document": DocumentAccepted,
    "notifications.tell_account_locked": AccountLocked,
    "notifications.tell_confirmed_seat": SeatConfirmed,
    "notifications.tell_email_changed": EmailChanged,
    "notifications.tell_ended_offer": OfferEnded,
    "notifications.tell_password_changed": PasswordChanged,
    "notifications.tell_placed_seat": SeatPlaced,
    "notifications.tell_refused_document": DocumentRefused,
}


def types_of(event: type[Event]) -> tuple[str, ...]:
    """Give the types that a reaction to this event is bound to."""
    return PUBLIC_TYPES if event is AnyEvent else (event.type,)
