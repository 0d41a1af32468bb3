"""What a family declared stays, whatever an import brings; the rest follows the import."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from identity.contact_details import (
    Details,
    as_recorded,
    differing,
    in_order,
    merged,
    with_contacts_of,
)
from shared.contracts.people import GuardianDetails, StudentDetails

FIELDS = ("address", "city", "mobile")
details = st.fixed_dictionaries({name: st.sampled_from(["", "a", "b", "c"]) for name in FIELDS})

NICOLE = GuardianDetails(
    civility="Madame",
    last_name="TEST",
    first_name="Nicole",
    birth_on=date(1996, 2, 29),
    address="21 sentier des Vignes",
    postcode="92190",
    city="Meudon",
    mobile="06 39 98 39 23",
    email="nicole@familles.example",
)


def test_declared_details_are_kept_as_text_with_iso_days() -> None:
    recorded = as_recorded(NICOLE)
    assert recorded["birth_on"] == "1996-02-29"
    assert recorded["work_phone"] == ""
    assert set(recorded) == set(GuardianDetails.model_fields)


def test_a_day_that_is_not_given_is_empty() -> None:
    assert as_recorded(NICOLE.model_copy(update={"birth_on": None}))["birth_on"] == ""


def test_fields_come_in_the_order_of_the_form_whatever_was_stored() -> None:
    stored = {"city": "Meudon", "civility": "Madame"}
    ordered = in_order(GuardianDetails, stored)
    assert list(ordered) == list(GuardianDetails.model_fields)
    assert ordered["city"] == "Meudon"
    assert ordered["profession"] == ""


def test_changed_fields_are_named() -> None:
    recorded = as_recorded(NICOLE)
    moved = recorded | {"city": "Sèvres", "postcode": "92310"}
    assert differing(recorded, moved) == ("postcode", "city")
    assert differing(recorded, recorded) == ()


@given(details, details)
def test_an_import_replaces_what_no_family_changed(old: Details, new: Details) -> None:
    assert merged(old, old, new) == new


@given(details, details, details)
def test_an_import_leaves_what_the_family_changed(
    imported: Details, declared: Details, arriving: Details
) -> None:
    result = merged(declared, imported, arriving)
    for name in differing(imported, declared):
        assert result[name] == declared[name]


@given(details, details, details)
def test_loading_the_same_import_again_changes_nothing(
    imported: Details, declared: Details, arriving: Details
) -> None:
    once = merged(declared, imported, arriving)
    assert merged(once, arriving, arriving) == once


def test_a_student_without_address_or_phone_gets_the_guardians() -> None:
    guardian = as_recorded(NICOLE)
    student = with_contacts_of(guardian, in_order(StudentDetails, {"first_name": "Léo"}))
    assert student["address"] == "21 sentier des Vignes"
    assert student["postcode"] == "92190"
    assert student["mobile"] == "06 39 98 39 23"
    assert student["first_name"] == "Léo"
    assert student["email"] == ""


def test_a_students_own_address_is_never_mixed_with_the_guardians() -> None:
    own = in_order(StudentDetails, {"address": "1 rue Neuve", "mobile": "06 39 98 00 00"})
    student = with_contacts_of(as_recorded(NICOLE), own)
    assert student == own


def test_a_student_of_a_family_without_guardian_stays_without_address() -> None:
    alone = in_order(StudentDetails, {"first_name": "Léo"})
    assert with_contacts_of({}, alone) == alone
