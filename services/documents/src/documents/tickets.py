"""Tickets to send a file straight to the store: each serves once."""

from datetime import datetime

from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.files import UploadTicket
from shared.db import Transaction

from documents import changes
from documents.records import find_own_upload
from documents.store import ObjectStore
from documents.uploads import Upload


async def give_ticket(
    tx: Transaction, upload: Upload, now: datetime, caller: Caller, store: ObjectStore
) -> UploadTicket:
    """Expect a file and say where to send it.

    One announced twice stays as it was first, and is waited for as long as its last ticket.
    """
    if not await changes.expect(tx, upload, now, caller):
        upload = await _announced(tx, upload, now, caller)
    ticket = store.ticket(upload.key, upload.content_type, now)
    return UploadTicket(
        document_id=upload.id, url=ticket.url, fields=ticket.fields, expires_at=ticket.expires_at
    )


async def _announced(tx: Transaction, upload: Upload, now: datetime, caller: Caller) -> Upload:
    """Give the caller's own upload of that identifier, if it is for the same and still expected."""
    known = await find_own_upload(tx, upload.id, caller)
    if (known.piece, known.student_id) != (upload.piece, upload.student_id):
        raise Rejection.not_found()
    if not await changes.expect_longer(tx, known, now):
        raise Rejection(
            "ticket_used",
            "Ce fichier a déjà été envoyé. Pour en envoyer un autre, choisissez-le de nouveau.",
        )
    return known
