"""Every change of a document's state: its row, its step and its event, in one transaction.

Whoever changes an upload has locked it (``records.lock_upload``) and read it since, but for the
announcing of one and for what ends by the dozen. Without a ``caller`` it is the service itself
that acts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from functools import cache
from typing import Literal

from shared.callers import Caller
from shared.contracts.documents import (
    DocumentAccepted,
    DocumentDeposited,
    DocumentPublished,
    DocumentRefused,
    DocumentRemoved,
)
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy import BindParameter, Insert, bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from documents.declining import end_decline
from documents.history import record, with_steps
from documents.records import find_names, find_of_piece, find_site_campaign
from documents.tables import document
from documents.uploads import ATTEMPTED, COUNTING, PieceKey, Upload, UploadState

_REPLACED = "Remplacé par un fichier plus récent."
_ALREADY_ACCEPTED = "La pièce a été validée entre-temps."
_SENT_LATER = "Un autre fichier a été envoyé depuis pour cette pièce."


def _new(name: str) -> BindParameter[object]:
    return bindparam(f"new_{name}", type_=document.c[name].type)


_ANNOUNCED = with_steps(
    insert(document)
    .values({field.name: _new(field.name) for field in fields(Upload)})
    .on_conflict_do_nothing(index_elements=["id"])
)
_ENDED = with_steps(
    update(document)
    .where(document.c.id.in_(bindparam("ended", expanding=True)))
    .values(
        state=_new("state"),
        closed_at=func.coalesce(document.c.closed_at, _new("closed_at")),
        verify_after=None,
    )
)


async def expect(tx: Transaction, upload: Upload, now: datetime, caller: Caller) -> bool:
    """Write an announced file down; false where its identifier is known already."""
    values = {f"new_{name}": value for name, value in asdict(upload).items()}
    return await record(tx, _ANNOUNCED, values, "expected", now, caller) > 0


async def expect_longer(tx: Transaction, upload: Upload, now: datetime) -> bool:
    """Wait for an announced file from now on; false where it is expected no more."""
    waiting = await tx.execute(
        update(document)
        .where(document.c.id == upload.id, document.c.state == "expected")
        .values(opened_at=now)
    )
    return waiting.rowcount > 0


async def begin_analysis(
    tx: Transaction, upload: Upload, size: int, now: datetime, caller: Caller | None = None
) -> Upload:
    """Queue a file that arrived for its verification; what was tried before it for its piece ends.

    One for a piece that was accepted meanwhile is abandoned.
    """
    counting, attempts = await _present(tx, upload)
    if any(one.state == "accepted" for one in counting):
        return await _abandon(tx, upload, now, _ALREADY_ACCEPTED)
    await end(tx, attempts, "removed", now, caller, _REPLACED)
    analysing = replace(upload, state="analysing", size=size, deposited_at=now, attempts=0)
    news = {"size": size, "deposited_at": now, "verify_after": now, "attempts": 0}
    await _write(tx, analysing, news, now, caller)
    return analysing


async def adopt(tx: Transaction, upload: Upload, size: int, now: datetime) -> Upload:
    """Queue a file that arrived and that nobody told of, unless another was sent since."""
    counting, attempts = await _present(tx, upload)
    if any(one.opened_at > upload.opened_at for one in (*counting, *attempts)):
        return await _abandon(tx, upload, now, _SENT_LATER)
    return await begin_analysis(tx, upload, size, now)


async def deposit(tx: Transaction, upload: Upload, size: int, now: datetime) -> Upload:
    """Have a verified file, of the size that is kept, take the place of the former one."""
    former, _ = await _present(tx, upload)
    await end(tx, former, "removed", now, reason=_REPLACED)
    deposited = replace(upload, state="deposited", size=size)
    await _write(tx, deposited, {"size": size, "verify_after": None}, now)
    if upload.piece is not None:
        await end_decline(tx, upload.piece)
        await emit(
            tx,
            DocumentDeposited(
                document_id=upload.id,
                **asdict(upload.piece),
                deposited_at=upload.deposited_at or now,
            ),
        )
    elif upload.student_id is not None:
        await emit(
            tx,
            DocumentPublished(
                document_id=upload.id,
                site_id=upload.site_id,
                student_id=upload.student_id,
                published_at=upload.deposited_at or now,
            ),
        )
    return deposited


async def declare_unfit(tx: Transaction, upload: Upload, objection: str, now: datetime) -> Upload:
    """Refuse a file after its verification: it is erased, and its family told why."""
    unfit = replace(upload, state="unfit", refusal=objection)
    news = {"refusal": objection, "closed_at": now, "verify_after": None}
    await _write(tx, unfit, news, now, reason=objection)
    if upload.piece is not None:
        await _tell_refused(tx, unfit, upload.piece, "service", now)
    return unfit


async def accept(tx: Transaction, upload: Upload, now: datetime, caller: Caller) -> Upload:
    """Write down that the staff accepts a document; no other file is wanted for its piece."""
    if upload.state == "accepted" or upload.piece is None:
        return upload
    accepted = replace(upload, state="accepted", refusal="")
    _, attempts = await _present(tx, upload)
    await end(tx, attempts, "removed", now, reason=_ALREADY_ACCEPTED)
    await _write(tx, accepted, {"refusal": ""}, now, caller)
    await end_decline(tx, upload.piece)
    name = await _name(tx, upload, upload.piece)
    await emit(
        tx,
        DocumentAccepted(document_id=upload.id, **asdict(upload.piece), name=name, accepted_at=now),
    )
    return accepted


async def refuse(
    tx: Transaction, upload: Upload, reason: str, now: datetime, caller: Caller
) -> Upload:
    """Write down that the staff refuses a document, and why."""
    if (upload.state, upload.refusal) == ("refused", reason) or upload.piece is None:
        return upload
    refused = replace(upload, state="refused", refusal=reason)
    await _write(tx, refused, {"refusal": reason}, now, caller, reason)
    await _tell_refused(tx, refused, upload.piece, "staff", now)
    return refused


async def end(
    tx: Transaction,
    uploads: Iterable[Upload],
    state: UploadState,
    now: datetime,
    caller: Caller | None = None,
    reason: str = "",
) -> None:
    """Close uploads, removed or abandoned: their files have to leave the store."""
    ended = list(uploads)
    if not ended:
        return
    among = {"ended": [upload.id for upload in ended], "new_state": state, "new_closed_at": now}
    await record(tx, _ENDED, among, state, now, caller, reason)
    await emit(
        tx,
        *(
            DocumentRemoved(document_id=one.id, **asdict(one.piece))
            for one in ended
            if one.piece is not None and one.state in COUNTING
        ),
    )


async def _present(tx: Transaction, upload: Upload) -> tuple[Sequence[Upload], Sequence[Upload]]:
    """Give what counts for an upload's piece and what was tried since, but for itself."""
    if upload.piece is None:
        return (), ()
    others = [one for one in await find_of_piece(tx, upload.piece) if one.id != upload.id]
    return (
        [one for one in others if one.state in COUNTING],
        [one for one in others if one.state in ATTEMPTED],
    )


async def _tell_refused(
    tx: Transaction, upload: Upload, piece: PieceKey, by: Literal["staff", "service"], now: datetime
) -> None:
    name = await _name(tx, upload, piece)
    await emit(
        tx,
        DocumentRefused(
            document_id=upload.id,
            **asdict(piece),
            name=name,
            by=by,
            reason=upload.refusal,
            refused_at=now,
        ),
    )


async def _name(tx: Transaction, upload: Upload, piece: PieceKey) -> str:
    names = await find_names(tx, await find_site_campaign(tx, piece.campaign_id, upload.site_id))
    return names.get(piece.type_code, piece.type_code)


async def _abandon(tx: Transaction, upload: Upload, now: datetime, reason: str) -> Upload:
    await end(tx, [upload], "abandoned", now, reason=reason)
    return replace(upload, state="abandoned")


async def _write(
    tx: Transaction,
    upload: Upload,
    news: Mapping[str, object],
    now: datetime,
    caller: Caller | None = None,
    reason: str = "",
) -> None:
    values: dict[str, object] = {"document_id": upload.id, "new_state": upload.state}
    values |= {f"new_{name}": value for name, value in news.items()}
    await record(tx, _rewritten(tuple(news)), values, upload.state, now, caller, reason)


@cache
def _rewritten(columns: Sequence[str]) -> Insert:
    """Build once the change of a document's state and of these columns."""
    changed = update(document).where(document.c.id == bindparam("document_id"))
    return with_steps(changed.values({name: _new(name) for name in ("state", *columns)}))
