"""Receipts after they were sent: printed, sent again, and confirmed to whoever holds one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.letters import Language
from shared.contracts.notifications import (
    Delivery,
    GenuineReceipt,
    ListDeliveries,
    PrintedReceipt,
    PrintReceipt,
    SendReceiptAgain,
    VerifyReceipt,
)
from shared.db import Database, Transaction
from shared.handlers import Occurrence
from shared.observability import correlation_id

from notifications.mail import in_one_line, usable_addresses
from notifications.matters import ContactBlock, Received, read_receipt
from notifications.outgoing import message_id, queue_message
from notifications.patience import again_from
from notifications.press import Press, filename
from notifications.standing import MISSING_OF_RECEIPT, REMARKS_OF_RECEIPT
from notifications.tables import campaign, family, message, site
from notifications.verification import Seal, read_filed

_CONTACT = ("name", "address", "postcode", "city", "phone", "email")
_deliveries = (
    sa.select(message, family.c.guardians)
    .outerjoin(family, family.c.id == message.c.family_id)
    .where(message.c.receipt_number.is_not(None))
    .order_by(message.c.created_at.desc(), message.c.id)
)


async def list_deliveries(
    query: ListDeliveries, caller: Caller, tx: Transaction
) -> tuple[Delivery, ...]:
    """Tell where the receipts of an application stand, the latest first.

    None where the application is another family's, as where it has no receipt or does not exist.
    One still waiting is to whoever the family's addresses name now.
    """
    rows = await tx.execute(
        _deliveries.where(message.c.application_id == query.application_id, _seen_by(caller))
    )
    return tuple(_delivery(row) for row in rows)


async def print_receipt(
    query: PrintReceipt, caller: Caller, database: Database, press: Press
) -> PrintedReceipt:
    """Give a receipt as a PDF, in its family's language; it is typeset again each time, into the
    same bytes as long as what it names is the same.

    No connection is held meanwhile: others need them to know where their mails stand.
    """
    async with database.transaction() as tx:
        receipt, language = await _received(tx, query.receipt_number, caller)
    pdf = await press.print(receipt, language)
    named = filename(query.receipt_number, language)
    # given as it is: the model would take it for base64 already
    return PrintedReceipt.model_construct(filename=named, pdf=pdf)


async def send_receipt_again(
    command: SendReceiptAgain, caller: Caller, tx: Transaction
) -> Delivery:
    """Have a receipt sent once more, as a message of its own, at most every five minutes."""
    now = datetime.now(UTC)
    number = command.receipt_number
    # two clicks at once are told apart: the second one sees what the first one has done
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(number, 0))))
    sent = list(
        await tx.execute(_deliveries.where(message.c.receipt_number == number, _seen_by(caller)))
    )
    if not sent:
        raise Rejection.not_found()
    last = sent[0]
    about = f"{number}:{command.delivery_id}"
    if repeated := _found(sent, message_id(last.kind, about)):
        return _delivery(repeated)
    _refuse_too_soon(_delivery(last), now)
    await queue_message(
        tx,
        last.kind,
        about,
        Occurrence(command.delivery_id, now, correlation_id()),
        family_id=last.family_id,
        student_id=last.student_id,
        campaign_id=last.campaign_id,
        site_id=last.site_id,
        application_id=last.application_id,
        content=last.content,
    )
    rows = await tx.execute(_deliveries.where(message.c.id == message_id(last.kind, about)))
    return _delivery(rows.one())


async def verify_receipt(
    query: VerifyReceipt, tx: Transaction, seal: Seal
) -> GenuineReceipt | None:
    """Confirm a receipt to whoever knows its number and its code, and tell others nothing."""
    number = "".join(query.receipt_number.split()).upper()
    rows = await tx.execute(
        sa.select(message.c.kind, message.c.content)
        .where(message.c.receipt_number == number)
        .limit(1)
    )
    row = rows.one_or_none()
    filed = read_filed(row.kind, row.content) if row else None
    if not seal.confirms(query.code, filed) or filed is None:
        return None
    return GenuineReceipt(received_at=filed.received_at)


def _seen_by(caller: Caller) -> sa.ColumnElement[bool]:
    """Keep what a caller may see: a family its own, the staff what is of their site."""
    if caller.role == "family":
        return message.c.family_id == caller.family()
    site_id = caller.staff_site()
    return sa.true() if site_id is None else message.c.site_id == site_id


def _delivery(row: sa.Row[Any]) -> Delivery:
    to = row.recipients or in_one_line(usable_addresses(row.guardians or ()))
    return Delivery(
        kind=row.kind,
        receipt_number=row.receipt_number,
        to=to,
        state=row.state,
        at=row.state_at,
        again_from=again_from(row.state, row.state_at) if to else None,
    )


def _found(rows: list[sa.Row[Any]], wanted: UUID) -> sa.Row[Any] | None:
    return next((row for row in rows if row.id == wanted), None)


def _refuse_too_soon(last: Delivery, now: datetime) -> None:
    if not last.to:
        raise Rejection(
            "no_address",
            "Aucune adresse e-mail n'est enregistrée dans votre dossier : ajoutez-en une dans vos"
            " coordonnées, puis renvoyez l'accusé de réception.",
        )
    if last.again_from is None:
        raise Rejection(
            "receipt_on_its_way",
            "L'accusé de réception est déjà en cours d'envoi : il arrivera dans quelques instants.",
        )
    if now < last.again_from:
        raise Rejection(
            "sent_a_moment_ago",
            "L'accusé de réception vient d'être envoyé : vous pourrez le renvoyer à partir du"
            " %(again_from)s.",
            again_from=last.again_from.isoformat(),
        )


async def _received(tx: Transaction, number: str, caller: Caller) -> tuple[Received, Language]:
    """Put a receipt together, with its family's language; refused while a name or a date that it
    shows is not known yet.
    """
    student = family.c.students[sa.cast(message.c.student_id, sa.Text)].astext
    rows = await tx.execute(
        sa.select(
            message.c.kind,
            message.c.content,
            student.label("student"),
            family.c.language,
            sa.literal_column(MISSING_OF_RECEIPT).label("missing"),
            sa.literal_column(f"({REMARKS_OF_RECEIPT})").label("remarks"),
            campaign.c.school_year,
            campaign.c.closes_at,
            campaign.c.documents_due_at,
            *(site.c[name] for name in _CONTACT),
        )
        .select_from(message)
        .outerjoin(family, family.c.id == message.c.family_id)
        .outerjoin(campaign, campaign.c.id == message.c.campaign_id)
        .outerjoin(site, site.c.id == message.c.site_id)
        .where(message.c.receipt_number == number, _seen_by(caller))
        .order_by(message.c.created_at)
        .limit(1)
    )
    known = rows.mappings().one_or_none()
    if known is None:
        raise Rejection.not_found()
    lacks_remarks = known["content"].get("has_remarks") and not known["remarks"]
    if lacks_remarks or None in known.values():
        raise Rejection(
            "receipt_not_ready",
            "L'accusé de réception n'est pas encore prêt : réessayez dans un instant.",
        )
    contact = ContactBlock(**{name: known[name] for name in _CONTACT})
    return read_receipt({**known, "site": contact, **known["content"]}), known["language"]
