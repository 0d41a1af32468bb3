"""A site's own words for its messages: saved, previewed, given up. For its staff."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, get_args
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.letters import Language, WordedKind, Wording, WordingPreview
from shared.contracts.notifications import (
    ListWordings,
    PreviewWording,
    ResetWording,
    SaveWording,
)
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from notifications.digest import NEWS
from notifications.letters import Frame, write_letter, write_news
from notifications.mail import Letterhead
from notifications.matters import ContactBlock, Matter, read_matter
from notifications.tables import site, wording
from notifications.wordings import VARIABLES, check, default_text

_LANGUAGES: Final[tuple[Language, ...]] = get_args(Language.__value__)


async def list_wordings(
    query: ListWordings, caller: Caller, tx: Transaction
) -> tuple[Wording, ...]:
    """Give how each kind opens at a site, in each language."""
    own = await _own(tx, query.site_id, caller)
    return tuple(
        _wording(kind, language, own.get((kind, language)))
        for kind in VARIABLES
        for language in _LANGUAGES
    )


async def save_wording(command: SaveWording, caller: Caller, tx: Transaction) -> Wording:
    """Keep a site's own words, once they are known to fit."""
    await _own(tx, command.site_id, caller)
    check(command.kind, command.text)
    saved = insert(wording).values(
        site_id=command.site_id,
        kind=command.kind,
        language=command.language,
        text=command.text,
        saved_at=datetime.now(UTC),
        account_id=caller.account_id,
    )
    await tx.execute(
        saved.on_conflict_do_update(
            index_elements=["site_id", "kind", "language"],
            set_={name: saved.excluded[name] for name in ("text", "saved_at", "account_id")},
        )
    )
    return _wording(command.kind, command.language, command.text)


async def reset_wording(command: ResetWording, caller: Caller, tx: Transaction) -> Wording:
    """Come back to the territory's words."""
    await _own(tx, command.site_id, caller)
    await tx.execute(
        wording.delete().where(
            wording.c.site_id == command.site_id,
            wording.c.kind == command.kind,
            wording.c.language == command.language,
        )
    )
    return _wording(command.kind, command.language, None)


async def preview_wording(
    query: PreviewWording, caller: Caller, tx: Transaction, letterhead: Letterhead
) -> WordingPreview:
    """Write an example in a site's words, as a family would read it."""
    own = await _own(tx, query.site_id, caller)
    text = query.text or own.get((query.kind, query.language))
    if query.text is not None:
        check(query.kind, query.text)
    example = an_example(query.kind, await _contact(tx, query.site_id))
    frame = Frame({query.kind: text} if text else {})
    letter = (
        write_news([example], letterhead.portal_url, query.language, frame)
        if query.kind in NEWS
        else write_letter(example, letterhead.portal_url, query.language, frame)
    )
    return WordingPreview(subject=letter.subject, text=letter.text, html=letter.html)


async def _own(
    tx: Transaction, site_id: UUID, caller: Caller
) -> Mapping[tuple[WordedKind, Language], str]:
    """Give the words of the site that the caller serves; any other is not found (S97)."""
    if caller.staff_site() not in {None, site_id}:
        raise Rejection.not_found()
    found = await tx.execute(sa.select(wording).where(wording.c.site_id == site_id))
    return {(row.kind, row.language): row.text for row in found}


async def _contact(tx: Transaction, site_id: UUID) -> ContactBlock:
    names = ("name", "address", "postcode", "city", "phone", "email")
    found = await tx.execute(
        sa.select(*(site.c[name] for name in names)).where(site.c.id == site_id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise Rejection.not_found()
    return ContactBlock(**row)


def _wording(kind: WordedKind, language: Language, own: str | None) -> Wording:
    return Wording(
        kind=kind,
        language=language,
        text=default_text(kind, language) if own is None else own,
        is_own=own is not None,
        variables=VARIABLES[kind],
    )


def an_example(kind: WordedKind, contact: ContactBlock) -> Matter:
    """Make up a message that has all that its kind may say."""
    now = datetime.now(UTC)
    return read_matter(
        {
            "kind": kind,
            "student": "Camille EXEMPLE",
            "students": ("Camille EXEMPLE", "Dominique EXEMPLE"),
            "missing": ("Justificatif de domicile de moins de 3 mois",),
            "school_year": f"{now.year}-{now.year + 1}",
            "closes_at": now + timedelta(days=2),
            "documents_due_at": now + timedelta(days=30),
            "receipt_number": "EXEMPLE-000001-0",
            "received_at": now,
            "asked_courses": ("FM 2.1 (33) - JEUDI - 17.00 à 18.30",),
            "left_courses": ("Orchestre",),
            "course": "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
            "until": now + timedelta(days=1),
            "name": "Justificatif de domicile de moins de 3 mois",
            "reason": "Le document a plus de trois mois.",
            "site": contact,
        }
    )
