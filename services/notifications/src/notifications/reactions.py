"""What notifications notices: what calls for a message, and what messages are written from."""

from datetime import UTC, datetime

from shared.contracts.courses import OfferEnded, SeatConfirmed, SeatOffered, SeatPlaced
from shared.contracts.documents import DocumentAccepted, DocumentRefused
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    ReenrolmentDeclined,
    RemarksSubmitted,
)
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, SitesRecorded
from shared.contracts.notifications import ReceiptKind
from shared.copies import keep_newer
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy.dialects.postgresql import insert

from notifications.erasure import is_erased
from notifications.outgoing import queue_message
from notifications.patience import GIVES_UP_AFTER
from notifications.tables import campaign, family, message, remarks, site


async def send_receipt(
    event: ApplicationSubmitted, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have the receipt of a request sent, once whatever is repeated (S71, S73); one with remarks
    waits until they are known.
    """
    await _queue_receipt(
        tx,
        "submission_receipt",
        event,
        occurrence,
        asked_courses=[choice.label for choice in event.choices if choice.re_enrol],
        left_courses=[choice.label for choice in event.choices if not choice.re_enrol],
        has_remarks=event.has_remarks,
    )


async def send_decline_receipt(
    event: ReenrolmentDeclined, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have the receipt of a refusal sent (S22)."""
    await _queue_receipt(
        tx, "decline_receipt", event, occurrence, asked_courses=[], left_courses=[]
    )


async def send_offer(event: SeatOffered, tx: Transaction, occurrence: Occurrence) -> None:
    """Have a family told that a seat is offered to it, once for each place (S66)."""
    await queue_message(
        tx,
        "waiting_list_offer",
        str(event.place_id),
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        place_id=event.place_id,
        pointless_at=event.offered_until,
        content={"course": event.label, "until": event.offered_until},
    )


async def tell_ended_offer(event: OfferEnded, tx: Transaction, occurrence: Occurrence) -> None:
    """Have a family told what became of an offer; one that has not left will not (S66)."""
    await queue_message(
        tx,
        "waiting_list_offer_ended",
        str(event.place_id),
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        place_id=event.place_id,
        content={"course": event.label, "end": event.end},
    )


async def tell_confirmed_seat(
    event: SeatConfirmed, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have a family told that a seat is confirmed (S74)."""
    await queue_message(
        tx,
        "seat_confirmed",
        str(event.hold_id),
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        content={"course": event.label},
    )


async def tell_placed_seat(event: SeatPlaced, tx: Transaction, occurrence: Occurrence) -> None:
    """Have a family told that the staff gave it a seat; of an offer that it accepted itself it is
    told as of its end (S74).
    """
    if event.decided_by != "staff":
        return
    await queue_message(
        tx,
        "seat_placed",
        str(event.hold.id),
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        content={
            "course": event.hold.label,
            "is_another": event.replaced_hold_id is not None,
        },
    )


async def tell_accepted_document(
    event: DocumentAccepted, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have a family told that a document was accepted, each time that it is (S83)."""
    await queue_message(
        tx,
        "document_accepted",
        f"{event.document_id}:{event.accepted_at.isoformat()}",
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        content={"name": event.name},
    )


async def tell_refused_document(
    event: DocumentRefused, tx: Transaction, occurrence: Occurrence
) -> None:
    """Have a family told that a document was refused, and why, each time that it is (S83)."""
    await queue_message(
        tx,
        "document_refused",
        f"{event.document_id}:{event.refused_at.isoformat()}",
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        content={"name": event.name, "reason": event.reason},
    )


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep whom to write to. A family that had no address gets what it could not be sent (S75)."""
    await keep_newer(tx, family, [_family_row(record) for record in event.families])
    now = datetime.now(UTC)
    await tx.execute(
        message.update()
        .where(
            message.c.state == "no_address",
            message.c.family_id.in_([record.id for record in event.families]),
            message.c.created_at > now - GIVES_UP_AFTER,
        )
        .values(state="waiting", state_at=now, due_at=now)
    )


async def remember_remarks(event: RemarksSubmitted, tx: Transaction) -> None:
    """Keep what a receipt is to show of its family's own words."""
    if await is_erased(tx, event.family_id):
        return
    await tx.execute(
        insert(remarks)
        .values(receipt_number=event.receipt_number, family_id=event.family_id, text=event.remarks)
        .on_conflict_do_nothing()
    )


async def remember_sites(event: SitesRecorded, tx: Transaction) -> None:
    """Keep the contact block that a receipt shows."""
    if not event.sites:
        return
    columns = ("name", "address", "postcode", "city", "phone", "email")
    rows = {
        each.id: {
            "id": each.id,
            "revision": event.revision,
            **each.model_dump(include=set(columns)),
        }
        for each in sorted(event.sites, key=lambda one: one.id)
    }
    recorded = insert(site).values(list(rows.values()))
    await tx.execute(
        recorded.on_conflict_do_update(
            index_elements=["id"],
            set_={name: recorded.excluded[name] for name in ("revision", *columns)},
            where=site.c.revision < recorded.excluded.revision,
        )
    )


async def remember_campaign(event: CampaignPublished, tx: Transaction) -> None:
    """Keep until when things can be done. A campaign is published once, and does not change."""
    await tx.execute(
        insert(campaign)
        .values(
            id=event.campaign_id,
            site_id=event.site_id,
            school_year=event.school_year,
            closes_at=event.closes_at,
            documents_due_at=event.documents_due_at,
        )
        .on_conflict_do_nothing()
    )


async def _queue_receipt(
    tx: Transaction,
    kind: ReceiptKind,
    event: ApplicationSubmitted | ReenrolmentDeclined,
    occurrence: Occurrence,
    **content: object,
) -> None:
    await queue_message(
        tx,
        kind,
        f"{event.application_id}:{event.receipt_number}",
        occurrence,
        family_id=event.family_id,
        student_id=event.student_id,
        campaign_id=event.campaign_id,
        site_id=event.site_id,
        application_id=event.application_id,
        content={
            "receipt_number": event.receipt_number,
            "received_at": event.received_at,
            **content,
        },
    )


def _family_row(record: FamilyRecord) -> dict[str, object]:
    """Keep names and addresses, and nothing else that a receipt does not need: the language is the
    family's own choice (:mod:`notifications.languages`).
    """
    return {
        "id": record.id,
        "site_id": record.site_id,
        "revision": record.revision,
        "guardians": [
            {"name": f"{guardian.first_name} {guardian.last_name}", "email": guardian.email}
            for guardian in record.guardians
        ],
        "students": {
            str(student.id): f"{student.first_name} {student.last_name}"
            for student in record.students
        },
    }
