"""Identité and Famille, corrected at any time of the year (S14, S16, S32)."""

from collections.abc import Iterator

import pytest
from shared.contract import Rejection
from shared.contracts.enrolment import ListMyApplications, MyApplications
from shared.contracts.identity import UpdateGuardian, UpdateStudent
from shared.identifiers import new_id

from tests.forms import changed, filled_in, words
from tests.harness import family_caller
from tests.portal import Portal
from tests.wizard import Household, a_guardian, household


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.records_people()
        yield seated


def of_student(family: Household) -> str:
    return f"/eleves/{family.student.id}/identite/modifier"


def of_guardian(family: Household, number: int = 0) -> str:
    return f"/famille/responsables/{family.guardians[number].id}"


def test_a_student_is_corrected_outside_any_campaign(family: Household) -> None:
    family.answer({ListMyApplications: MyApplications(campaign=None, applications=())})
    identity, path = f"/eleves/{family.student.id}/identite", of_student(family)
    assert f'href="{path}"' in family.reads(identity)
    fields = changed(
        filled_in(family.reads(path), path),
        **{"-school": "Collège Rabelais", "-school_level": "4e", "-nationality": "Française"},
    )
    led_to = family.goes_on(path, fields)
    assert led_to == f"{identity}?enregistre=oui"
    assert "Vos modifications sont enregistrées" in words(family.reads(led_to))
    (asked,) = family.asked(UpdateStudent)
    told = asked.details
    assert (told.school, told.school_level, told.nationality) == (
        "Collège Rabelais",
        "4e",
        "Française",
    )


def test_a_guardian_is_corrected_from_the_family_page(family: Household) -> None:
    path = of_guardian(family)
    assert f'href="{path}"' in family.reads("/famille")
    fields = changed(filled_in(family.reads(path), path), **{"-city": "Sèvres"})
    assert family.goes_on(path, fields) == "/famille?enregistre=oui"
    assert "Vos modifications sont enregistrées" in words(family.reads("/famille?enregistre=oui"))
    (asked,) = family.asked(UpdateGuardian)
    assert asked.details.city == "Sèvres"


def test_what_needs_mending_is_summarised_and_nothing_is_lost(family: Household) -> None:
    path = of_student(family)
    fields = changed(filled_in(family.reads(path), path), **{"-postcode": "921", "-school": "X"})
    page = family.sends(path, fields)
    assert f'href="#eleve-{family.student.id}-postcode"' in page
    assert 'value="X"' in page
    assert not family.asked(UpdateStudent)


def test_the_address_of_an_account_is_changed_by_its_own_page_alone(portal: Portal) -> None:
    caller = family_caller()
    with household(portal, caller) as family:
        family.records_people()
        mine = a_guardian().model_copy(update={"account_id": caller.account_id})
        theirs = a_guardian("Noé").model_copy(update={"account_id": new_id()})
        without = a_guardian("Ana")
        family.guardians = (mine, theirs, without)
        family.told()
        page = family.reads(of_guardian(family, 0))
        assert 'href="/mot-de-passe/email"' in page
        forged = [
            *filled_in(page, of_guardian(family, 0)),
            (f"responsable-{mine.id}-email", "voleur@familles.example"),
        ]
        family.goes_on(of_guardian(family, 0), forged)
        (asked,) = family.asked(UpdateGuardian)
        assert asked.details.email == mine.details["email"]
        page = family.reads(of_guardian(family, 1))
        assert "celle d'un compte" in words(page)
        assert 'href="/mot-de-passe/email"' not in page
        page = family.reads(of_guardian(family, 2))
        assert f'name="responsable-{without.id}-email"' in page


def test_an_account_without_an_address_may_be_given_one(family: Household) -> None:
    nobody = a_guardian(email="").model_copy(update={"account_id": new_id()})
    family.guardians = (nobody,)
    family.told()
    assert f'name="responsable-{nobody.id}-email"' in family.reads(of_guardian(family))


def test_identitys_own_refusal_of_an_address_is_shown(family: Household) -> None:
    refusal = Rejection("email_protected", "Cette adresse est celle d'un compte.")
    family.answer({UpdateGuardian: refusal})
    path = of_guardian(family)
    page = family.sends(path, filled_in(family.reads(path), path))
    assert "Cette adresse est celle d'un compte." in words(page)


def test_the_address_of_the_family_is_taken_at_the_press_of_a_button(family: Household) -> None:
    (nicole,) = family.guardians
    path = of_student(family)
    fields = changed(filled_in(family.reads(path), path), **{"-city": "Sèvres", "-school": "X"})
    page = family.sends(path, [*fields, ("reprendre", str(nicole.id))], status=200)
    shown = dict(filled_in(page, path))
    assert shown[f"eleve-{family.student.id}-city"] == "Meudon"
    assert shown[f"eleve-{family.student.id}-school"] == "X"


def test_what_the_campaign_does_not_ask_for_is_not_shown(family: Household) -> None:
    campaign = family.application.campaign.model_copy(
        update={"fields_not_asked": ("marital_status", "school")}
    )
    family.answer({ListMyApplications: MyApplications(campaign=campaign, applications=())})
    for path in ("/famille", of_guardian(family), of_student(family)):
        assert "Situation familiale" not in words(family.reads(path))
    identity = words(family.reads(f"/eleves/{family.student.id}/identite"))
    assert "Établissement scolaire" not in identity
    assert "Niveau scolaire" in identity


def test_enrolment_away_keeps_nobody_from_correcting(family: Household) -> None:
    family.without(ListMyApplications)
    path = of_student(family)
    family.goes_on(path, filled_in(family.reads(path), path))


def test_a_stranger_does_not_exist(family: Household) -> None:
    for path in (f"/famille/responsables/{new_id()}", f"/eleves/{new_id()}/identite/modifier"):
        family.reads(path, status=404)
        family.sends(path, [], status=404)
