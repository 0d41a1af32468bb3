"""Holds, sentence by sentence of what :func:`courses.allocation.allocate` promises."""

from dataclasses import replace
from datetime import time, timedelta
from uuid import uuid4

import pytest
from courses.requests import Request
from courses.seats import HOLD, MARGIN, Course
from shared.contract import Rejection

from tests.allocations import (
    CAMPAIGN,
    MINUTE,
    NOW,
    Register,
    course,
    expire,
    hold,
    release,
    renew,
    row,
    submit,
    together,
)


@pytest.fixture
def register() -> Register:
    return Register()


def tuesday() -> Course:
    return course(weekday="MARDI")


def test_a_free_seat_is_held_for_twenty_minutes(register: Register) -> None:
    free, of = register.open(), register.follow()
    asked = hold(of, free)
    (seat,) = register.ask(asked)
    assert (seat.id, seat.course_id, seat.state) == (asked.wishes[0].hold_id, free.id, "held")
    assert seat.expires_at - NOW == timedelta(minutes=20)


def test_a_full_course_is_refused_by_its_name(register: Register) -> None:
    full, of = register.open(3), register.follow()
    register.fill(full)
    with pytest.raises(Rejection, match="course_full") as refusal:
        register.ask(hold(of, full))
    assert refusal.value.facts["course_id"] == str(full.id)
    assert refusal.value.facts["follow_id"] == str(of.follow_id)
    assert refusal.value.facts["label"] == full.label


def test_where_every_ranked_slot_is_full_the_last_one_tried_is_named(register: Register) -> None:
    full, last = register.open(0), register.open(0, of=tuesday())
    with pytest.raises(Rejection, match="course_full") as refusal:
        register.ask(hold(register.follow(), full, last))
    assert refusal.value.facts["label"] == last.label


def test_the_first_ranked_slot_with_a_seat_is_taken(register: Register) -> None:
    full, free, spare = register.open(0), register.open(), register.open()
    (seat,) = register.ask(hold(register.follow(), full, free, spare))
    assert seat.course_id == free.id


def test_a_batch_is_decided_in_the_order_of_arrival(register: Register) -> None:
    last_seat = register.open()
    asked = [hold(register.follow(), last_seat) for _ in range(3)]
    assert register.answers(*asked) == ["granted", "course_full", "course_full"]


def test_a_seat_freed_in_a_batch_is_there_for_the_next_request(register: Register) -> None:
    last_seat = register.open()
    (seat,) = register.fill(last_seat)
    early, late = hold(register.follow(), last_seat), hold(register.follow(), last_seat)
    answers = register.answers(early, release(seat), late)
    assert answers == ["course_full", "granted", "granted"]


def test_a_refused_request_leaves_the_others_as_if_it_had_not_been_made(
    register: Register,
) -> None:
    free, full = register.open(), register.open(0, of=tuesday())
    first, second = register.follow(), register.follow()
    torn = together(hold(first, free), hold(register.follow(row(sibling=first)), full))
    assert register.answers(torn, hold(second, free)) == ["course_full", "granted"]
    assert register.seat_of(first) is None
    assert register.taken(free) == 1


def test_a_lowered_capacity_takes_no_seat_away_and_gives_none(register: Register) -> None:
    lowered, of = register.open(3), register.follow()
    kept = register.fill(lowered)
    register.capacities[lowered.id] = 2
    assert register.answers(release(kept[0]), hold(of, lowered)) == ["granted", "course_full"]
    assert register.answers(release(kept[1]), hold(of, lowered)) == ["granted", "granted"]
    assert register.taken(lowered) == 2


def test_in_a_course_over_its_capacity_a_family_does_not_pass_its_seat_on(
    register: Register,
) -> None:
    lowered, of = register.open(2), register.follow()
    sibling = register.follow(row(sibling=of))
    (kept,) = register.ask(hold(of, lowered))
    register.fill(lowered)
    register.capacities[lowered.id] = 1
    with pytest.raises(Rejection, match="course_full"):
        register.ask(hold(sibling, lowered, give_back=(kept.id,)))
    assert register.seat_of(of) == kept


def test_a_new_choice_gives_up_the_old_seat(register: Register) -> None:
    old, new = register.open(), register.open(of=tuesday())
    of = register.follow()
    (first,) = register.ask(hold(of, old))
    (second,) = register.ask(hold(of, new))
    assert second.course_id == new.id
    assert register.seats[first.id].state == "released"
    assert (register.taken(old), register.taken(new)) == (0, 1)


def test_a_refused_change_keeps_the_old_seat(register: Register) -> None:
    old, full = register.open(), register.open(0)
    of = register.follow()
    (kept,) = register.ask(hold(of, old))
    with pytest.raises(Rejection, match="course_full"):
        register.ask(hold(of, full))
    assert register.seat_of(of) == kept


def test_choosing_ones_own_seat_again_renews_it_even_in_a_full_course(register: Register) -> None:
    full, of = register.open(), register.follow()
    (first,) = register.ask(hold(of, full))
    later = NOW + 10 * MINUTE
    (again,) = register.ask(hold(of, full), at=later)
    assert (again.id, again.expires_at) == (first.id, later + HOLD)
    assert register.taken(full) == 1


def test_two_children_may_swap_their_seats_in_one_act(register: Register) -> None:
    monday, other = register.open(), register.open(of=tuesday())
    one = register.follow()
    two = register.follow(row(sibling=one))
    register.ask(hold(one, monday))
    register.ask(hold(two, other))
    swapped = register.ask(together(hold(one, other), hold(two, monday)))
    assert [seat.course_id for seat in swapped] == [other.id, monday.id]
    assert (register.taken(monday), register.taken(other)) == (1, 1)


def test_a_child_keeps_the_seat_that_it_wishes_first_whatever_its_sibling_wishes(
    register: Register,
) -> None:
    full, other = register.open(), register.open(of=tuesday())
    one = register.follow()
    two = register.follow(row(sibling=one))
    (of_one,) = register.ask(hold(one, other))
    (of_two,) = register.ask(hold(two, full))
    assert register.ask(together(hold(one, full, other), hold(two, full))) == (of_one, of_two)
    with pytest.raises(Rejection, match="course_full"):
        register.ask(together(hold(one, full), hold(two, full, other)))


def test_a_child_is_not_left_without_the_seat_that_it_wished_last(register: Register) -> None:
    full, other, nowhere = register.open(), register.open(of=tuesday()), register.open(0)
    one = register.follow()
    two = register.follow(row(sibling=one))
    (of_one,) = register.ask(hold(one, other))
    (of_two,) = register.ask(hold(two, full))
    assert register.ask(together(hold(one, full, other), hold(two, nowhere, full))) == (
        of_one,
        of_two,
    )


def test_a_child_has_the_seat_of_its_sibling_who_finds_a_better_one(register: Register) -> None:
    full, better = register.open(), register.open(of=tuesday())
    one = register.follow()
    two = register.follow(row(sibling=one))
    register.ask(hold(two, full))
    seats = register.ask(together(hold(one, full), hold(two, better, full)))
    assert [seat.course_id for seat in seats] == [full.id, better.id]


def test_a_seat_given_back_makes_room_for_the_same_act(register: Register) -> None:
    full, of = register.open(), register.follow()
    sibling = register.follow(row(sibling=of))
    (given,) = register.ask(hold(of, full))
    (seat,) = register.ask(hold(sibling, full, give_back=(given.id,)))
    assert (seat.student_id, seat.course_id) == (sibling.student_id, full.id)
    assert register.seats[given.id].state == "released"


def test_a_family_has_every_seat_that_it_asks_for_or_none(register: Register) -> None:
    single, of = register.open(), register.follow()
    sibling = register.follow(row(sibling=of))
    with pytest.raises(Rejection, match="course_full"):
        register.ask(together(hold(of, single), hold(sibling, single)))
    assert register.taken(single) == 0
    register.capacities[single.id] = 2
    assert len(register.ask(together(hold(of, single), hold(sibling, single)))) == 2


def test_a_repeat_in_the_same_batch_or_a_later_one_gives_the_same_seat(register: Register) -> None:
    last_seat, of = register.open(), register.follow()
    asked = hold(of, last_seat)
    first, twin = register.settle(asked, asked).answers
    assert first == twin
    assert register.ask(asked) == first
    assert register.taken(last_seat) == 1


def test_a_repeated_request_gives_its_seat_again_though_a_better_one_was_freed(
    register: Register,
) -> None:
    better, second = register.open(), register.open(of=tuesday())
    (taken,) = register.fill(better)
    asked = hold(register.follow(), better, second)
    (first,) = register.ask(asked)
    register.ask(release(taken))
    assert register.ask(asked) == (first,)


def test_an_identifier_names_one_choice(register: Register) -> None:
    first, second = register.open(), register.open(of=tuesday())
    of = register.follow()
    (seat,) = register.ask(hold(of, first))
    with pytest.raises(Rejection, match="hold_id_reused"):
        register.ask(hold(of, second, hold_id=seat.id))


def test_an_identifier_whose_seat_ended_serves_no_more(register: Register) -> None:
    free, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, free))
    register.ask(release(seat))
    with pytest.raises(Rejection, match="hold_ended"):
        register.ask(hold(of, free, hold_id=seat.id))


def test_a_claimed_seat_is_not_given_back_by_the_family(register: Register) -> None:
    mine, other = register.open(), register.open(of=tuesday())
    of = register.follow()
    (seat,) = register.ask(hold(of, mine))
    register.ask(submit(of, seat.id))
    given_back = hold(of, other, give_back=(seat.id,))
    assert register.answers(given_back, release(seat)) == ["already_claimed"] * 2


def test_two_courses_at_the_same_time_are_not_chosen_together(register: Register) -> None:
    first, second = register.open(), register.open(of=course(starts_at=time(18)))
    of = register.follow()
    another = register.follow(row(of=of))
    with pytest.raises(Rejection, match="same_time"):
        register.ask(together(hold(of, first), hold(another, second)))
    register.ask(hold(of, first))
    with pytest.raises(Rejection, match="same_time"):
        register.ask(hold(another, second))


def test_what_an_act_gives_up_does_not_clash_with_what_it_chooses(register: Register) -> None:
    first, second = register.open(), register.open()
    of = register.follow()
    another = register.follow(row(of=of))
    (given,) = register.ask(hold(of, first))
    (seat,) = register.ask(hold(another, second, give_back=(given.id,)))
    assert seat.course_id == second.id


def test_two_children_may_be_taught_at_the_same_time(register: Register) -> None:
    shared, of = register.open(2), register.follow()
    sibling = register.follow(row(sibling=of))
    assert len(register.ask(together(hold(of, shared), hold(sibling, shared)))) == 2


@pytest.mark.parametrize(
    ("other", "code"),
    [
        (course(site_id=uuid4()), "wrong_site"),
        (course(level="2.2"), "wrong_level"),
        (course(curriculum="Piano"), "wrong_level"),
        (course(school_year="2026-2027"), "wrong_level"),
        (course(is_chosen=False), "wrong_level"),
    ],
)
def test_a_course_that_is_not_on_offer_for_the_row_is_refused(
    register: Register, other: Course, code: str
) -> None:
    with pytest.raises(Rejection, match=code):
        register.ask(hold(register.follow(), register.open(of=other)))


def test_what_is_another_familys_does_not_exist(register: Register) -> None:
    free, mine, theirs = register.open(9), register.follow(), register.follow()
    (seat,) = register.ask(hold(theirs, free))
    stranger = mine.family_ids[0]
    asked: list[Request] = [
        hold(theirs, free, family_id=stranger),
        hold(mine._replace(follow_id=theirs.follow_id), free),
        hold(mine._replace(student_id=theirs.student_id), free),
        hold(mine, free, hold_id=seat.id),
        hold(mine, free, give_back=(seat.id,)),
        release(seat)._replace(family_id=stranger),
        renew(seat)._replace(family_id=stranger),
    ]
    assert register.answers(*asked) == ["not_found"] * len(asked)


def test_either_family_of_a_student_may_choose(register: Register) -> None:
    free = register.open()
    of = register.follow(row()._replace(family_ids=(uuid4(), uuid4())))
    (seat,) = register.ask(hold(of, free, family_id=of.family_ids[1]))
    assert seat.family_id == of.family_ids[1]


def test_an_unknown_course_does_not_exist(register: Register) -> None:
    with pytest.raises(Rejection, match="not_found"):
        register.ask(hold(register.follow(), course()))


def test_a_campaign_of_another_site_or_year_does_not_exist(register: Register) -> None:
    free, of = register.open(), register.follow()
    asked = hold(of, free)
    for stranger in (asked._replace(site_id=uuid4()), asked._replace(site_id=None)):
        with pytest.raises(Rejection, match="not_found"):
            register.ask(stranger)
    with pytest.raises(Rejection, match="not_found"):
        register.ask(asked._replace(campaign_id=uuid4()))
    register.campaigns[CAMPAIGN.id] = replace(CAMPAIGN, school_year="2028-2029")
    with pytest.raises(Rejection, match="not_found"):
        register.ask(asked)


def test_a_campaign_opens_and_closes_to_the_second(register: Register) -> None:
    free, second = register.open(9), timedelta(seconds=1)
    moments = {
        CAMPAIGN.opens_at - second: ["campaign_not_open"],
        CAMPAIGN.opens_at: ["granted"],
        CAMPAIGN.closes_at - second: ["granted"],
        CAMPAIGN.closes_at: ["campaign_closed"],
    }
    for moment, answer in moments.items():
        assert register.answers(hold(register.follow(), free), at=moment) == answer


def test_a_seat_given_back_is_free_again_and_giving_it_twice_is_harmless(
    register: Register,
) -> None:
    last_seat = register.open()
    (seat,) = register.fill(last_seat)
    assert register.answers(release(seat), release(seat)) == ["granted", "granted"]
    assert register.taken(last_seat) == 0


def test_renewing_leaves_out_what_ended(register: Register) -> None:
    free, of = register.open(9), register.follow()
    sibling = register.follow(row(sibling=of))
    kept, ended = register.ask(together(hold(of, free), hold(sibling, free)))
    register.ask(release(ended))
    (renewed,) = register.ask(renew(kept, ended), at=NOW + MINUTE)
    assert (renewed.id, renewed.expires_at) == (kept.id, NOW + MINUTE + HOLD)
    assert register.ask(renew(ended)) == ()


def test_renewing_a_claimed_seat_changes_nothing(register: Register) -> None:
    of = register.follow()
    (seat,) = register.ask(hold(of, register.open()))
    (claimed,) = register.ask(submit(of, seat.id))
    assert register.settle(renew(claimed), at=NOW + MINUTE).seats == ()


def test_a_hold_ends_once_its_margin_is_over_and_not_before(register: Register) -> None:
    last_seat = register.open()
    (seat,) = register.fill(last_seat)
    register.ask(expire(seats=[seat.id]), at=seat.expires_at + MARGIN)
    assert register.taken(last_seat) == 1
    register.ask(expire(seats=[seat.id]), at=seat.expires_at + MARGIN + MINUTE)
    assert register.taken(last_seat) == 0


def test_a_hold_renewed_or_claimed_since_it_looked_expired_goes_on(register: Register) -> None:
    of = register.follow()
    (seat,) = register.ask(hold(of, register.open()))
    late = seat.expires_at + MARGIN + MINUTE
    answers = register.answers(renew(seat), expire(seats=[seat.id]), at=late)
    assert answers == ["granted", "granted"]
    assert register.seat_of(of) is not None
    register.ask(submit(of, seat.id))
    register.ask(expire(seats=[seat.id]), at=late + timedelta(days=1))
    assert register.seat_of(of) is not None
