"""Nothing typed is ever lost: two people at once, a page that is left, another device."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.texts import AUTHORISATIONS
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.enrolment import (
    Authorisations,
    CompleteStep,
    ForgetEntries,
    KeepEntries,
    KeptEntries,
    RecordAuthorisations,
    ShowEntries,
)
from shared.contracts.identity import DetailChange, Overtaken, UpdateGuardian, UpdateStudent

from tests.forms import Fields, changed, filled_in, words
from tests.portal import Portal
from tests.wizard import NEXT, Household, a_guardian, a_student, household, yes_to_both

TYPED_AT = datetime(2026, 11, 22, 9, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.records_people()
        yield seated


def overtaken(*changes: DetailChange, revision: int = 4) -> Rejection:
    facts = Overtaken(revision=revision, changes=changes).model_dump(mode="json")
    return Rejection("details_changed", "Ces coordonnées ont changé.", **facts)


def a_change(field: str, old: str, new: str, **told: object) -> DetailChange:
    values = {"author": "Madame TEST Nicole", "changed_at": TYPED_AT} | told
    return DetailChange.model_validate(
        {"field": field, "old_value": old, "new_value": new} | values
    )


def kept(family: Household, fields: Fields) -> None:
    entries = KeptEntries(entries=tuple(fields), typed_at=TYPED_AT)
    family.answer({ShowEntries: entries})


# Two guardians, two tabs


def test_the_page_says_which_revision_it_shows(family: Household) -> None:
    (nicole,) = family.guardians
    family.guardians = (nicole.model_copy(update={"revision": 3}),)
    family.told()
    path = family.at("coordonnees")
    family.goes_on(path, filled_in(family.reads(path), path))
    (asked,) = family.asked(UpdateGuardian)
    assert asked.revision == 3
    assert [asked.revision for asked in family.asked(UpdateStudent)] == [0]


def test_the_second_to_save_sees_what_changed_by_whom_and_keeps_what_they_typed(
    family: Household,
) -> None:
    family.answer(
        {
            UpdateGuardian: overtaken(
                a_change("city", "Meudon", "Sèvres"), a_change("mobile", "06 39 98 39 23", "")
            )
        }
    )
    path = family.at("coordonnees")
    typed = changed(
        filled_in(family.reads(path), path),
        **{f"{family.guardians[0].id}-city": "Issy", "-profession": "Luthière"},
    )
    page = family.sends(path, typed)
    said = words(page)
    assert (
        "Modifié entre-temps par Madame TEST Nicole, le 22/11/2026 à 10:31 : "
        "Ville, Meudon → Sèvres. Ce que vous avez saisi est gardé" in said
    )
    assert "Mobile, 06 39 98 39 23 → rien. La nouvelle valeur est affichée." in said
    again = dict(filled_in(page, path))
    prefix = f"responsable-{family.guardians[0].id}"
    assert again[f"{prefix}-city"] == "Issy"
    assert again[f"{prefix}-profession"] == "Luthière"
    assert again[f"{prefix}-mobile"] == ""
    assert again[f"{prefix}-revision"] == "4"
    assert f'href="#{prefix}-city"' in page
    assert not family.asked(CompleteStep)


def test_ones_own_other_page_and_the_sites_import_are_called_so(family: Household) -> None:
    family.answer(
        {
            UpdateStudent: overtaken(
                a_change("school", "", "Collège Rabelais", is_own=True),
                a_change("birth_on", "2014-12-22", "2014-12-23", author=""),
            )
        }
    )
    path = family.at("coordonnees")
    said = words(family.sends(path, filled_in(family.reads(path), path)))
    assert "par vous-même, dans une autre page" in said
    assert "Établissement scolaire, rien → Collège Rabelais" in said
    assert "par votre conservatoire" in said
    assert "22/12/2014 → 23/12/2014" in said


# What is typed and not sent


def test_a_script_has_the_page_kept_as_it_is_typed(family: Household) -> None:
    path = family.at("coordonnees")
    page = family.reads(path)
    fields = changed(filled_in(page, path), **{"-profession": "Luth"})
    assert f'data-autosave="/dossiers/{family.application.id}/saisie/1"' in page
    answer = family.keeps(1, fields, position=2, age=5_000)
    assert answer.json()["text"].startswith("Enregistré à ")
    (asked,) = family.asked(KeepEntries)
    assert (asked.application_id, asked.step, asked.position) == (family.application.id, 1, 2)
    assert str(asked.page_id) == dict(fields)["saisie"]
    assert timedelta(seconds=5) <= datetime.now(UTC) - asked.typed_at < timedelta(seconds=20)
    entries = dict(asked.entries)
    assert entries[f"responsable-{family.guardians[0].id}-profession"] == "Luth"
    assert not {"saisie", "_csrf_token", "direction"} & entries.keys()


def test_only_the_free_text_is_kept_at_the_courses_and_at_the_recap(family: Household) -> None:
    for step in (4, 5):
        family.keeps(step, [("remarks", "Alto"), ("cours-1-course_id", "x")])
    assert [(asked.step, asked.entries) for asked in family.asked(KeepEntries)] == [
        (4, (("remarks", "Alto"),)),
        (4, (("remarks", "Alto"),)),
    ]


def test_lines_end_the_same_whether_a_script_or_a_browser_sends_them(family: Household) -> None:
    family.keeps(4, [("remarks", "Alto,\r\npuis cor")])
    (asked,) = family.asked(KeepEntries)
    assert asked.entries == (("remarks", "Alto,\npuis cor"),)


def test_a_text_recorded_with_other_ends_of_lines_is_the_same_text(family: Household) -> None:
    family.stands_at(5)
    recorded = {"remarks": "Alto,\r\npuis cor"}
    family.application = family.application.model_copy(update=recorded)
    family.answer({CourseRows: ()})
    kept(family, [("remarks", "Alto,\npuis cor")])
    assert "Nous avons gardé" not in words(family.reads(family.at("cours")))
    kept(family, [("remarks", "Alto,\npuis tuba")])
    assert "Nous avons gardé" in words(family.reads(family.at("cours")))


def test_a_script_is_told_why_nothing_is_kept(family: Household) -> None:
    refusal = Rejection("not_a_draft", "Cette demande n'est plus un brouillon.")
    family.answer({KeepEntries: refusal})
    answer = family.keeps(1, [])
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_draft")
    assert family.keeps(3, []).status_code == 422


def test_what_was_typed_is_shown_again_on_any_device(family: Household) -> None:
    path = family.at("coordonnees")
    half = changed(
        filled_in(family.reads(path), path), **{"-profession": "Luth", "-emergency_phone": "06 3"}
    )
    kept(family, half)
    page = family.reads(path)
    assert "ce que vous aviez saisi le 22/11/2026 à 10:31" in words(page)
    assert dict(filled_in(page, path)) | {"saisie": ""} == dict(half) | {"saisie": ""}
    forget = f"/dossiers/{family.application.id}/saisie/1/effacer"
    family.answer({ForgetEntries: None})
    assert family.goes_on(forget, []) == path
    assert [asked.step for asked in family.asked(ForgetEntries)] == [1]


def test_what_was_typed_is_sent_with_the_revision_that_it_was_typed_from(
    family: Household,
) -> None:
    path = family.at("coordonnees")
    half = changed(filled_in(family.reads(path), path), **{"-profession": "Luthière"})
    kept(family, half)
    (nicole,) = family.guardians
    family.guardians = (nicole.model_copy(update={"revision": 7}),)
    family.told()
    family.goes_on(path, filled_in(family.reads(path), path))
    assert [asked.revision for asked in family.asked(UpdateGuardian)] == [0]


def test_entries_that_are_what_is_recorded_are_not_spoken_of(family: Household) -> None:
    path = family.at("coordonnees")
    kept(family, filled_in(family.reads(path), path))
    assert "Nous avons gardé" not in words(family.reads(path))


def test_a_page_that_is_refused_is_kept_without_a_script(family: Household) -> None:
    path = family.at("coordonnees")
    fields = changed(filled_in(family.reads(path), path), **{"-email": "nicole@"})
    family.sends(path, fields)
    (asked,) = family.asked(KeepEntries)
    assert "nicole@" in dict(asked.entries).values()
    family.answer({KeepEntries: ServiceUnavailable("enrolment")})
    assert "nicole@" in family.sends(path, fields)


def test_one_authorisation_is_kept_until_the_other_is_given(family: Household) -> None:
    family.stands_at(2)
    family.application = family.application.model_copy(update={"authorisations": None})
    path = family.at("autorisations")
    half = [("image_rights", "oui"), ("text_version", AUTHORISATIONS["fr"].version)]
    kept(family, half)
    page = family.reads(path)
    assert ("image_rights", "oui") in filled_in(page, path)
    assert "Nous avons gardé" in words(page)
    kept(family, [("image_rights", "oui"), ("text_version", "autorisations-2020-01")])
    assert ("image_rights", "oui") not in filled_in(family.reads(path), path)


def test_the_second_guardian_sees_how_the_first_answered_and_keeps_their_own(
    family: Household,
) -> None:
    family.stands_at(2)
    path = family.at("autorisations")
    answered = Authorisations(
        image_rights=False,
        leaves_alone=False,
        text_version=AUTHORISATIONS["fr"].version,
        answered_by="Monsieur TEST Noé",
        answered_at=TYPED_AT,
        revision=1,
    )
    refusal = Rejection("authorisations_changed", "…", **answered.model_dump(mode="json"))
    family.answer({RecordAuthorisations: refusal})
    page = family.sends(path, [*yes_to_both(), ("revision", "0"), NEXT])
    assert "Monsieur TEST Noé a répondu entre-temps, le 22/11/2026 à 10:31 : Non." in words(page)
    again = filled_in(page, path)
    assert ("image_rights", "oui") in again
    assert ("revision", "1") in again
    assert [asked.revision for asked in family.asked(RecordAuthorisations)] == [0]


# Addresses already given


def test_a_students_address_is_taken_from_a_guardian_as_it_is_typed(family: Household) -> None:
    path = family.at("coordonnees")
    (nicole,) = family.guardians
    moved = changed(
        filled_in(family.reads(path), path),
        **{f"{nicole.id}-city": "Sèvres", f"{nicole.id}-email": "nicole@"},
    )
    page = family.sends(path, [*moved, ("reprendre", str(nicole.id))], status=200)
    shown = dict(filled_in(page, path))
    assert shown[f"eleve-{family.student.id}-city"] == "Sèvres"
    assert shown[f"eleve-{family.student.id}-mobile"] == "06 39 98 39 23"
    assert shown[f"responsable-{nicole.id}-email"] == "nicole@"
    assert not family.asked(UpdateStudent)


def test_a_brother_who_lives_elsewhere_lends_his_address(family: Household) -> None:
    near = a_student(first_name="Ana")
    far = a_student(first_name="Léo", address="3 rue du Pont", city="Sèvres")
    family.siblings += [near, far]
    family.told()
    path = family.at("coordonnees")
    page = family.reads(path)
    assert "Reprendre l'adresse et les téléphones de Léo TEST" in words(page)
    assert "Reprendre l'adresse et les téléphones d'Ana TEST" not in words(page)
    lent = family.sends(path, [*filled_in(page, path), ("reprendre", str(far.id))], status=200)
    shown = dict(filled_in(lent, path))
    assert shown[f"eleve-{family.student.id}-address"] == "3 rue du Pont"
    stranger = a_guardian()
    same = family.sends(path, [*filled_in(page, path), ("reprendre", str(stranger.id))], status=200)
    assert dict(filled_in(same, path))[f"eleve-{family.student.id}-city"] == "Meudon"


# Fields that a campaign does not ask for


def test_a_field_that_is_not_asked_is_neither_shown_nor_changed(family: Household) -> None:
    (nicole,) = family.guardians
    family.guardians = (
        nicole.model_copy(update={"details": nicole.details | {"profession": "Luthière"}}),
    )
    family.told()
    family.stands_at(1)
    campaign = family.application.campaign.model_copy(
        update={"fields_not_asked": ("profession", "nationality")}
    )
    family.application = family.application.model_copy(update={"campaign": campaign})
    path = family.at("coordonnees")
    page = family.reads(path)
    assert "Profession" not in words(page)
    assert "Nationalité" not in words(page)
    forged = [*filled_in(page, path), (f"responsable-{nicole.id}-profession", "Espion")]
    family.goes_on(path, forged)
    (asked,) = family.asked(UpdateGuardian)
    assert asked.details.profession == "Luthière"


def test_of_two_guardians_at_one_address_the_first_lends_it(family: Household) -> None:
    family.guardians = (a_guardian("Nicole"), a_guardian("Noé"), a_guardian("Ana", city="Issy"))
    family.told()
    page = words(family.reads(family.at("coordonnees")))
    assert "téléphones de Nicole TEST" in page
    assert "téléphones de Noé TEST" not in page
    assert "téléphones d'Ana TEST" in page
