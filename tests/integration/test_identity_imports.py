"""Imports of sites and people: whole or not at all, repeatable, respectful of what was edited."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.settings import IdentitySettings
from shared.contract import ImportFile, ImportReport, Rejection
from shared.contracts.identity import (
    FamiliesRecorded,
    ImportFamilies,
    ImportGuardians,
    ImportSites,
    ImportStudents,
    ListSites,
    MyFamily,
    SitesRecorded,
    UpdateGuardian,
)
from shared.contracts.people import GuardianDetails
from shared.handlers import Resources
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running
from tests.households import (
    PASSWORD,
    Cells,
    Household,
    everything_told,
    lines,
    new_site_code,
    subscribed,
    told_of,
)

pytestmark = pytest.mark.servers

type Identity = Running[IdentitySettings]


@pytest_asyncio.fixture(scope="module")
async def identity(servers: Stack) -> AsyncIterator[Identity]:
    async with running(servers, service, IdentitySettings, resources) as replica:
        yield replica


@pytest_asyncio.fixture
async def household(identity: Identity) -> Household:
    """A household that has just been imported."""
    household = Household()
    await household.settle(identity)
    return household


async def load(identity: Identity, kind: type[ImportFile], *cells: Cells) -> ImportReport:
    return await identity.ask(kind(lines=lines(*cells)), operator())


async def errors(
    identity: Identity, kind: type[ImportFile], *cells: Cells
) -> list[tuple[int, str]]:
    """Give the line and the column of each error of a file that is refused."""
    with pytest.raises(Rejection, match="import_refused") as refusal:
        await load(identity, kind, *cells)
    return [(error["line"], error["column"]) for error in refusal.value.facts["errors"]]  # type: ignore[attr-defined]


async def test_a_household_is_imported_with_its_people(
    identity: Identity, household: Household
) -> None:
    family = await identity.ask(MyFamily(), household.caller)
    assert (family.name, family.site_id) == ("ESSAI", household.site_id)
    (guardian,), (student,) = family.guardians, family.students
    assert guardian.details["email"] == "camille.essai@familles.example"
    assert student.details["first_name"] == "Léo"
    assert student.details["birth_on"] == "2013-07-14"
    assert student.details["school"] == "Collège Rabelais"
    assert guardian.changed == student.changed == ()


async def test_importing_the_same_files_again_changes_and_tells_nothing(
    identity: Identity, household: Household
) -> None:
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        for kind, cells in (
            (ImportSites, household.site_line()),
            (ImportFamilies, household.family_line()),
            (ImportGuardians, household.guardian_line()),
            (ImportStudents, household.student_line()),
        ):
            assert await load(identity, kind, cells) == ImportReport(read=1, changed=0)
        await load(identity, ImportStudents, household.student_line(prenom="Léonard"))
        told = await told_of(subscriber, household.id)
    # site and family, guardian, student, and then this one change
    assert told.revision == 4
    assert told.students[0].first_name == "Léonard"


async def test_a_student_without_address_or_phone_gets_the_first_guardians(
    identity: Identity, household: Household
) -> None:
    await load(
        identity,
        ImportGuardians,
        household.guardian_line(),
        household.guardian_line(2, adresse="3 rue Neuve", ville="Paris", mobile="06 39 98 00 02"),
    )
    own = {"adresse": "9 rue Seule", "code_postal": "75001", "ville": "Paris"}
    await load(identity, ImportStudents, household.student_line(), household.student_line(2, **own))
    family = await identity.ask(MyFamily(), household.caller)
    first, second = (student.details for student in family.students)
    assert (first["address"], first["city"]) == ("12 rue du Moulin", "Meudon")
    assert (second["address"], second["city"]) == ("9 rue Seule", "Paris")
    assert first["mobile"] == second["mobile"] == "06 39 98 00 01"


async def test_an_import_keeps_what_the_family_edited_and_updates_the_rest(
    identity: Identity, household: Household
) -> None:
    edited = GuardianDetails(
        civility="Madame",
        last_name="ESSAI",
        first_name="Camille",
        address="21 sentier des Vignes",
        postcode="92190",
        city="Meudon",
        mobile="06 39 98 00 01",
        email="camille.essai@familles.example",
        profession="Luthière",
    )
    await identity.ask(
        UpdateGuardian(guardian_id=household.guardian_id, details=edited), household.caller
    )
    same = await load(identity, ImportGuardians, household.guardian_line())
    assert same.changed == 0
    newer = household.guardian_line(adresse="5 rue Oubliée", mobile="06 39 98 00 99")
    await load(identity, ImportGuardians, newer)
    (guardian,) = (await identity.ask(MyFamily(), household.caller)).guardians
    assert guardian.details["address"] == "21 sentier des Vignes"
    assert guardian.details["profession"] == "Luthière"
    assert guardian.details["mobile"] == "06 39 98 00 99"
    assert guardian.changed == ("profession", "address")


async def test_the_site_catching_up_with_the_family_leaves_nothing_changed(
    identity: Identity, household: Household
) -> None:
    (guardian,) = (await identity.ask(MyFamily(), household.caller)).guardians
    details = GuardianDetails.model_validate(
        {**guardian.details, "birth_on": None, "city": "Sèvres"}
    )
    await identity.ask(
        UpdateGuardian(guardian_id=household.guardian_id, details=details), household.caller
    )
    await load(identity, ImportGuardians, household.guardian_line(ville="Sèvres"))
    (guardian,) = (await identity.ask(MyFamily(), household.caller)).guardians
    assert guardian.changed == ()


async def test_dirty_cells_are_cleaned(identity: Identity, household: Household) -> None:
    cells = household.guardian_line(
        nom="  N'Diaye\u00a0",
        mobile="06\u202f39\u202f98\u202f00\u202f77 ",
        tel_domicile="01.99.00.55.55",
    )
    await load(identity, ImportGuardians, cells)
    await load(identity, ImportStudents, household.student_line(ne_le="2013-07-14"))
    family = await identity.ask(MyFamily(), household.caller)
    assert family.guardians[0].details["last_name"] == "N'Diaye"
    assert family.guardians[0].details["mobile"] == "06 39 98 00 77"
    assert family.guardians[0].details["home_phone"] == "01.99.00.55.55"


async def test_a_guardian_may_have_no_e_mail_on_file(
    identity: Identity, household: Household
) -> None:
    await load(identity, ImportGuardians, household.guardian_line(courriel=""))
    (guardian,) = (await identity.ask(MyFamily(), household.caller)).guardians
    assert guardian.details["email"] == ""


async def test_broken_lines_are_named_and_nothing_of_the_file_is_kept(
    identity: Identity, household: Household
) -> None:
    good = household.guardian_line(prenom="Autre")
    found = await errors(
        identity,
        ImportGuardians,
        good,
        household.guardian_line(2, famille=f"{household.site}-F99999"),
        household.guardian_line(3, mobile="appeler le soir"),
        household.guardian_line(4, courriel="camille.essai"),
        household.guardian_line(5, code_postal="9219"),
        household.guardian_line(6, nom=""),
        household.guardian_line(7, civilite="Docteur"),
    )
    assert found == [
        (3, "famille"),
        (4, "mobile"),
        (5, "courriel"),
        (6, "code_postal"),
        (7, "nom"),
        (8, "civilite"),
    ]
    (guardian,) = (await identity.ask(MyFamily(), household.caller)).guardians
    assert guardian.details["first_name"] == "Camille"


async def test_a_site_or_a_family_that_does_not_exist_is_an_error(
    identity: Identity, household: Household
) -> None:
    elsewhere = Household(new_site_code())
    assert await errors(identity, ImportFamilies, elsewhere.family_line()) == [(2, "site")]
    assert await errors(
        identity, ImportStudents, household.student_line(), elsewhere.student_line()
    ) == [(3, "famille")]
    assert await errors(identity, ImportStudents, household.student_line(ne_le="31/02/2013")) == [
        (2, "ne_le")
    ]


async def test_a_username_belongs_to_one_guardian_of_a_site(
    identity: Identity, household: Household
) -> None:
    shouted = household.guardian_line(2, identifiant=household.username.upper())
    assert await errors(identity, ImportGuardians, household.guardian_line(), shouted) == [
        (3, "identifiant")
    ]
    assert await errors(identity, ImportGuardians, shouted) == [(2, "identifiant")]
    same_line_twice = (household.guardian_line(), household.guardian_line())
    assert (await load(identity, ImportGuardians, *same_line_twice)).changed == 0
    other_site = Household()
    assert other_site.username == household.username
    await other_site.settle(identity)


async def test_two_guardians_may_exchange_their_usernames(
    identity: Identity, household: Household
) -> None:
    second = household.guardian_line(2)
    await load(identity, ImportGuardians, household.guardian_line(), second)
    exchanged = (
        household.guardian_line(identifiant=second["identifiant"]),
        household.guardian_line(2, identifiant=household.username),
    )
    assert (await load(identity, ImportGuardians, *exchanged)).changed == 2


async def test_repeating_an_import_does_not_reset_a_password(
    identity: Identity, household: Household
) -> None:
    await identity.ask(
        ImportGuardians(
            lines=lines(household.guardian_line()), initial_password="un tout autre secret"
        ),
        operator(),
    )
    await household.sign_in(identity, PASSWORD)


async def test_an_initial_password_is_for_demonstrations_only(servers: Stack) -> None:
    def real_settings(settings: IdentitySettings) -> Resources:
        return resources(settings.model_copy(update={"demonstration": False}))

    household = Household()
    async with running(servers, service, IdentitySettings, real_settings) as identity:
        with pytest.raises(Rejection, match="demonstration_only"):
            await household.settle(identity)
        await household.settle(identity, password=None)


async def test_a_student_who_changes_family_leaves_the_former_one(
    identity: Identity, household: Household
) -> None:
    other = Household(household.site, number=2)
    await other.settle(identity)
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        await load(identity, ImportStudents, household.student_line(famille=other.code))
        told = {family.id: family for family in (await subscriber.next()).families}
    assert told[household.id].students == ()
    assert {student.id for student in told[other.id].students} == {
        household.student_id,
        other.student_id,
    }


async def test_families_are_told_a_hundred_at_a_time(identity: Identity) -> None:
    site = new_site_code()
    households = [Household(site, number) for number in range(1, 251)]
    await load(identity, ImportSites, households[0].site_line())
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        await load(identity, ImportFamilies, *(each.family_line() for each in households))
        told = [(await subscriber.next()).families for _ in range(3)]
    assert sorted(len(families) for families in told) == [50, 100, 100]
    assert {family.id for families in told for family in families} == {
        household.id for household in households
    }


async def test_sites_that_changed_are_told_and_no_others(identity: Identity) -> None:
    here, there = Household(), Household()
    await load(identity, ImportSites, here.site_line(), there.site_line())
    await everything_told(identity)
    async with subscribed(identity.settings.broker_url, SitesRecorded) as subscriber:
        renamed = here.site_line(nom="Conservatoire Claude-Debussy")
        report = await load(identity, ImportSites, renamed, there.site_line())
        told = await subscriber.next()
    assert report == ImportReport(read=2, changed=1)
    (site,) = told.sites
    assert site in await identity.ask(ListSites())
    assert site.name == "Conservatoire Claude-Debussy"


async def test_only_an_operator_imports(identity: Identity, household: Household) -> None:
    for kind in (ImportSites, ImportFamilies, ImportGuardians, ImportStudents):
        for caller in (household.caller, family_caller()):
            with pytest.raises(Rejection, match="not_found"):
                await identity.ask(kind(lines=()), caller)
