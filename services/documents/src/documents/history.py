"""What happened to documents: a step for every change of state, only ever added to."""

from collections.abc import Mapping
from datetime import datetime

from shared.callers import Caller
from shared.contracts.documents import DocumentHistory
from shared.contracts.files import Actor, DocumentStep
from shared.db import Transaction
from sqlalchemy import Insert, Update, bindparam, insert, select

from documents.records import find_upload
from documents.tables import document, document_step
from documents.uploads import UploadState

_TOLD = ("state", "happened_at", "actor", "account_id", "reason")


def with_steps(change: Insert | Update) -> Insert:
    """Give the statement that makes a change and writes a step for each document it changes."""
    changed = change.returning(document.c.id).cte("changed")
    told = [bindparam(f"step_{name}", type_=document_step.c[name].type) for name in _TOLD]
    steps = insert(document_step).from_select(["document_id", *_TOLD], select(changed.c.id, *told))
    return steps.add_cte(changed)


async def record(
    tx: Transaction,
    change: Insert,
    values: Mapping[str, object],
    state: UploadState,
    now: datetime,
    caller: Caller | None = None,
    reason: str = "",
) -> int:
    """Run a change ``with_steps``; give how many documents it changed.

    Without a caller it is the service itself that acts.
    """
    told = {
        "step_state": state,
        "step_happened_at": now,
        "step_actor": "service" if caller is None else actor(caller),
        "step_account_id": None if caller is None else caller.account_id,
        "step_reason": reason,
    }
    return (await tx.execute(change, {**values, **told})).rowcount


def actor(caller: Caller) -> Actor:
    """Say as what a person acts."""
    return "family" if caller.role == "family" else "staff"


async def document_history(
    query: DocumentHistory, caller: Caller, tx: Transaction
) -> tuple[DocumentStep, ...]:
    """Tell everything that happened to a document, oldest first."""
    upload = await find_upload(tx, query.document_id, caller)
    found = await tx.execute(
        select(document_step)
        .where(document_step.c.document_id == upload.id)
        .order_by(document_step.c.id)
    )
    return tuple(
        DocumentStep(
            state="refused" if row.state == "unfit" else row.state,
            happened_at=row.happened_at,
            by=row.actor,
            reason=row.reason,
        )
        for row in found
    )
