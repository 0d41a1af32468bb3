"""Full courses at step 4, and their waiting lists (S62, S66)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from shared.contract import Rejection
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    Hold,
    HoldSeats,
    JoinWaitingList,
    LeaveWaitingList,
    ReleaseSeat,
)
from shared.contracts.enrolment import RecordCourseChoices
from shared.identifiers import new_id

from tests.forms import Fields, filled_in, words
from tests.portal import Portal
from tests.wizard import NEXT, Household, a_hold, a_place, a_row, a_slot, grant, household, in_turn

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left=3)
FULL = a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30", seats_left=0).model_copy(update={"waiting": 2})
JOIN = "Rejoindre la liste d'attente"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(4)
        seated.answer({HoldSeats: grant(THURSDAY), RecordCourseChoices: None})
        seated.answer({JoinWaitingList: a_place(FULL), LeaveWaitingList: None, ReleaseSeat: None})
        yield seated


def shown(family: Household, *rows: CourseRow) -> str:
    family.answer({CourseRows: rows})
    return family.reads(family.at("cours"))


def open_lists(page: str) -> list[str]:
    """Give the courses whose waiting list the page shows to be joined."""
    return re.findall(r'data-waiting-list-of="([^"]+)">', page)


def joining(page: str, path: str, row: CourseRow, **more: str) -> Fields:
    """Press the button of the full course, the page as it is but for ``more``."""
    kept = [pair for pair in filled_in(page, path) if pair[0] not in more]
    return [*kept, *more.items(), ("rejoindre", f"{row.follow_id}.{FULL.course_id}")]


def test_a_full_slot_stays_visible_with_its_waiting_list(family: Household) -> None:
    row = a_row(THURSDAY, FULL)
    page = shown(family, row)
    assert f"{FULL.label} Complet" in words(page)
    assert f"{FULL.label} : complet, 2 en attente {JOIN} : {FULL.label}, FM 1.4 (12)" in words(page)
    assert f'value="{row.follow_id}.{FULL.course_id}"' in page


def test_the_list_of_a_slot_with_seats_is_shown_once_it_fills_up_alone(family: Household) -> None:
    page = shown(family, a_row(THURSDAY, FULL))
    assert open_lists(page) == [str(FULL.course_id)]
    assert f'data-waiting-list-of="{THURSDAY.course_id}" hidden' in page


def test_joining_keeps_everything_typed_and_the_present_seat(family: Household) -> None:
    follow_id = new_id()
    hold = a_hold(THURSDAY, follow_id)
    row = a_row(THURSDAY, FULL, follow_id=follow_id, hold=hold)
    path = family.at("cours")
    fields = joining(shown(family, row), path, row, remarks="Alto")
    joined = row.model_copy(update={"waiting": (a_place(FULL),)})
    family.answer({CourseRows: in_turn((row,), (joined,))})
    page = family.sends(path, fields, status=200)
    assert f"Vous êtes 3e sur la liste d'attente de {FULL.label}." in words(page)
    assert f"3e sur la liste d'attente : {FULL.label}" in words(page)
    assert 'href="/liste-attente"' in page
    assert not open_lists(page)
    kept = filled_in(page, path)
    assert ("remarks", "Alto") in kept
    assert (f"cours-{row.follow_id}-course_id", str(THURSDAY.course_id)) in kept
    (asked,) = family.asked(JoinWaitingList)
    assert (asked.student_id, asked.follow_id, asked.course_id) == (
        family.student.id,
        row.follow_id,
        FULL.course_id,
    )
    assert not family.asked(HoldSeats)
    assert not family.asked(ReleaseSeat)


def test_joining_means_to_re_enrol(family: Household) -> None:
    row, path = a_row(FULL), family.at("cours")
    page = family.sends(path, joining(shown(family, row), path, row), status=200)
    assert (f"cours-{row.follow_id}-re_enrol", "oui") in filled_in(page, path)


def test_a_page_not_finished_yet_may_join(family: Household) -> None:
    row, path = a_row(THURSDAY, FULL), family.at("cours")
    ticked = (f"cours-{row.follow_id}-re_enrol", "oui")
    fields = joining(shown(family, row), path, row)
    assert "Il y a un problème" not in family.sends(path, [ticked, *fields], status=200)


def test_the_same_page_joins_once(family: Household) -> None:
    row, path = a_row(FULL), family.at("cours")
    fields = joining(shown(family, row), path, row)
    for _ in range(2):
        family.sends(path, fields, status=200)
    first, second = family.asked(JoinWaitingList)
    assert first == second


def test_joining_again_from_a_page_older_than_leaving_takes_a_new_place(
    family: Household,
) -> None:
    row, path = a_row(FULL), family.at("cours")
    ended = Rejection("place_ended", "Cette demande a déjà servi.")
    family.answer({JoinWaitingList: in_turn(ended, a_place(FULL))})
    family.sends(path, joining(shown(family, row), path, row), status=200)
    first, second = family.asked(JoinWaitingList)
    assert first.place_id != second.place_id


@pytest.mark.parametrize("code", ["course_not_full", "already_held"])
def test_why_a_list_cannot_be_joined_is_said_beside_the_row(family: Household, code: str) -> None:
    row, path = a_row(THURSDAY, FULL), family.at("cours")
    fields = joining(shown(family, row), path, row, remarks="Alto")
    family.answer({JoinWaitingList: Rejection(code, "Une place est libre : choisissez-la.")})
    page = family.sends(path, fields)
    assert words(page).count("Une place est libre : choisissez-la.") == 2
    assert f'href="#cours-{row.follow_id}-course_id"' in page
    assert ("remarks", "Alto") in filled_in(page, path)


@pytest.mark.parametrize("value", ["x", f"{new_id()}.{new_id()}", "."])
def test_a_row_that_the_page_does_not_have_is_not_found(family: Household, value: str) -> None:
    shown(family, a_row(FULL))
    family.sends(family.at("cours"), [("rejoindre", value)], status=404)
    assert not family.asked(JoinWaitingList)


def test_an_offer_is_shown_with_its_end_and_where_to_answer(family: Household) -> None:
    until = datetime(2027, 6, 1, 10, 0, tzinfo=UTC)
    page = shown(family, a_row(THURSDAY, FULL, waiting=(a_place(FULL, offered_until=until),)))
    assert "Une place vous est proposée jusqu'au 01/06/2027 à 12:00" in words(page)
    assert 'href="/liste-attente"' in page
    assert not open_lists(page)


def test_a_place_already_offered_is_said_to_who_joins_again(family: Household) -> None:
    row, path = a_row(FULL), family.at("cours")
    fields = joining(shown(family, row), path, row)
    until = datetime.now(UTC) + timedelta(hours=3)
    family.answer({JoinWaitingList: a_place(FULL, offered_until=until)})
    page = words(family.sends(path, fields, status=200))
    assert f"Une place vous est proposée dans {FULL.label} jusqu'au" in page


def test_where_all_is_full_the_row_goes_on_without_a_seat(family: Household) -> None:
    row, path = a_row(FULL), family.at("cours")
    page = words(shown(family, row))
    assert "Tous les créneaux sont complets" in page
    assert JOIN in page
    family.goes_on(path, [(f"cours-{row.follow_id}-re_enrol", "oui"), NEXT])
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.label for choice in recorded.choices] == [
        "FM 1.4 (12) : tous les créneaux sont complets, sans place pour l'instant"
    ]


def test_a_row_that_waits_may_go_on_without_another_slot(family: Household) -> None:
    row, path = a_row(THURSDAY, FULL, waiting=(a_place(FULL),)), family.at("cours")
    page = shown(family, row)
    assert "Aucun pour l'instant : j'attends une place" in words(page)
    family.goes_on(path, [*filled_in(page, path), NEXT])
    (recorded,) = family.asked(RecordCourseChoices)
    assert [(choice.re_enrol, choice.label) for choice in recorded.choices] == [
        (True, "FM 1.4 (12) : en liste d'attente, sans place pour l'instant")
    ]
    assert not family.asked(HoldSeats)
    assert not family.asked(LeaveWaitingList)


def test_a_row_that_waits_may_give_its_seat_back_and_go_on_waiting(family: Household) -> None:
    follow_id, path = new_id(), family.at("cours")
    hold = a_hold(THURSDAY, follow_id)
    shown(family, a_row(THURSDAY, FULL, follow_id=follow_id, hold=hold, waiting=(a_place(FULL),)))
    family.goes_on(
        path, [(f"cours-{follow_id}-re_enrol", "oui"), (f"cours-{follow_id}-course_id", ""), NEXT]
    )
    assert family.asked(ReleaseSeat) == [ReleaseSeat(hold_id=hold.id)]


def test_a_course_no_longer_ticked_leaves_its_waiting_lists(family: Household) -> None:
    place = a_place(FULL)
    row, path = a_row(THURSDAY, FULL, waiting=(place,)), family.at("cours")
    shown(family, row)
    family.goes_on(path, [NEXT])
    assert family.asked(LeaveWaitingList) == [LeaveWaitingList(place_id=place.id)]


def test_a_seat_given_by_the_secretariat_is_shown_and_kept(family: Household) -> None:
    follow_id, path = new_id(), family.at("cours")
    claimed: Hold = a_hold(THURSDAY, follow_id).model_copy(update={"state": "claimed"})
    row = a_row(THURSDAY, FULL, follow_id=follow_id, hold=claimed)
    family.answer({HoldSeats: (claimed,)})
    page = shown(family, row.model_copy(update={"claimed": claimed}))
    assert f"Place gardée pour votre demande : {THURSDAY.label}. Elle le reste" in words(page)
    family.goes_on(path, [*filled_in(page, path), NEXT])
    (asked,) = family.asked(HoldSeats)
    assert [each.course_ids for each in asked.requests] == [(claimed.course_id,)]
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.hold_id for choice in recorded.choices] == [claimed.id]
