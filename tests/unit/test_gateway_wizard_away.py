"""A session that expired, a service that is away: every step says what happened, what was kept and
what to do (S6, S71).
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from gateway.pages.wizard.frame import PATHS
from gateway.people import ACCESS_COOKIE
from gateway.texts import ACCEPTANCE
from shared.contracts.courses import CourseRows
from shared.contracts.enrolment import CompleteStep
from shared.contracts.identity import ListSites

from tests.forms import Fields, words
from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import SITE
from tests.wizard import NEXT, Household, a_row, a_slot, household, yes_to_both

_SLOT = a_slot()
_ROW = a_row(_SLOT)
_TYPED: dict[int, Fields] = {
    1: [("responsable-01a20334-cbca-736e-89bb-b03ae7685731-profession", "Luthière")],
    2: yes_to_both(),
    3: [("direction", "suite")],
    4: [
        (f"cours-{_ROW.follow_id}-re_enrol", "oui"),
        (f"cours-{_ROW.follow_id}-course_id", str(_SLOT.course_id)),
        ("remarks", "Alto, puis cor"),
    ],
    5: [
        ("accepted", "oui"),
        ("text_version", ACCEPTANCE["fr"].version),
        ("remarks", "Alto, puis cor"),
    ],
}
_NEEDS = {
    1: {"identity", "enrolment"},
    2: {"enrolment"},
    3: {"enrolment"},
    4: {"enrolment", "courses"},
    5: {"enrolment"},
    6: {"enrolment"},
}
"""The services that each step is nothing without."""
_SERVICES = ("identity", "enrolment", "documents", "courses", "notifications")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal, family_caller(site_id=SITE.id)) as seated:
        seated.answer({ListSites: (SITE,), CourseRows: (_ROW,), CompleteStep: None})
        seated.stands_at(5)
        yield seated


def loses(portal: Portal, service: str) -> None:
    """Have a service away, once its sites are known."""
    answers = portal.services.answers
    kept = {question: answers[question] for question in answers if question.owner != service}
    portal.services.answers = {**kept, ListSites: (SITE,)}


@pytest.mark.parametrize("step", _TYPED)
def test_a_session_that_expired_keeps_what_was_typed_at_each_step(
    family: Household, step: int
) -> None:
    path = family.at(PATHS[step])
    family.reads(path)
    family.client.cookies.delete(ACCESS_COOKIE)
    page = family.sends(path, [*_TYPED[step], NEXT], status=401)
    assert "Votre session a expiré" in words(page)
    assert f'name="suite" value="{path}"' in page
    carried = dict(re.findall(r'name="garde-([^"]+)" value="([^"]*)"', page))
    assert {name: unescape(text) for name, text in carried.items()} == dict([*_TYPED[step], NEXT])


def test_a_file_of_a_session_that_expired_is_to_be_chosen_again(family: Household) -> None:
    path = f"{family.at('documents')}/domicile"
    family.reads("/mentions-legales")
    family.client.cookies.delete(ACCESS_COOKIE)
    answer = family.uploads(path, [], "facture.pdf", b"%PDF-1.7")
    assert answer.status_code == 401
    assert "Vous choisirez de nouveau votre fichier" in words(answer.text)
    assert f'name="suite" value="{path}"' in answer.text


@pytest.mark.parametrize("service", _SERVICES)
@pytest.mark.parametrize("step", range(1, 7))
def test_a_step_says_what_is_away_what_is_kept_and_what_to_do(
    portal: Portal, family: Household, step: int, service: str
) -> None:
    family.stands_at(max(step, 5), **({"state": "submitted"} if step == 6 else {}))
    path = family.at(PATHS[step])
    loses(portal, service)
    is_away = service in _NEEDS[step]
    page = family.reads(path, status=503 if is_away else 200)
    if is_away:
        shown = words(page)
        assert "momentanément indisponibles" in shown
        assert "Ce que vous avez déjà enregistré est conservé." in shown
        assert f'href="{path}">Recharger la page' in page
        assert SITE.phone in shown


@pytest.mark.parametrize(
    ("step", "service"),
    [(step, service) for step in _TYPED for service in sorted(_NEEDS[step])],
)
def test_what_is_sent_while_a_service_is_away_is_given_back_to_send_again(
    portal: Portal, family: Household, step: int, service: str
) -> None:
    path = family.at(PATHS[step])
    family.reads(path)
    loses(portal, service)
    page = family.sends(path, [*_TYPED[step], NEXT], status=503)
    shown = words(page)
    assert "momentanément indisponibles" in shown
    assert "Vos réponses sont conservées dans cette page" in shown
    assert "Réessayer" in shown
    kept = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    assert {(name, unescape(text)) for name, text in kept} >= {*_TYPED[step], NEXT}


def test_the_page_that_awaits_the_opening_does_without_identity(
    portal: Portal, family: Household
) -> None:
    family.stands_at(4, opens_in=timedelta(hours=2))
    loses(portal, "identity")
    page = words(family.reads(family.at("cours")))
    assert "Le choix des cours ouvrira le" in page
    assert "Les coordonnées sont momentanément indisponibles" in page


def test_an_error_of_ours_gives_back_what_was_typed(family: Household) -> None:
    def fails(_: object) -> object:
        raise KeyError("ours")

    family.answer({CompleteStep: fails})
    page = family.sends(family.at("documents"), [("remarks", "Alto"), NEXT], status=500)
    assert "Vos réponses sont conservées dans cette page" in words(page)
    assert 'name="remarks" value="Alto"' in page
    assert SITE.phone in page
