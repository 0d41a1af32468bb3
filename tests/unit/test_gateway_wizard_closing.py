"""The opening awaited, the closing come while one types, and another page that answered first."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.pages.wizard.frame import PATHS
from shared.contract import Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.enrolment import (
    CompleteStep,
    CourseChoice,
    KeptEntries,
    ListMyApplications,
    MyApplications,
    RecordAuthorisations,
    ShowApplication,
    ShowEntries,
    StartApplication,
    SubmitApplication,
)
from shared.contracts.identity import ListSites, MyFamily

from gateway import formats
from tests.forms import changed, filled_in, words
from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import SITE
from tests.wizard import DAY, NEXT, Household, household, yes_to_both

MINUTE = timedelta(minutes=1)
CLOSED = Rejection("campaign_closed", "La campagne est close.", closes_at="2027-06-30T10:00:00Z")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal, family_caller(site_id=SITE.id)) as seated:
        seated.answer({ListSites: (SITE,)})
        yield seated


# Before the opening


def waits(family: Household, opens_in: timedelta) -> str:
    family.stands_at(4, opens_in=opens_in)
    return family.reads(family.at("cours"))


def test_before_the_opening_step_4_says_when_and_what_can_be_done(family: Household) -> None:
    page = waits(family, 2 * DAY)
    opens_at = family.application.campaign.opens_at
    assert f"Le choix des cours ouvrira le {formats.instant(opens_at)}" in words(page)
    assert "Ouverture dans 47 heures" in words(page)
    for step in ("coordonnees", "autorisations", "documents"):
        assert f'<li><a class="govuk-link" href="{family.at(step)}"' in page
    assert not family.asked(CourseRows)


def test_the_page_counts_by_the_servers_clock_and_knows_where_to_ask(family: Household) -> None:
    page = waits(family, 2 * MINUTE)
    assert f'data-opening="/dossiers/{family.application.id}/ouverture"' in page
    assert f'data-leads-to="{family.at("cours")}"' in page
    (now,) = re.findall(r'data-opens-at="[^"]+"\s+data-now="([^"]+)"', page)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(now)) < MINUTE


def test_without_a_script_the_page_reloads_once_and_only_close_to_the_opening(
    family: Household,
) -> None:
    assert "http-equiv" not in waits(family, 20 * MINUTE)
    page = waits(family, 5 * MINUTE)
    (seconds,) = re.findall(
        r'<noscript><meta http-equiv="refresh" content="(\d+)"></noscript>', page
    )
    assert 300 <= int(seconds) <= 311


@pytest.mark.parametrize("opens_in", [20 * MINUTE, 5 * MINUTE])
def test_the_page_promises_to_reload_to_those_without_a_script_alone(
    family: Household, opens_in: timedelta
) -> None:
    page = waits(family, opens_in)
    promised = re.sub(r"<noscript>.*?</noscript>", "", page, flags=re.DOTALL)
    assert "elle se rechargera" not in promised
    assert ("elle se rechargera" in page) is (opens_in == 5 * MINUTE)
    assert "Revenez à partir de ce moment." in promised


@pytest.mark.parametrize(("opens_in", "is_open"), [(5 * MINUTE, False), (-MINUTE, True)])
def test_whether_it_is_open_is_told_to_the_script(
    family: Household, opens_in: timedelta, is_open: bool
) -> None:
    opening = family.stands_at(4, opens_in=opens_in)
    path = f"/dossiers/{opening.id}/ouverture"
    answer = family.client.get(path, headers={"accept": "application/json"}).json()
    assert answer["is_open"] is is_open
    assert datetime.fromisoformat(answer["opens_at"]) == opening.campaign.opens_at


def test_the_script_is_told_to_wait_while_enrolment_is_away(family: Household) -> None:
    opening = family.stands_at(4)
    family.without(ShowApplication)
    path = f"/dossiers/{opening.id}/ouverture"
    assert family.client.get(path, headers={"accept": "application/json"}).status_code == 503


# The last minutes


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5])
def test_the_last_minutes_are_said_on_every_step(family: Household, step: int) -> None:
    family.stands_at(5, closes_in=8 * MINUTE)
    page = family.reads(family.at(PATHS[step]))
    assert "La campagne ferme le" in said_by_itself(page)
    assert "dans 7 minutes" in said_by_itself(page)

    family.stands_at(5, closes_in=DAY)
    assert said_by_itself(family.reads(family.at(PATHS[step]))) == ""


def test_what_the_script_says_at_the_closing_is_in_the_page(family: Household) -> None:
    family.stands_at(5, closes_in=DAY)
    page = family.reads(family.at("recapitulatif")).replace("\u00a0", " ")
    closes_at = formats.instant(family.application.campaign.closes_at)
    assert f'data-closed="La campagne de réinscription est close depuis le {closes_at}."' in page


def said_by_itself(page: str) -> str:
    """What the region of the last minutes holds, which is there beforehand to be heard."""
    unseen = re.compile(r"<template>.*?</template>", re.DOTALL)
    _before, _region, after = page.partition('<div role="status" data-closes-at')
    return words(unseen.sub("", after.partition(">")[2].partition("<span")[0])).strip()


# After the closing


def answered_too_late(family: Household, path: str, page: str) -> str:
    """What a page sent too late is answered, which says what became of it and whom to ask."""
    shown = words(page)
    assert "La campagne de réinscription est close" in shown
    assert "Votre envoi n'a pas été enregistré." in shown
    assert SITE.phone in shown
    assert f'href="/dossiers/{family.application.id}/brouillon"' in page
    assert f'action="{path}"' not in page
    typed = re.search(r"<textarea[^>]* readonly>([^<]*)", page)
    return words(typed[1]) if typed else ""


def test_coordinates_sent_after_the_closing_are_given_back(family: Household) -> None:
    path = family.at("coordonnees")
    fields = changed(filled_in(family.reads(path), path), **{"-profession": "Luthière"})
    closed = family.stands_at(1, closes_in=-MINUTE)
    family.application = closed.model_copy(update={"id": family.application.id})
    path = family.at("coordonnees")
    typed = answered_too_late(family, path, family.sends(path, fields, status=409))
    assert "Responsable, Profession : Luthière" in typed
    assert "Élève, Ville : Meudon" in typed


@pytest.mark.parametrize(
    ("step", "fields", "given_back"),
    [
        (2, yes_to_both(), "Autorisation de sortie : Non"),
        (3, [], ""),
        (4, [("remarks", "Alto, puis cor")], "Information complémentaire : Alto, puis cor"),
        (4, [("remarks", "oui")], "Information complémentaire : oui"),
        (5, [("remarks", "Alto, puis cor")], "Information complémentaire : Alto, puis cor"),
    ],
)
def test_whatever_is_sent_after_the_closing_is_given_back(
    family: Household, step: int, fields: list[tuple[str, str]], given_back: str
) -> None:
    family.stands_at(5, closes_in=-MINUTE)
    family.answer({RecordAuthorisations: CLOSED, CompleteStep: CLOSED})
    path = family.at(PATHS[step])
    page = family.sends(path, [*fields, NEXT], status=409)
    assert given_back in answered_too_late(family, path, page)


def test_a_request_validated_after_the_closing_is_said_not_to_be_sent(family: Household) -> None:
    family.stands_at(5)
    path = family.at("recapitulatif")
    fields = changed(filled_in(family.reads(path), path), accepted="oui", remarks="Alto")
    family.answer({SubmitApplication: CLOSED})
    page = family.sends(path, [*fields, ("accepted", "oui"), NEXT], status=409)
    assert "Information complémentaire : Alto" in answered_too_late(family, path, page)
    assert "30/06/2027 à 12:00" in words(page)


def test_a_wish_after_the_closing_says_whom_to_ask(family: Household) -> None:
    draft = family.application
    family.answer({StartApplication: CLOSED})
    fields = [("campaign_id", str(draft.campaign.id)), ("application_id", str(draft.id))]
    page = family.sends(f"/reinscription/{family.student.id}/souhaite", fields, status=409)
    assert "Votre envoi n'a pas été enregistré." in words(page)
    assert SITE.phone in page
    assert "/brouillon" not in page


def test_a_refusal_after_the_closing_is_not_asked_to_be_confirmed(family: Household) -> None:
    family.stands_at(1, closes_in=-MINUTE)
    campaign = family.application.campaign
    path = f"/reinscription/{family.student.id}/ne-souhaite-pas"
    family.answer({ListMyApplications: MyApplications(campaign=campaign, applications=())})
    page = words(family.reads(path, status=409))
    assert f"Elle s'est terminée le {formats.instant(campaign.closes_at)}." in page
    assert "Votre envoi" not in page
    assert SITE.phone in page
    mine = MyApplications(campaign=campaign, applications=(family.application,))
    family.answer({ListMyApplications: mine})
    assert family.is_led(path) == f"/dossiers/{family.application.id}/brouillon"


def test_a_draft_left_at_closing_is_read_and_no_step_of_it_is_done(family: Household) -> None:
    choice = CourseChoice(follow_id=family.student.id, re_enrol=True, label="FM 2.1 (33)")
    left = family.stands_at(5, opens_in=-30 * DAY, closes_in=-MINUTE)
    family.application = left.model_copy(update={"choices": (choice,), "remarks": "Alto"})
    path = f"/dossiers/{left.id}/brouillon"
    for step in range(1, 6):
        assert family.is_led(family.at(PATHS[step])) == path
    assert family.is_led(f"/dossiers/{left.id}") == path
    page = family.reads(path)
    shown = words(page)
    assert "votre demande n'a pas été transmise" in shown
    for text in ("Émile", "Nicole", "Droit à l'image Oui", "FM 2.1 (33)", "Alto", SITE.phone):
        assert text in shown
    assert "Modifier" not in shown
    assert page.count("<form") == 1  # to sign out


def test_a_draft_left_at_closing_shows_what_was_typed_and_not_recorded(family: Household) -> None:
    left = family.stands_at(4, closes_in=-MINUTE)
    kept = KeptEntries(entries=(("remarks", "Alto, puis cor"),), typed_at=datetime.now(UTC))
    family.answer({ShowEntries: lambda asked: kept if asked.step == 4 else None})
    page = words(family.reads(f"/dossiers/{left.id}/brouillon"))
    assert "Ce que vous aviez saisi sans l'enregistrer" in page
    assert "Information complémentaire : Alto, puis cor" in page


def test_a_draft_left_at_closing_does_not_show_again_what_is_recorded(family: Household) -> None:
    left = family.stands_at(4)
    path = family.at("coordonnees")
    people = changed(filled_in(family.reads(path), path), **{"-profession": "Luthière"})
    entries = {
        1: people,
        2: [("image_rights", "oui"), ("leaves_alone", "oui")],
        4: [("remarks", "Alto,\r\npuis cor")],
    }
    closed = left.campaign.model_copy(update={"closes_at": datetime.now(UTC) - MINUTE})
    changes = {"campaign": closed, "remarks": "Alto,\npuis cor"}
    family.application = left.model_copy(update=changes)
    now = datetime.now(UTC)
    family.answer(
        {ShowEntries: lambda asked: KeptEntries(entries=entries[asked.step], typed_at=now)}
    )
    page = family.reads(f"/dossiers/{left.id}/brouillon")
    (unsent,) = re.findall(r"<textarea[^>]* readonly>([^<]*)", page)
    assert [words(line) for line in unsent.splitlines()] == [
        "Responsable, Profession : Luthière",
        "Autorisation de sortie : Oui",
    ]


def test_a_draft_left_at_closing_does_without_identity(family: Household) -> None:
    left = family.stands_at(5, closes_in=-MINUTE)
    family.without(MyFamily)
    page = words(family.reads(f"/dossiers/{left.id}/brouillon"))
    assert "votre demande n'a pas été transmise" in page
    assert "Les coordonnées sont momentanément indisponibles" in page


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_what_was_not_left_at_closing_is_no_draft_to_read(family: Household, state: str) -> None:
    stands = family.stands_at(5, state=state)
    assert family.is_led(f"/dossiers/{stands.id}/brouillon") != f"/dossiers/{stands.id}/brouillon"


# Another page, or the other guardian, answered first


@pytest.mark.parametrize(
    ("step", "fields", "given_back"),
    [
        (2, [("image_rights", "oui")], "Droit à l'image : Oui"),
        (4, [("remarks", "Alto")], "Information complémentaire : Alto"),
        (5, [("remarks", "Alto")], "Information complémentaire : Alto"),
    ],
)
def test_what_is_sent_to_a_request_already_filed_is_given_back(
    family: Household, step: int, fields: list[tuple[str, str]], given_back: str
) -> None:
    family.stands_at(6, state="submitted")
    page = family.sends(family.at(PATHS[step]), [*fields, NEXT], status=409)
    assert "Cette demande a déjà été transmise" in words(page)
    assert "MEU-2027-000042-1" in page
    assert given_back in words(page)
    assert f'href="{family.at("finalisation")}"' in page
    assert "Voir la demande, la modifier ou la retirer" in words(page)


def test_what_is_sent_to_a_request_declined_meanwhile_says_so(family: Household) -> None:
    family.stands_at(4, state="declined")
    page = family.sends(family.at("cours"), [("remarks", "Alto"), NEXT], status=409)
    assert "Un refus a été enregistré entre-temps" in words(page)
    assert "Information complémentaire : Alto" in words(page)
