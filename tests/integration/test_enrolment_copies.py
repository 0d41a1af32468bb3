"""What enrolment keeps of other services' records, whatever the order in which it is told."""

import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from enrolment.app import service
from enrolment.tables import application, hold, student
from shared.contract import Event
from shared.contracts.courses import SeatsClaimed, SeatsHeld, SeatsReleased
from shared.contracts.enrolment import RecordCourseChoices
from shared.contracts.identity import FamiliesRecorded
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import select
from stack.running import Stack

from tests.harness import Running, running
from tests.integration.enrolling import enrolling_family, family_record

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


async def test_claims_are_kept_on_the_application_with_the_seats_that_were_missing(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    missing, row = new_id(), new_id()
    await enrolment.react(family.seats_held())
    await enrolment.react(family.seats_held(id=missing, follow_id=row))
    await family.fill_in()
    slot = family.choices[0]
    lost = slot.model_copy(update={"follow_id": row, "hold_id": missing})
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=(slot, lost))
    )
    filed = await family.submit()
    claims = family.claims(filed, family.hold_id, missing=(missing,))
    await enrolment.react(claims)
    async with enrolment.database.transaction() as tx:
        kept = (
            await tx.execute(select(application).where(application.c.id == family.application_id))
        ).one()
        claimed = (await tx.execute(select(hold).where(hold.c.id == family.hold_id))).one()
    assert kept.claimed_at
    assert kept.missing_hold_ids == [missing]
    assert claimed.claimed


async def test_held_seats_are_the_same_whatever_the_order_and_repetition_of_events(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    held_at = datetime.now(UTC)
    orders = list(itertools.permutations(range(5)))
    ends: set[frozenset[tuple[object, ...]]] = set()
    for order in random.Random(2027).sample(orders, 20):
        ids = first, second, third = new_id(), new_id(), new_id()

        def held(
            hold_id: UUID,
            *,
            minutes: int = 20,
            label: str = "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
            replaced: tuple[UUID, ...] = (),
        ) -> SeatsHeld:
            end = held_at + timedelta(minutes=minutes)
            told = family.seats_held(id=hold_id, expires_at=end, label=label)
            return told.model_copy(update={"replaced_hold_ids": replaced})

        story: list[Event] = [
            held(first),
            held(second, replaced=(first,)),
            held(second, minutes=40, label="FM 2.1 (33) - JEUDI - 18.00 à 19.30"),
            SeatsReleased(hold_ids=(second,)),
            SeatsClaimed(
                application_id=family.application_id, hold_ids=(third,), missing_hold_ids=(second,)
            ),
        ]
        for position in (*order, *reversed(order)):
            await enrolment.react(story[position])
        async with enrolment.database.transaction() as tx:
            rows = await tx.execute(select(hold).where(hold.c.id.in_(ids)))
            ends.add(frozenset((ids.index(row.id), *row[1:]) for row in rows))
    (end,) = ends
    assert {row[0]: row[4] for row in end} == {
        0: "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        1: "FM 2.1 (33) - JEUDI - 18.00 à 19.30",
        2: None,
    }


async def test_families_are_the_same_whatever_the_order_of_events(
    enrolment: Running[ServiceSettings],
) -> None:
    for order in itertools.permutations(range(4)):
        site_id, left, joined = new_id(), new_id(), new_id()
        stays, moves, comes = new_id(), new_id(), new_id()
        story = [
            family_record(left, site_id, [stays, moves], revision=1),
            family_record(left, site_id, [stays], revision=2),
            family_record(joined, site_id, [moves], revision=1),
            family_record(joined, site_id, [moves, comes], revision=2),
        ]
        for position in order:
            await enrolment.react(FamiliesRecorded(families=(story[position],)))
        await enrolment.react(FamiliesRecorded(families=tuple(story[place] for place in order)))
        async with enrolment.database.transaction() as tx:
            rows = await tx.execute(
                select(student.c.id, student.c.family_id).where(
                    student.c.family_id.in_([left, joined])
                )
            )
            assert {tuple(row) for row in rows} == {(stays, left), (moves, joined), (comes, joined)}
