import hashlib
from collections.abc import Iterator

import pytest
from gateway.formats import PARIS
from gateway.texts import ACCEPTANCE, AUTHORISATIONS
from shared.contract import Rejection
from shared.contracts.documents import ListPieces
from shared.contracts.enrolment import CompleteStep, RecordAuthorisations
from shared.contracts.identity import UpdateGuardian, UpdateStudent

from tests.forms import changed, filled_in, words
from tests.portal import Portal
from tests.wizard import BACK, NEXT, Household, a_guardian, an_application, household, yes_to_both


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        yield seated


# Step 1


def test_coordinates_left_as_they_are_shown_change_nothing(family: Household) -> None:
    family.records_people()
    path = family.at("coordonnees")
    assert family.goes_on(path, filled_in(family.reads(path), path)) == family.at("autorisations")
    (guardian,), (student,) = family.asked(UpdateGuardian), family.asked(UpdateStudent)
    (nicole,) = family.guardians
    told = guardian.details.model_dump(mode="json", exclude_defaults=True)
    assert told == nicole.details
    told = student.details.model_dump(mode="json", exclude_defaults=True)
    assert told == family.student.details
    assert [step.step for step in family.asked(CompleteStep)] == [1]


def test_each_guardian_keeps_their_own_fields(family: Household) -> None:
    family.records_people()
    family.guardians = (a_guardian("Nicole"), a_guardian("Noé"))
    family.told()
    path = family.at("coordonnees")
    page = family.reads(path)
    assert "Responsable 2" in words(page)
    fields = changed(filled_in(page, path), **{f"{family.guardians[1].id}-profession": "Luthier"})
    family.goes_on(path, fields)
    professions = {
        asked.guardian_id: (asked.details.first_name, asked.details.profession)
        for asked in family.asked(UpdateGuardian)
    }
    assert professions == {
        family.guardians[0].id: ("Nicole", ""),
        family.guardians[1].id: ("Noé", "Luthier"),
    }


def test_a_refused_form_keeps_all_that_was_typed_and_marks_what_changed(
    family: Household,
) -> None:
    path = family.at("coordonnees")
    page = family.reads(path)
    assert "Élément modifié" not in page
    fields = changed(
        filled_in(page, path),
        **{"-profession": "Luthière", f"{family.student.id}-last_name": ""},
    )
    again = family.sends(path, fields)
    assert 'value="Luthière"' in again
    assert again.count("Élément modifié") == 2
    assert "Indiquez le nom de l'élève" in words(again)
    assert not family.asked(UpdateGuardian)


def test_one_telephone_at_least_is_asked_for_beside_its_field(family: Household) -> None:
    (nicole,) = family.guardians
    path = family.at("coordonnees")
    fields = changed(filled_in(family.reads(path), path), **{f"{nicole.id}-mobile": ""})
    page = family.sends(path, fields)
    assert f'href="#responsable-{nicole.id}-home_phone"' in page
    assert "Indiquez au moins un téléphone du responsable" in words(page)


@pytest.mark.parametrize("typed", ["nicole@maison.test", "nicole..test@familles.example"])
def test_an_address_that_identity_would_refuse_is_refused_in_the_page(
    family: Household, typed: str
) -> None:
    (nicole,) = family.guardians
    path = family.at("coordonnees")
    fields = changed(filled_in(family.reads(path), path), **{f"{nicole.id}-email": typed})
    page = family.sends(path, fields)
    assert "L'e-mail du responsable : vérifiez votre réponse" in words(page)
    assert typed in page


def test_what_is_recorded_as_changed_is_marked(family: Household) -> None:
    (nicole,) = family.guardians
    family.guardians = (nicole.model_copy(update={"changed": ("birth_on", "city")}),)
    family.told()
    page = words(family.reads(family.at("coordonnees")))
    assert page.count("Élément modifié") == 2
    assert "Élément modifié. Par exemple 22/12/2014" in page


# Step 2


def test_neither_authorisation_is_answered_beforehand(family: Household) -> None:
    family.application = an_application(family.student.id, step_reached=2).model_copy(
        update={"authorisations": None}
    )
    path = family.at("autorisations")
    page = family.reads(path)
    assert AUTHORISATIONS["fr"].image_rights in words(page)
    assert [name for name, _ in filled_in(page, path)] == ["text_version", "revision", "saisie"]
    refused = words(family.sends(path, [("image_rights", "oui"), NEXT]))
    assert "Choisissez votre réponse pour l'autorisation de sortie" in refused


def test_the_answers_are_stored_with_the_version_shown(family: Household) -> None:
    family.stands_at(2)
    family.answer({RecordAuthorisations: None})
    path = family.at("autorisations")
    assert family.goes_on(path, [*yes_to_both(), NEXT]) == family.at("documents")
    (asked,) = family.asked(RecordAuthorisations)
    assert asked.authorisations.text_version == AUTHORISATIONS["fr"].version
    assert asked.authorisations.image_rights
    assert not asked.authorisations.leaves_alone


def test_answers_to_a_text_no_longer_shown_are_asked_again(family: Household) -> None:
    family.stands_at(2)
    page = family.sends(
        family.at("autorisations"),
        changed(yes_to_both(), text_version="autorisations-2020-01"),
    )
    assert "Le texte des autorisations a changé" in words(page)
    assert ("image_rights", "oui") in filled_in(page, family.at("autorisations"))


def test_going_back_keeps_the_answers(family: Household) -> None:
    family.stands_at(2)
    family.answer({RecordAuthorisations: None})
    path, before = family.at("autorisations"), family.at("coordonnees")
    assert family.goes_on(path, [("text_version", AUTHORISATIONS["fr"].version), BACK]) == before
    assert not family.asked(RecordAuthorisations)
    assert family.goes_on(path, [*yes_to_both(), BACK]) == before
    assert len(family.asked(RecordAuthorisations)) == 1


def test_going_back_stays_with_what_cannot_be_kept(family: Household) -> None:
    family.stands_at(2)
    path = family.at("autorisations")
    half = family.sends(path, [("image_rights", "oui"), BACK])
    assert "Choisissez votre réponse pour l'autorisation de sortie" in words(half)
    assert ("image_rights", "oui") in filled_in(half, path)
    missing = Rejection("steps_missing", "L'étape 1 n'est pas terminée.")
    family.answer({RecordAuthorisations: missing})
    whole = family.sends(path, [*yes_to_both(), BACK])
    assert "L'étape 1 n'est pas terminée." in words(whole)
    assert ("leaves_alone", "non") in filled_in(whole, path)


@pytest.mark.parametrize(
    ("version", "digest"),
    [
        ("autorisations-2026-11", "9fb831e1197bf0ea"),
        ("autorisations-2026-11-en", "cda819a6a2e570d5"),
        ("acceptation-2026-11", "cef239fbf5c8ae56"),
        ("acceptation-2026-11-en", "f1486feedb59b93f"),
    ],
)
def test_other_words_are_another_version(version: str, digest: str) -> None:
    words_of = {
        **{
            text.version: f"{text.image_rights}\n{text.leaves_alone}"
            for text in AUTHORISATIONS.values()
        },
        **{text.version: text.body for text in ACCEPTANCE.values()},
    }
    assert hashlib.sha256(words_of[version].encode()).hexdigest()[:16] == digest


# Step 3


def test_the_pieces_say_what_is_expected_and_until_when(family: Household) -> None:
    family.stands_at(3)
    page = words(family.reads(family.at("documents")))
    for column in (
        "Pièces à fournir - Famille",
        "Pièces à fournir - Élève",
        "Nom du document Nom du fichier Date Heure Taille (Mo) État Consulter",
        "À fournir",
        "tarif plafond",
        "Aucune pièce n'est acceptée par e-mail",
    ):
        assert column in page
    assert f"{family.pieces.due_at.astimezone(PARIS):%d/%m/%Y à %H:%M}" in page


def test_no_piece_holds_anyone_back_even_while_documents_is_away(family: Household) -> None:
    family.stands_at(3)
    family.answer({CompleteStep: None})
    family.without(ListPieces)
    path = family.at("documents")
    assert "Les pièces à fournir sont momentanément indisponibles" in words(family.reads(path))
    assert family.goes_on(path, [NEXT]) == family.at("cours")
    assert family.goes_on(path, [BACK]) == family.at("autorisations")
    assert [step.step for step in family.asked(CompleteStep)] == [3]
