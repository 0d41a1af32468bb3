"""Applications as they are stored: found for their family, locked, saved."""

from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import TypeAdapter
from shared.contract import Rejection
from shared.contracts import enrolment as contracts
from shared.contracts.enrolment import (
    Application,
    Authorisations,
    Campaign,
    CourseChoice,
    Receipt,
)
from shared.db import Transaction
from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from enrolment.adoption import Placement, adopt
from enrolment.erasure import hold_family
from enrolment.progress import Amendment, Progress
from enrolment.tables import application, campaign, family, hold, student

_AMENDMENT = TypeAdapter(Amendment)
_PLACEMENTS = TypeAdapter(tuple[Placement, ...])


@dataclass(frozen=True, slots=True)
class StoredApplication:
    """An application with its campaign. ``revision`` 0 is one that was never changed, ``is_new``
    one that this transaction made, ``is_claimed`` one of whose seats courses has told what became,
    ``missing_hold_ids`` those that it could not claim.
    """

    id: UUID
    student_id: UUID
    campaign: Campaign
    site_code: str
    progress: Progress
    revision: int
    is_new: bool = False
    is_claimed: bool = False
    missing_hold_ids: frozenset[UUID] = frozenset()

    def answer(self) -> Application:
        """Give it the form in which it is answered."""
        return Application(
            id=self.id,
            campaign=self.campaign,
            student_id=self.student_id,
            state=self.progress.state,
            step_reached=self.progress.step_reached,
            authorisations=self.progress.authorisations,
            choices=self.progress.choices,
            remarks=self.progress.remarks,
            receipt=self.progress.receipt,
            amendment=self.progress.amendment and _shown(self.progress.amendment),
        )


def of_family(family_id: UUID) -> Select[tuple[object, ...]]:
    """Select the applications of a family's students; nobody else's are ever read (S97)."""
    belongs = and_(
        student.c.id == application.c.student_id,
        student.c.family_id == family_id,
    )
    return (
        select(application, campaign, _placements())
        .join_from(application, campaign, campaign.c.id == application.c.campaign_id)
        .join(student, belongs)
    )


def read_campaign(row: RowMapping) -> Campaign:
    """Give a row of the campaign table its contract."""
    return Campaign(**{name: row[campaign.c[name]] for name in Campaign.model_fields})


def read_application(row: RowMapping) -> StoredApplication:
    """Give a row of :func:`of_family` its type."""
    stored = application.c
    authorisations = row[stored.authorisations]
    number, amendment = row[stored.receipt_number], row[stored.amendment]
    return StoredApplication(
        id=row[stored.id],
        student_id=row[stored.student_id],
        campaign=read_campaign(row),
        site_code=row[campaign.c.site_code],
        progress=adopt(
            Progress(
                state=row[stored.state],
                step_reached=row[stored.step_reached],
                authorisations=authorisations and Authorisations.model_validate(authorisations),
                choices=tuple(
                    CourseChoice.model_validate(choice) for choice in row[stored.choices]
                ),
                chosen_at=row[stored.chosen_at],
                given_up=frozenset(row[stored.given_up_hold_ids]),
                remarks=row[stored.remarks],
                accepted_text_version=row[stored.accepted_text_version],
                receipt=number and Receipt(number=number, received_at=row[stored.received_at]),
                amendment=amendment and _AMENDMENT.validate_python(amendment),
            ),
            _PLACEMENTS.validate_python(row["placements"] or ()),
        ),
        revision=row[stored.revision],
        is_claimed=row[stored.claimed_at] is not None,
        missing_hold_ids=frozenset(row[stored.missing_hold_ids]),
    )


async def lock_application(
    tx: Transaction, application_id: UUID, family_id: UUID
) -> StoredApplication:
    """Find a family's application and keep every other tab and guardian waiting (S71)."""
    await hold_family(tx, family_id)
    return await _lock(tx, of_family(family_id).where(application.c.id == application_id))


async def lock_or_create(
    tx: Transaction, application_id: UUID, campaign_id: UUID, student_id: UUID, family_id: UUID
) -> StoredApplication:
    """Lock the student's application in the campaign, a new one where there was none.

    ``application_id`` names the new one; one that exists keeps its own.
    """
    await hold_family(tx, family_id)
    eligible = (
        select(campaign.c.id)
        .join(family, family.c.site_id == campaign.c.site_id)
        .join(student, student.c.family_id == family.c.id)
        .where(
            campaign.c.id == campaign_id,
            student.c.id == student_id,
            family.c.id == family_id,
        )
    )
    if (await tx.execute(eligible)).first() is None:
        raise Rejection.not_found()
    created = await tx.execute(
        insert(application)
        .values(
            id=application_id,
            campaign_id=campaign_id,
            student_id=student_id,
            revision=0,
            **_columns(Progress()),
        )
        .on_conflict_do_nothing()
    )
    stored = await _lock(
        tx,
        of_family(family_id).where(
            application.c.campaign_id == campaign_id, application.c.student_id == student_id
        ),
    )
    return replace(stored, is_new=created.rowcount > 0)


async def save(tx: Transaction, stored: StoredApplication, progress: Progress) -> StoredApplication:
    """Save where a locked application stands now; the same value where nothing changed.

    What courses claimed for a submission is nothing of the next one.
    """
    if progress == stored.progress:
        return stored
    saved = replace(stored, progress=progress, revision=stored.revision + 1)
    nothing_claimed: dict[str, object] = {"claimed_at": None, "missing_hold_ids": []}
    await tx.execute(
        update(application)
        .where(application.c.id == stored.id)
        .values(
            revision=saved.revision,
            **_columns(progress),
            **(nothing_claimed if progress.receipt != stored.progress.receipt else {}),
        )
    )
    return saved


def _placements() -> ColumnElement[object]:
    """Gather where the student's rows were placed, in the same statement as the application."""
    placed = {
        "hold_id": hold.c.id,
        "follow_id": hold.c.follow_id,
        "course_id": hold.c.course_id,
        "label": hold.c.label,
        "replaces": hold.c.replaces,
        "placed_at": hold.c.placed_at,
    }
    parts = [part for pair in placed.items() for part in pair]
    return (
        select(func.jsonb_agg(func.jsonb_build_object(*parts), type_=JSONB))
        .where(hold.c.student_id == application.c.student_id, hold.c.placed_at.is_not(None))
        .scalar_subquery()
        .label("placements")
    )


async def _lock(tx: Transaction, wanted: Select[tuple[object, ...]]) -> StoredApplication:
    row = (await tx.execute(wanted.with_for_update(of=application))).mappings().first()
    if row is None:
        raise Rejection.not_found()
    return read_application(row)


def _shown(amendment: Amendment) -> contracts.Amendment:
    draft = amendment.draft
    return contracts.Amendment(
        started_at=amendment.started_at,
        step_reached=draft.step_reached,
        authorisations=draft.authorisations,
        choices=draft.choices,
        remarks=draft.remarks,
    )


def _columns(progress: Progress) -> dict[str, object]:
    authorisations, receipt = progress.authorisations, progress.receipt
    amendment = progress.amendment
    return {
        "state": progress.state,
        "step_reached": progress.step_reached,
        "authorisations": authorisations and authorisations.model_dump(mode="json"),
        "choices": [choice.model_dump(mode="json") for choice in progress.choices],
        "chosen_at": progress.chosen_at,
        "given_up_hold_ids": sorted(progress.given_up),
        "remarks": progress.remarks,
        "accepted_text_version": progress.accepted_text_version,
        "receipt_number": receipt and receipt.number,
        "received_at": receipt and receipt.received_at,
        "amendment": amendment and _AMENDMENT.dump_python(amendment, mode="json"),
    }
