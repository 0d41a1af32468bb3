"""Two people correct the same coordinates at once, on real PostgreSQL: nothing is undone unseen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.settings import IdentitySettings
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.identity import (
    DetailChange,
    EmailChanged,
    Guardian,
    ImportGuardians,
    ImportStudents,
    MyFamily,
    Overtaken,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails
from stack.running import Stack

from tests.harness import operator, running
from tests.households import Household, lines
from tests.integration.accounts import Identity, account_id, hearing

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def identity(servers: Stack) -> AsyncIterator[Identity]:
    async with running(servers, service, IdentitySettings, resources) as replica:
        yield replica


@dataclass(frozen=True)
class Parents:
    """Two guardians of one household, the second without an account, and their forms."""

    identity: Identity
    household: Household
    first: Caller
    other: Caller

    async def recorded(self, rank: int = 0) -> Guardian:
        return (await self.identity.ask(MyFamily(), self.first)).guardians[rank]

    async def declare(self, by: Caller, seen: Guardian, **details: str) -> Guardian:
        """Send the form that showed ``seen``, with something else typed in it."""
        declared = GuardianDetails.model_validate(
            {name: text for name, text in (seen.details | details).items() if text}
        )
        update = UpdateGuardian(guardian_id=seen.id, details=declared, revision=seen.revision)
        return await self.identity.ask(update, by)

    async def overtaken(self, by: Caller, seen: Guardian, **details: str) -> Overtaken:
        with pytest.raises(Rejection, match="details_changed") as refusal:
            await self.declare(by, seen, **details)
        return Overtaken.model_validate(refusal.value.facts)


@pytest_asyncio.fixture
async def parents(identity: Identity) -> Parents:
    household = Household()
    await household.settle(identity)
    other = household.guardian_line(2, prenom="Noé", civilite="Monsieur", identifiant="")
    await identity.ask(ImportGuardians(lines=lines(other)), operator())
    first = household.caller.model_copy(update={"account_id": account_id(household)})
    return Parents(identity, household, first, household.caller)


def told(change: DetailChange) -> tuple[str, str, str, str, bool]:
    return (change.field, change.old_value, change.new_value, change.author, change.is_own)


async def test_the_second_to_save_is_told_what_changed_from_what_and_by_whom(
    parents: Parents,
) -> None:
    shown = await parents.recorded()
    await parents.declare(parents.first, shown, city="Sèvres")
    moved = await parents.recorded()
    await parents.declare(parents.first, moved, city="Issy")

    refusal = await parents.overtaken(parents.other, shown, profession="Luthière")
    assert refusal.revision == shown.revision + 2
    assert [told(change) for change in refusal.changes] == [
        ("city", "Meudon", "Issy", "Madame ESSAI Camille", False)
    ]
    assert (await parents.recorded()).details["profession"] == ""
    own = await parents.overtaken(parents.first, shown, profession="Luthière")
    assert own.changes[0].is_own

    again = shown.model_copy(update={"revision": refusal.revision})
    kept = await parents.declare(parents.other, again, profession="Luthière")
    assert (kept.details["city"], kept.details["profession"]) == ("Meudon", "Luthière")


async def test_what_both_changed_alike_or_back_is_in_nobodys_way(parents: Parents) -> None:
    shown = await parents.recorded()
    once = await parents.declare(parents.first, shown, city="Sèvres", mobile="06 39 98 00 02")
    await parents.declare(parents.first, once, city="Meudon")
    kept = await parents.declare(
        parents.other, shown, mobile="06 39 98 00 02", profession="Luthière"
    )
    assert kept.details["city"] == "Meudon"


async def test_a_form_sent_twice_is_recorded_once(parents: Parents) -> None:
    shown = await parents.recorded()
    once = await parents.declare(parents.first, shown, city="Sèvres")
    assert await parents.declare(parents.first, shown, city="Sèvres") == once


async def test_an_import_is_told_like_anyones_change(parents: Parents) -> None:
    identity, household = parents.identity, parents.household
    shown = await parents.recorded()
    newer = household.guardian_line(mobile="06 39 98 00 99")
    await identity.ask(ImportGuardians(lines=lines(newer)), operator())
    refusal = await parents.overtaken(parents.first, shown, city="Sèvres")
    assert [told(change) for change in refusal.changes] == [
        ("mobile", "06 39 98 00 01", "06 39 98 00 99", "", False)
    ]
    same = await identity.ask(ImportGuardians(lines=lines(newer)), operator())
    assert same.changed == 0
    assert (await parents.recorded()).revision == refusal.revision


async def test_a_student_has_revisions_too(parents: Parents) -> None:
    identity, household = parents.identity, parents.household
    (shown,) = (await identity.ask(MyFamily(), parents.first)).students
    details = StudentDetails.model_validate(shown.details)
    level = UpdateStudent(
        student_id=shown.id,
        details=details.model_copy(update={"school_level": "3e"}),
        revision=shown.revision,
    )
    await identity.ask(level, parents.first)
    await identity.ask(
        ImportStudents(lines=lines(household.student_line(etablissement="Lycée"))), operator()
    )
    with pytest.raises(Rejection, match="details_changed") as refusal:
        await identity.ask(
            level.model_copy(update={"details": details.model_copy(update={"city": "Issy"})}),
            parents.other,
        )
    changes = Overtaken.model_validate(refusal.value.facts).changes
    assert {change.field for change in changes} == {"school_level", "school"}


async def test_the_address_of_an_account_has_to_answer_before_it_changes(parents: Parents) -> None:
    mine = await parents.recorded()
    for caller in (parents.first, parents.other):
        with pytest.raises(Rejection, match="email_protected"):
            await parents.declare(caller, mine, email="autre@familles.example")
    theirs = await parents.recorded(1)
    assert (mine.account_id, theirs.account_id) == (account_id(parents.household), None)
    async with hearing(parents.identity, EmailChanged) as changed:
        await parents.declare(parents.first, theirs, email="noe@familles.example")
        notice = await changed.next()
    before = "camille.essai@familles.example"
    assert (notice.old_email, notice.to.email) == (before, "noe@familles.example")


async def test_an_account_without_an_address_may_be_given_one(parents: Parents) -> None:
    unreachable = parents.household.guardian_line(courriel="")
    await parents.identity.ask(ImportGuardians(lines=lines(unreachable)), operator())
    given = await parents.declare(
        parents.first, await parents.recorded(), email="camille@familles.example"
    )
    assert given.details["email"] == "camille@familles.example"
