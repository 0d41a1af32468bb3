"""A request that is modified: its seats stay until those that replace them are claimed (S74)."""

from datetime import time
from uuid import uuid4

import pytest
from courses.book import Claimed, Freed, Kept, Placed
from courses.seats import MARGIN, Course, Row, Seat
from shared.contract import Rejection

from tests.allocations import (
    MINUTE,
    NOW,
    Register,
    accept,
    course,
    decline,
    expire,
    hold,
    is_live,
    join,
    place,
    release,
    row,
    submit,
    together,
)

LATER = NOW + MINUTE
LAST = LATER + MINUTE


@pytest.fixture
def register() -> Register:
    return Register()


def tuesday() -> Course:
    return course(weekday="MARDI")


def filed(register: Register, of: Row, wanted: Course) -> Seat:
    """A row whose request was submitted with a seat."""
    (held,) = register.ask(hold(of, wanted))
    (claimed,) = register.ask(submit(of, held.id))
    return claimed


def live(register: Register) -> set[Seat]:
    return {seat for seat in register.seats.values() if is_live(seat)}


def test_another_slot_is_held_beside_the_claimed_one(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    assert (held.course_id, held.state) == (other.id, "held")
    assert live(register) == {claimed, held}
    assert (register.taken(mine), register.taken(other)) == (1, 1)


def test_a_new_request_swaps_them_in_one_act(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    submitted = submit(of, held.id, at=LATER)
    allocation = register.settle(submitted, at=LATER)
    assert live(register) == {held._replace(state="claimed")}
    assert (register.taken(mine), register.taken(other)) == (0, 1)
    assert allocation.facts == (
        Claimed(submitted.application_id, (held.id,), (), (claimed.id,), LATER),
    )


def test_a_slot_that_is_full_leaves_the_claimed_one_as_it_is(register: Register) -> None:
    mine, full, of = register.open(), register.open(0, of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    with pytest.raises(Rejection, match="course_full"):
        register.ask(hold(of, full), at=LATER)
    assert live(register) == {claimed}


def test_what_is_not_submitted_again_ends_with_its_hold(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    register.ask(expire(seats=[held.id, claimed.id]), at=held.expires_at + MARGIN + MINUTE)
    assert live(register) == {claimed}


def test_a_seat_that_was_lost_meanwhile_leaves_the_claimed_one(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    register.ask(release(held), at=LATER)
    register.fill(other)
    submitted = submit(of, held.id, at=LATER)
    allocation = register.settle(submitted, at=LATER)
    assert allocation.facts == (
        Claimed(submitted.application_id, (), (held.id,), (), LATER),
        Placed(claimed, held.id, "family"),
    )
    assert register.seat_of(of) == claimed


def test_the_claimed_slot_wished_again_is_answered_and_what_was_held_is_freed(
    register: Register,
) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    allocation = register.settle(hold(of, mine), at=LATER)
    assert allocation.answers == ((claimed,),)
    assert allocation.facts == (Freed(held.id),)
    assert live(register) == {claimed}


def test_another_choice_replaces_what_was_held_and_not_the_claimed_one(register: Register) -> None:
    mine, second, third = register.open(), register.open(of=tuesday()), register.open()
    of = register.follow()
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, second), at=LATER)
    allocation = register.settle(hold(of, third), at=LATER)
    ((chosen,),) = [answer for answer in allocation.answers if isinstance(answer, tuple)]
    assert allocation.facts == (Kept((chosen,), (held.id,)),)
    assert live(register) == {claimed, chosen}


def test_a_row_that_is_left_out_frees_its_seat(register: Register) -> None:
    mine, of = register.open(), register.follow()
    claimed = filed(register, of, mine)
    submitted = submit(of, at=LATER, left=[of])
    allocation = register.settle(submitted, at=LATER)
    assert allocation.facts == (Claimed(submitted.application_id, (), (), (claimed.id,), LATER),)
    assert live(register) == set()


def test_a_seat_given_after_the_request_is_not_freed_by_a_row_left_out(register: Register) -> None:
    mine, of = register.open(), register.follow()
    (given,) = register.ask(place(of, mine), at=LAST)
    register.ask(submit(of, at=LATER, left=[of]), at=LAST)
    assert live(register) == {given}


def test_a_row_that_is_left_out_waits_no_more(register: Register) -> None:
    full, of = register.open(), register.follow()
    register.fill(full)
    joined = join(of, full)
    register.ask(joined)
    register.ask(submit(of, at=LATER, left=[of]), at=LATER)
    assert register.state_of(joined) == "withdrawn"
    assert register.counters[full.id] == (1, 0)


def test_a_seat_given_after_it_was_left_out_is_kept(register: Register) -> None:
    mine, of = register.open(), register.follow()
    (given,) = register.ask(place(of, mine), at=LATER)
    submitted = submit(of, at=LAST, left=[of])._replace(chosen_at=NOW)
    register.ask(submitted, at=LAST)
    assert live(register) == {given}


def test_the_hours_of_a_row_to_be_left_out_are_free_for_another(register: Register) -> None:
    monday, other = register.open(), register.open(of=course(starts_at=time(18)))
    of = register.follow()
    another = register.follow(row(of=of))
    filed(register, of, monday)
    wished = hold(another, other)
    assert register.answers(wished, at=LATER) == ["same_time"]
    left = frozenset({of.follow_id})
    (held,) = register.ask(wished._replace(left_rows=left), at=LATER)
    register.ask(submit(of, held.id, at=LATER, left=[of]), at=LATER)
    assert {seat.id for seat in live(register)} == {held.id}


def test_the_hours_of_a_seat_held_are_not_free_though_its_row_is_left_out(
    register: Register,
) -> None:
    monday, other = register.open(), register.open(of=course(starts_at=time(18)))
    of = register.follow()
    another = register.follow(row(of=of))
    register.ask(hold(of, monday))
    wished = hold(another, other)._replace(left_rows=frozenset({of.follow_id}))
    assert register.answers(wished) == ["same_time"]


def test_a_claimed_slot_is_answered_to_the_other_family_of_a_student(register: Register) -> None:
    mine, of = register.open(), register.follow(row()._replace(family_ids=(uuid4(), uuid4())))
    claimed = filed(register, of, mine)
    assert register.ask(hold(of, mine, family_id=of.family_ids[1]), at=LATER) == (claimed,)


def test_a_row_that_is_asked_without_a_seat_keeps_the_one_it_has(register: Register) -> None:
    mine, of = register.open(), register.follow()
    claimed = filed(register, of, mine)
    register.ask(submit(of, at=LATER), at=LATER)
    assert live(register) == {claimed}


def test_a_request_older_than_the_last_one_changes_nothing(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    first = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    (second,) = register.ask(submit(of, held.id, at=LATER), at=LATER)
    assert register.ask(submit(of, first.id), at=LAST) == ()
    assert live(register) == {second}


def test_what_a_new_request_frees_is_offered_to_who_waits(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    filed(register, of, mine)
    joined = join(register.follow(), mine)
    register.ask(joined)
    (held,) = register.ask(hold(of, other), at=LATER)
    assert register.state_of(joined) == "waiting"
    register.ask(submit(of, held.id, at=LATER), at=LATER)
    assert register.state_of(joined) == "offered"


def test_two_rows_may_swap_their_hours(register: Register) -> None:
    first, second = register.open(2), register.open(2, of=tuesday())
    of = register.follow()
    another = register.follow(row(of=of))
    seats = register.ask(together(hold(of, first), hold(another, second)))
    register.ask(submit(of, *(seat.id for seat in seats)))
    swapped = register.ask(together(hold(of, second), hold(another, first)), at=LATER)
    register.ask(submit(of, *(seat.id for seat in swapped), at=LATER), at=LATER)
    assert {seat.id for seat in live(register)} == {seat.id for seat in swapped}


def test_a_seat_that_meets_during_one_that_could_not_be_changed_is_not_claimed(
    register: Register,
) -> None:
    monday, late_monday = register.open(2), register.open(of=course(starts_at=time(18)))
    tuesdays = register.open(of=tuesday())
    of = register.follow()
    another = register.follow(row(of=of))
    (kept,) = register.ask(hold(another, monday))
    register.ask(submit(of, kept.id))
    (moved,) = register.ask(hold(another, tuesdays), at=LATER)
    (added,) = register.ask(hold(of, late_monday), at=LATER)
    register.ask(release(moved), at=LATER)
    register.fill(tuesdays)
    submitted = submit(of, moved.id, added.id, at=LATER)
    allocation = register.settle(submitted, at=LATER)
    told = Claimed(submitted.application_id, (), (moved.id, added.id), (), LATER)
    assert register.seats[added.id].state == "released"
    assert register.taken(late_monday) == 0
    stays = register.seats[kept.id]
    assert allocation.facts == (told, Placed(stays, moved.id, "family"))
    assert stays.state == "claimed"


def test_withdrawing_frees_both(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    filed(register, of, mine)
    register.ask(hold(of, other), at=LATER)
    register.ask(decline(of, at=LATER), at=LATER)
    assert live(register) == set()


def test_an_offer_accepted_meanwhile_replaces_both(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    full = register.open(of=course(weekday="JEUDI"))
    (taken,) = register.fill(full)
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    joined = join(of, full)
    register.settle(joined, release(taken), at=LATER)
    allocation = register.settle(accept(joined), at=LATER)
    (seat,) = live(register)
    assert (seat.id, seat.state) == (joined.place_id, "claimed")
    assert Placed(seat, claimed.id, "family") in allocation.facts
    assert Freed(held.id) in allocation.facts


def test_the_staff_places_a_row_in_place_of_both(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    third = register.open(of=course(weekday="JEUDI"))
    claimed = filed(register, of, mine)
    (held,) = register.ask(hold(of, other), at=LATER)
    allocation = register.settle(place(of, third), at=LATER)
    (seat,) = live(register)
    assert seat.course_id == third.id
    assert allocation.facts == (Placed(seat, claimed.id, "staff"), Freed(held.id))


def test_a_list_is_not_joined_for_a_course_where_the_row_has_a_seat(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    filed(register, of, mine)
    register.ask(hold(of, other), at=LATER)
    assert register.answers(join(of, mine), join(of, other), at=LATER) == ["already_held"] * 2
