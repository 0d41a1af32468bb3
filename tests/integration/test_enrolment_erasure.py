"""The erasure of a family (S96) in enrolment: what it said goes, whatever was under way."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from enrolment.app import service
from enrolment.entries import keep_entries
from enrolment.erasure import erase_family
from enrolment.reactions import remember_families
from enrolment.tables import application, family, kept_entries, student
from shared.contract import Ask, Rejection
from shared.contracts.enrolment import (
    AmendApplication,
    FamilyApplicationsErased,
    ForgetEntries,
    KeepEntries,
    ListMyApplications,
    RecordCourseChoices,
    ShowApplication,
    ShowEntries,
    TakeBackDecline,
)
from shared.contracts.identity import FamiliesRecorded, FamilyErased
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import func, select, text
from stack.running import Stack

from tests.harness import Running, eventually, family_caller, running
from tests.integration.enrolling import (
    EnrollingFamily,
    enrolling_family,
    family_record,
    listening,
)

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


def erased(gone: EnrollingFamily) -> FamilyErased:
    return FamilyErased(
        family_id=gone.caller.family(),
        student_ids=(gone.student_id,),
        erased_at=datetime.now(UTC),
    )


def recorded(gone: EnrollingFamily, revision: int = 1) -> FamiliesRecorded:
    """The family, as identity tells it."""
    record = family_record(
        gone.caller.family(), gone.campaign.site_id, [gone.student_id], revision=revision
    )
    return FamiliesRecorded(families=(record,))


def typing(gone: EnrollingFamily) -> KeepEntries:
    return KeepEntries(
        application_id=gone.application_id,
        step=1,
        page_id=new_id(),
        position=1,
        typed_at=datetime.now(UTC),
        entries=(("city", "Sèvres"),),
    )


async def rows_of(gone: EnrollingFamily) -> int:
    """Count what says that there is such a family, or what somebody of it types."""
    family_id = gone.caller.family()
    async with gone.replica.database.transaction() as tx:
        return sum(
            [
                await tx.scalar(select(func.count()).where(column == family_id)) or 0
                for column in (family.c.id, student.c.family_id, kept_entries.c.family_id)
            ]
        )


async def said_of(application_id: UUID, replica: Running[ServiceSettings]) -> tuple[str, str]:
    """Give the remarks that an application has, and who answered for it."""
    answered_by = application.c.authorisations["answered_by"].astext
    async with replica.database.transaction() as tx:
        row = await tx.execute(
            select(application.c.remarks, answered_by).where(application.c.id == application_id)
        )
        remarks, name = row.one()
    return remarks, name


async def waits(replica: Running[ServiceSettings], task: asyncio.Task[object]) -> bool:
    """Whether a task waits for somebody's lock, or is over."""
    async with replica.database.transaction() as tx:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(await tx.scalar(waiting)) or task.done()


async def code_of(question: Ask[Any], asker: EnrollingFamily) -> str:
    with pytest.raises(Rejection) as refusal:
        await asker.ask(question)
    return refusal.value.code


async def test_nothing_is_left_of_what_an_erased_family_said_and_that_is_told(
    enrolment: Running[ServiceSettings],
) -> None:
    gone, other = await enrolling_family(enrolment), await enrolling_family(enrolment)
    for one in (gone, other):
        await one.fill_in()
        await one.ask(typing(one))
    assert await said_of(gone.application_id, enrolment) == ("Alto", "Madame ESSAI Camille")
    async with listening(enrolment) as heard:
        await enrolment.react(erased(gone))
        (told,) = await heard.all_of(FamilyApplicationsErased, gone.caller.family())
    assert told.family_id == gone.caller.family()
    assert await said_of(gone.application_id, enrolment) == ("", "")
    assert await said_of(other.application_id, enrolment) == ("Alto", "Madame ESSAI Camille")
    assert await rows_of(gone) == 0
    assert await rows_of(other) > 0


async def test_an_erased_family_that_has_a_page_open_finds_and_leaves_nothing(
    enrolment: Running[ServiceSettings],
) -> None:
    gone = await enrolling_family(enrolment)
    await gone.fill_in()
    await enrolment.react(erased(gone))
    await enrolment.react(recorded(gone, revision=7))
    mine = {"application_id": gone.application_id}
    for question in (
        typing(gone),
        ForgetEntries(**mine, step=1),
        ShowEntries(**mine, step=1),
        ShowApplication(**mine),
        RecordCourseChoices(**mine, choices=(), remarks="Cor"),
        TakeBackDecline(**mine, received_at=datetime.now(UTC)),
    ):
        assert (question.name, await code_of(question, gone)) == (question.name, "not_found")
    assert not (await gone.ask(ListMyApplications())).applications
    assert await rows_of(gone) == 0


async def test_a_family_erased_before_it_was_ever_told_is_not_kept(
    enrolment: Running[ServiceSettings],
) -> None:
    gone = await enrolling_family(enrolment)
    stranger = EnrollingFamily(enrolment, family_caller(), gone.campaign, new_id())
    await enrolment.react(erased(stranger))
    await enrolment.react(erased(stranger))
    await enrolment.react(recorded(stranger))
    assert await rows_of(stranger) == 0


async def test_what_is_kept_while_a_family_is_erased_is_erased(
    enrolment: Running[ServiceSettings],
) -> None:
    gone = await enrolling_family(enrolment)
    await gone.start()
    async with asyncio.TaskGroup() as group, enrolment.database.transaction() as tx:
        await keep_entries(typing(gone), gone.caller, tx)
        erasing = group.create_task(enrolment.react(erased(gone)))
        await eventually(lambda: waits(enrolment, erasing))
        assert not erasing.done()
    assert await rows_of(gone) == 0


@pytest.mark.parametrize("step", ["typing", "remarks", "starting"])
async def test_what_a_family_says_while_it_is_erased_is_not_kept(
    enrolment: Running[ServiceSettings], step: str
) -> None:
    gone = await enrolling_family(enrolment)
    if step != "starting":
        await gone.fill_in()
    said: dict[str, Ask[Any]] = {
        "typing": typing(gone),
        "remarks": RecordCourseChoices(
            application_id=gone.application_id, choices=(), remarks="Cor"
        ),
        "starting": gone.beginning(),
    }
    async with asyncio.TaskGroup() as group, enrolment.database.transaction() as tx:
        await erase_family(erased(gone), tx)
        saying = group.create_task(code_of(said[step], gone))
        await eventually(lambda: waits(enrolment, saying))
        assert not saying.done()
    assert saying.result() == "not_found"
    assert await rows_of(gone) == 0
    async with enrolment.database.transaction() as tx:
        remarks = await tx.scalars(
            select(application.c.remarks).where(application.c.student_id == gone.student_id)
        )
        assert list(remarks) == ([] if step == "starting" else [""])


async def test_what_is_told_while_a_family_is_erased_is_not_kept(
    enrolment: Running[ServiceSettings],
) -> None:
    gone = await enrolling_family(enrolment)
    async with asyncio.TaskGroup() as group, enrolment.database.transaction() as tx:
        await remember_families(recorded(gone, revision=2), tx)
        erasing = group.create_task(enrolment.react(erased(gone)))
        await eventually(lambda: waits(enrolment, erasing))
        assert not erasing.done()
    assert await rows_of(gone) == 0


async def test_a_family_that_is_told_anew_keeps_none_of_its_pages_waiting(
    enrolment: Running[ServiceSettings],
) -> None:
    told = await enrolling_family(enrolment)
    async with enrolment.database.transaction() as tx:
        await remember_families(recorded(told, revision=2), tx)
        assert (await asyncio.wait_for(told.start(), timeout=4)).state == "draft"


async def test_the_remarks_of_a_student_go_with_the_last_family_that_has_the_student(
    enrolment: Running[ServiceSettings],
) -> None:
    first = await enrolling_family(enrolment)
    second = EnrollingFamily(enrolment, family_caller(), first.campaign, first.student_id)
    await enrolment.react(recorded(second))
    await first.fill_in()
    await enrolment.react(erased(first))
    assert await said_of(first.application_id, enrolment) == ("Alto", "")
    shown = await second.ask(ShowApplication(application_id=first.application_id))
    assert shown.remarks == "Alto"
    await enrolment.react(erased(second))
    assert await said_of(first.application_id, enrolment) == ("", "")


async def test_what_is_changed_in_a_request_goes_with_the_last_family_too(
    enrolment: Running[ServiceSettings],
) -> None:
    first = await enrolling_family(enrolment)
    second = EnrollingFamily(enrolment, family_caller(), first.campaign, first.student_id)
    await enrolment.react(recorded(second))
    await enrolment.react(first.seats_held())
    await first.fill_in()
    await enrolment.react(first.claims(await first.submit(), first.hold_id))
    question = ShowApplication(application_id=first.application_id)
    await first.ask(
        AmendApplication(application_id=first.application_id, received_at=datetime.now(UTC))
    )
    before = (await second.ask(question)).amendment
    assert before
    assert before.authorisations
    assert before.authorisations.answered_by
    await enrolment.react(erased(first))
    after = (await second.ask(question)).amendment
    anonymous = before.authorisations.model_copy(update={"answered_by": ""})
    assert after == before.model_copy(update={"authorisations": anonymous})
    await enrolment.react(erased(second))
    async with enrolment.database.transaction() as tx:
        left = await tx.scalar(
            select(application.c.amendment).where(application.c.id == first.application_id)
        )
    assert left is None
