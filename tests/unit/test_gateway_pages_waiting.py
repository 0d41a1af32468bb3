import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import (
    AcceptOffer,
    CourseRows,
    Hold,
    LeaveWaitingList,
    MyWaitingPlaces,
    WaitingPlace,
)
from shared.contracts.enrolment import ApplicationState, ListMyApplications, MyApplications
from shared.contracts.identity import MyFamily
from shared.identifiers import new_id

from gateway import formats
from tests.forms import filled_in, words
from tests.portal import Portal
from tests.portal_reader import a_place, offered
from tests.wizard import Household, a_hold, a_row, a_slot, household

PATH = "/liste-attente"
TUESDAY = "FM 2.1 (35) - MARDI - 17.00 à 18.30"
PRESENT = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.answer({MyWaitingPlaces: (), LeaveWaitingList: None})
        yield seated


def waits(family: Household, *, holds: bool = True) -> WaitingPlace:
    """Have the family's student wait for Tuesday, with or without a seat on Thursday."""
    row = a_row(PRESENT)
    hold = a_hold(PRESENT, row.follow_id) if holds else None
    place = a_place(family.student.id, TUESDAY, follow_id=row.follow_id)
    family.answer({MyWaitingPlaces: (place,), CourseRows: (row.model_copy(update={"hold": hold}),)})
    return place


def is_offered(family: Household, *, holds: bool = True) -> WaitingPlace:
    """Have a seat on Tuesday offered to the family's student."""
    offer = offered(waits(family, holds=holds))
    family.answer({MyWaitingPlaces: (offer,)})
    return offer


def obtains(family: Household, place: WaitingPlace, state: ApplicationState) -> Hold:
    """Have courses give the seat offered, as it does for an application in this state."""
    application = family.stands_at(5 if state == "draft" else 6, state=state)
    mine = MyApplications(campaign=application.campaign, applications=(application,))
    hold = a_hold(a_slot(place.label), place.follow_id, place.id).model_copy(
        update={
            "student_id": place.student_id,
            "state": "held" if state == "draft" else "claimed",
        }
    )
    row = a_row(follow_id=place.follow_id, hold=hold)
    family.answer({AcceptOffer: hold, ListMyApplications: mine, CourseRows: (row,)})
    return hold


# The list


def test_a_place_says_whose_it_is_its_course_its_rank_and_since_when(family: Household) -> None:
    place = waits(family)
    page = words(family.reads(PATH))
    assert "Émile TEST : en attente" in page
    assert f"Cours {TUESDAY}" in page
    assert "Rang 3e" in page
    assert "Depuis le 22/12/2026 à 16:30" in page
    assert f"Place actuelle {PRESENT.label}" in page
    assert "Quitter la liste d'attente" in page
    assert "Accepter" not in page
    assert family.asked(CourseRows) == [
        CourseRows(campaign_id=place.campaign_id, student_id=place.student_id)
    ]


def test_offers_come_first_and_say_until_when_and_what_they_replace(family: Household) -> None:
    offer = is_offered(family)
    other = a_place(family.student.id, "Piano 2 (4) - LUNDI - 17.00 à 17.30", rank=1)
    family.answer({MyWaitingPlaces: (offer, other)})
    page = words(family.reads(PATH))
    assert offer.offered_until
    assert f"Répondre avant le {formats.instant(offer.offered_until)}, encore 5 heures" in page
    assert f"cette place remplace {PRESENT.label}" in page
    assert page.index("Accepter cette place") < page.index("Piano 2 (4)")


def test_an_offer_that_replaces_nothing_does_not_speak_of_it(family: Household) -> None:
    is_offered(family, holds=False)
    page = words(family.reads(PATH))
    assert "Place actuelle Aucune pour ce cours" in page
    assert "remplace" not in page


def test_without_any_place_the_page_says_how_to_have_one(family: Household) -> None:
    page = words(family.reads(PATH))
    assert "Vous n'êtes sur aucune liste d'attente." in page
    assert "étape Cours" in page
    assert not family.asked(CourseRows)


def test_what_several_places_offer_to_do_never_reads_the_same(family: Household) -> None:
    offer, place = is_offered(family), a_place(family.student.id, "Piano 2 (4)")
    others = [offer.model_copy(update={"id": new_id(), "label": "Solfège (9)"}), place]
    family.answer({MyWaitingPlaces: (offer, *others)})
    main = family.reads(PATH).split("<main")[1]
    acts = [words(act) for act in re.findall(r"(?s)<(?:button|a)\b.*?</(?:button|a)>", main)]
    assert len([act for act in acts if "Émile TEST" in act]) == 5
    assert len(set(acts)) == len(acts)


def test_names_and_present_seats_that_are_away_do_not_take_the_list_down(
    family: Household,
) -> None:
    is_offered(family)
    family.without(MyFamily, CourseRows)
    page = words(family.reads(PATH))
    assert "l'élève : place proposée" in page
    assert "Place actuelle Non affichée pour le moment" in page
    assert "Les coordonnées sont momentanément indisponibles" in page
    assert "Les places sont momentanément indisponibles" in page


def test_a_student_that_courses_knows_elsewhere_does_not_take_the_list_down(
    family: Household,
) -> None:
    waits(family)
    family.answer({CourseRows: Rejection.not_found()})
    assert "Rang 3e" in words(family.reads(PATH))


def test_without_courses_there_is_no_list(family: Household) -> None:
    family.without(MyWaitingPlaces)
    page = family.reads(PATH, status=503)
    assert "Les cours et les places sont momentanément indisponibles" in words(page)


# Accepting


@pytest.mark.parametrize(
    ("state", "said", "step"),
    [
        ("draft", "transmettez votre demande de réinscription avant cette heure", "recapitulatif"),
        ("submitted", "Elle remplace la précédente dans votre demande", "finalisation"),
    ],
)
def test_an_offer_is_accepted_and_leads_on_with_the_application(
    family: Household, state: ApplicationState, said: str, step: str
) -> None:
    offer = is_offered(family)
    accept = f"{PATH}/{offer.id}/accepter"
    assert filled_in(family.reads(PATH), accept) == []
    hold = obtains(family, offer, state)
    shown = family.goes_on(accept, [])
    assert family.asked(AcceptOffer) == [AcceptOffer(place_id=offer.id)]
    page = family.reads(shown)
    assert f"Vous avez accepté la place : {TUESDAY}" in words(page)
    assert said in words(page)
    assert (formats.instant(hold.expires_at) in words(page)) == (state == "draft")
    assert f'href="{family.at(step)}"' in page.split('id="place-acceptee"')[1]


def test_a_seat_given_up_since_is_not_said_to_be_accepted(family: Household) -> None:
    hold = obtains(family, is_offered(family), "draft")
    family.answer({CourseRows: ()})
    page = family.reads(f"/eleves/{family.student.id}/reinscription?obtenue={hold.id}")
    assert "Vous avez accepté" not in words(page)


@pytest.mark.parametrize(
    ("code", "now"),
    [
        ("offer_ended", "Jusqu'à la clôture, vous pouvez rejoindre de nouveau la liste"),
        ("not_offered", "Un e-mail vous préviendra"),
        ("same_time", "La place vous reste proposée jusqu'à l'heure indiquée"),
        ("campaign_closed", ""),
    ],
)
def test_a_refusal_says_what_happened_and_what_to_do(
    family: Household, code: str, now: str
) -> None:
    offer = is_offered(family)
    family.answer({AcceptOffer: Rejection(code, "Ce que dit courses.")})
    page = words(family.sends(f"{PATH}/{offer.id}/accepter", [], status=409))
    assert "Il y a un problème" in page
    assert f"Ce que dit courses. {now}".strip() in page
    assert TUESDAY in page


# Leaving, and refusing


def test_leaving_is_confirmed_then_done(family: Household) -> None:
    place = waits(family)
    path = f"{PATH}/{place.id}/quitter"
    asked = family.reads(path)
    assert "vous perdez ce rang" in words(asked)
    assert f"La place actuelle ne change pas : {PRESENT.label}" in words(asked)
    assert not family.asked(LeaveWaitingList)
    listed = family.goes_on(path, filled_in(asked, path))
    assert family.asked(LeaveWaitingList) == [LeaveWaitingList(place_id=place.id)]
    assert "Vous avez quitté cette liste d'attente" in words(family.reads(listed))


def test_refusing_an_offer_is_confirmed_then_done(family: Household) -> None:
    offer = is_offered(family)
    path = f"{PATH}/{offer.id}/quitter"
    asked = family.reads(path)
    assert "elle est aussitôt proposée à l'élève suivant" in words(asked)
    listed = family.goes_on(path, filled_in(asked, path))
    assert family.asked(LeaveWaitingList) == [LeaveWaitingList(place_id=offer.id)]
    assert "Vous avez refusé la place" in words(family.reads(listed))


def test_a_seat_offered_meanwhile_is_not_refused_unseen(family: Household) -> None:
    place = waits(family)
    path = f"{PATH}/{place.id}/quitter"
    leaving = filled_in(family.reads(path), path)
    family.answer({MyWaitingPlaces: (offered(place),)})
    again = family.sends(path, leaving, status=200)
    assert not family.asked(LeaveWaitingList)
    assert "cette place vous a été proposée" in words(again)
    assert "Refuser la place proposée" in words(again)
    assert family.goes_on(path, filled_in(again, path)) == f"{PATH}?fait=refusee"


def test_leaving_twice_is_harmless(family: Household) -> None:
    place = waits(family)
    path = f"{PATH}/{place.id}/quitter"
    leaving = filled_in(family.reads(path), path)
    first = family.goes_on(path, leaving)
    family.answer({MyWaitingPlaces: ()})
    assert family.goes_on(path, leaving) == first


# Others' places


@pytest.mark.parametrize("act", ["accepter", "quitter"])
def test_a_place_that_is_not_ones_own_is_not_found_and_ones_own_are_listed(
    family: Household, act: str
) -> None:
    own, not_found = waits(family), Rejection.not_found()
    family.answer({AcceptOffer: not_found, LeaveWaitingList: not_found})
    page = words(family.sends(f"{PATH}/{new_id()}/{act}", [], status=404))
    assert "Cette place n'est plus sur vos listes d'attente" in page
    assert own.label in page


def test_nor_is_its_leaving_confirmed(family: Household) -> None:
    page = words(family.reads(f"{PATH}/{new_id()}/quitter", status=404))
    assert "Cette place n'est plus sur vos listes d'attente" in page


def test_an_acceptance_that_may_be_lost_can_be_sent_again(family: Household) -> None:
    offer = is_offered(family)
    family.answer({AcceptOffer: ServiceUnavailable("courses", maybe_recorded=True)})
    page = family.sends(f"{PATH}/{offer.id}/accepter", [], status=503)
    assert "rien ne sera enregistré deux fois" in words(page)
    assert f'action="{PATH}/{offer.id}/accepter"' in page


# Words


@pytest.mark.parametrize(("rank", "text"), [(1, "1er"), (2, "2e"), (21, "21e")])
def test_a_rank_is_written_in_french(rank: int, text: str) -> None:
    assert formats.rank(rank) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(hours=24), "24 heures"),
        (timedelta(hours=1, minutes=59), "1 heure"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(seconds=59), "moins d'une minute"),
        (timedelta(seconds=-1), "moins d'une minute"),
    ],
)
def test_the_time_left_is_never_overstated(left: timedelta, text: str) -> None:
    now = datetime.now(UTC)
    assert formats.time_left(now + left, now).replace("\u00a0", " ") == text
