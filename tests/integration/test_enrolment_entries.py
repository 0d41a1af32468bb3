"""What is typed and not sent yet, on real PostgreSQL: kept in order, for its author alone."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from enrolment.app import service
from enrolment.entries import purge_entries
from shared.contract import Rejection
from shared.contracts.enrolment import (
    CompleteStep,
    ForgetEntries,
    KeepEntries,
    RecordAuthorisations,
    ShowEntries,
    StepTyped,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, family_caller, running
from tests.integration.enrolling import ANSWERS, EnrollingFamily, enrolling_family, move

pytestmark = pytest.mark.servers

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def family(enrolment: Running[ServiceSettings]) -> EnrollingFamily:
    family = await enrolling_family(enrolment)
    await family.start()
    return family


def typing(
    family: EnrollingFamily,
    text: str,
    *,
    page_id: UUID | None = None,
    position: int = 1,
    seconds_ago: float = 0,
    step: StepTyped = 1,
) -> KeepEntries:
    return KeepEntries(
        application_id=family.application_id,
        step=step,
        page_id=page_id or new_id(),
        position=position,
        typed_at=NOW - timedelta(seconds=seconds_ago),
        entries=(("city", text),),
    )


async def kept(family: EnrollingFamily, step: StepTyped = 1) -> str:
    shown = await family.ask(ShowEntries(application_id=family.application_id, step=step))
    return dict(shown.entries)["city"] if shown else ""


async def test_savings_of_one_page_follow_its_own_count(family: EnrollingFamily) -> None:
    page_id = new_id()
    savings = [
        typing(family, str(position), page_id=page_id, position=position, seconds_ago=position)
        for position in range(1, 9)
    ]
    await asyncio.gather(*(family.ask(saving) for saving in (*savings, *reversed(savings))))
    assert await kept(family) == "8"


async def test_savings_of_two_devices_follow_the_instant_of_typing(
    family: EnrollingFamily,
) -> None:
    await family.ask(typing(family, "téléphone", seconds_ago=10))
    await family.ask(typing(family, "ordinateur, hors connexion", position=9, seconds_ago=60))
    assert await kept(family) == "téléphone"
    await family.ask(typing(family, "ordinateur", seconds_ago=5))
    assert await kept(family) == "ordinateur"
    ahead = typing(family, "une horloge en avance", seconds_ago=-3600)
    await family.ask(ahead)
    later = datetime.now(UTC)
    await family.ask(typing(family, "la suite").model_copy(update={"typed_at": later}))
    assert await kept(family) == "la suite"


async def test_each_guardian_has_their_own_and_nobody_elses(family: EnrollingFamily) -> None:
    await family.ask(typing(family, "Sèvres"))
    assert family.caller.family_id
    other = EnrollingFamily(
        family.replica,
        family_caller(family.caller.family_id, family.caller.site_id),
        family.campaign,
        family.student_id,
        application_id=family.application_id,
    )
    assert await kept(other) == ""
    await other.ask(typing(other, "Issy"))
    assert (await kept(family), await kept(other)) == ("Sèvres", "Issy")
    stranger = await enrolling_family(family.replica)
    with pytest.raises(Rejection, match="not_found"):
        await stranger.ask(typing(family, "Vanves"))


async def test_a_step_that_is_done_forgets_what_its_author_typed(family: EnrollingFamily) -> None:
    for step in (1, 2, 4):
        await family.ask(typing(family, "Sèvres", step=step))
    await family.ask(CompleteStep(application_id=family.application_id, step=1))
    assert [await kept(family, step) for step in (1, 2, 4)] == ["", "Sèvres", "Sèvres"]
    await family.ask(
        RecordAuthorisations(application_id=family.application_id, authorisations=ANSWERS)
    )
    assert [await kept(family, step) for step in (2, 4)] == ["", "Sèvres"]
    await family.ask(ForgetEntries(application_id=family.application_id, step=4))
    assert await kept(family, 4) == ""


async def test_nothing_typed_outlives_the_draft(family: EnrollingFamily) -> None:
    await family.fill_in()
    await family.replica.react(family.seats_held())
    await family.ask(typing(family, "Sèvres"))
    await family.submit()
    assert await kept(family) == ""
    with pytest.raises(Rejection, match="not_a_draft"):
        await family.ask(typing(family, "trop tard"))


async def test_a_saving_that_comes_after_its_step_is_done_brings_nothing_back(
    family: EnrollingFamily,
) -> None:
    page_id = new_id()
    await family.ask(typing(family, "Sèvres", page_id=page_id))
    await family.ask(CompleteStep(application_id=family.application_id, step=1))
    await family.ask(typing(family, "Sèvres, trop tard", page_id=page_id, position=2))
    await family.ask(typing(family, "un autre onglet"))
    assert await kept(family) == ""
    again = typing(family, "Issy").model_copy(update={"typed_at": datetime.now(UTC)})
    await family.ask(again)
    assert await kept(family) == "Issy"


async def test_a_saving_that_comes_after_what_was_typed_is_forgotten_brings_nothing_back(
    family: EnrollingFamily,
) -> None:
    await family.ask(ForgetEntries(application_id=family.application_id, step=4))
    await family.ask(typing(family, "trop tard", step=4))
    assert await kept(family, 4) == ""


async def test_from_the_closing_on_what_was_typed_is_there_to_be_read_until_documents_are_due(
    family: EnrollingFamily,
) -> None:
    await family.ask(typing(family, "Sèvres"))
    database, campaign_id = family.replica.database, family.campaign.id
    now = datetime.now(UTC)
    await move(family.replica, campaign_id, closes_at=now)
    late = typing(family, "trop tard").model_copy(update={"typed_at": now - timedelta(seconds=1)})
    with pytest.raises(Rejection, match="campaign_closed"):
        await family.ask(late)
    await purge_entries(database)
    assert await kept(family) == "Sèvres"
    await move(family.replica, campaign_id, documents_due_at=now)
    await purge_entries(database)
    assert await kept(family) == ""


async def test_nothing_is_purged_of_a_campaign_that_is_open_after_documents_are_due(
    family: EnrollingFamily,
) -> None:
    await family.ask(typing(family, "Sèvres"))
    await move(family.replica, family.campaign.id, documents_due_at=NOW - timedelta(days=1))
    await purge_entries(family.replica.database)
    assert await kept(family) == "Sèvres"


async def test_a_saving_that_no_column_holds_is_refused(family: EnrollingFamily) -> None:
    far = typing(family, "Sèvres").model_copy(update={"position": 2**31})
    for unfit in (far, typing(family, "Sè\0vres")):
        with pytest.raises(Rejection, match="invalid"):
            await family.ask(unfit)
    assert await kept(family) == ""


async def test_a_campaign_may_do_without_optional_details_alone(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(
        enrolment, fields_not_asked=("nationality", "socio_professional_code")
    )
    started = await family.start()
    assert started.campaign.fields_not_asked == ("nationality", "socio_professional_code")
    for needed in ("last_name", "mobile", "email", "birth_on", "inconnu"):
        with pytest.raises(Rejection, match="invalid_campaign"):
            await enrolling_family(enrolment, fields_not_asked=(needed,))
