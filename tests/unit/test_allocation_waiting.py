"""Waiting lists, sentence by sentence of what :func:`courses.allocation.allocate` promises."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from courses.book import Ended, Offered, Placed
from courses.requests import JoinRequest, Request
from courses.seats import MARGIN, OFFER, Course, Row, Seat
from shared.contract import Rejection

from tests.allocations import (
    CAMPAIGN,
    MINUTE,
    NOW,
    Register,
    accept,
    course,
    decline,
    expire,
    hold,
    join,
    leave,
    offer,
    release,
    row,
    submit,
    together,
)


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def full(register: Register) -> Course:
    """A course of one seat, which somebody has."""
    opened = register.open()
    register.fill(opened)
    return opened


def waiting(register: Register, course: Course, of: Row | None = None) -> JoinRequest:
    """Have a row join the list of a course."""
    joined = join(of or register.follow(), course)
    register.ask(joined)
    return joined


def only_seat(register: Register, course: Course) -> Seat:
    """Find the seat of a course of one seat."""
    seats = register.seats.values()
    (seat,) = (each for each in seats if each.course_id == course.id and each.state == "held")
    return seat


def tuesday() -> Course:
    return course(weekday="MARDI")


def test_a_row_joins_a_full_courses_list_at_its_end(register: Register, full: Course) -> None:
    first, second = waiting(register, full), waiting(register, full)
    assert [place.id for place in register.line(full)] == [first.place_id, second.place_id]
    assert register.counters[full.id] == (1, 2)


def test_joining_keeps_the_present_seat(register: Register, full: Course) -> None:
    other, of = register.open(of=tuesday()), register.follow()
    (kept,) = register.ask(hold(of, other))
    waiting(register, full, of)
    assert register.seat_of(of) == kept


def test_a_course_with_a_seat_left_is_not_waited_for(register: Register) -> None:
    with pytest.raises(Rejection, match="course_not_full"):
        register.ask(join(register.follow(), register.open()))


def test_a_row_does_not_wait_for_the_course_that_it_has(register: Register) -> None:
    mine, of = register.open(), register.follow()
    register.ask(hold(of, mine))
    with pytest.raises(Rejection, match="already_held"):
        register.ask(join(of, mine))


def test_a_row_waits_once_for_a_course(register: Register, full: Course) -> None:
    of = register.follow()
    first = waiting(register, full, of)
    again, otherwise = first, join(of, full)
    assert register.answers(again, otherwise) == ["granted", "granted"]
    assert [place.id for place in register.line(full)] == [first.place_id]


def test_a_row_may_wait_for_several_courses(register: Register, full: Course) -> None:
    of, second = register.follow(), register.open(0, of=tuesday())
    waiting(register, full, of)
    waiting(register, second, of)
    assert len(register.line(full)) == len(register.line(second)) == 1


def test_an_identifier_of_a_place_serves_once(register: Register, full: Course) -> None:
    joined = waiting(register, full)
    register.ask(leave(joined))
    with pytest.raises(Rejection, match="place_ended"):
        register.ask(joined)


def test_only_an_own_row_joins_an_offered_course_of_an_open_campaign(
    register: Register, full: Course
) -> None:
    of, stranger = register.follow(), register.follow()
    asked = join(of, full)
    higher = register.open(0, of=course(level="2.2"))
    elsewhere = register.open(0, of=course(site_id=uuid4()))
    refused = [
        asked._replace(family_id=stranger.family_ids[0]),
        asked._replace(course_id=uuid4()),
        join(of, higher),
        join(of, elsewhere),
    ]
    codes = ["not_found", "not_found", "wrong_level", "wrong_site"]
    assert register.answers(*refused) == codes
    assert register.answers(asked, at=CAMPAIGN.closes_at) == ["campaign_closed"]


def test_another_familys_place_does_not_exist(register: Register, full: Course) -> None:
    joined, stranger = waiting(register, full), register.follow()
    family_id = stranger.family_ids[0]
    refused: list[Request] = [
        join(stranger, full, place_id=joined.place_id),
        leave(joined)._replace(family_id=family_id),
        accept(joined)._replace(family_id=family_id),
    ]
    assert register.answers(*refused) == ["not_found"] * 3


def test_a_freed_seat_is_offered_to_the_next_in_line_for_a_day(
    register: Register, full: Course
) -> None:
    first, second = waiting(register, full), waiting(register, full)
    allocation = register.settle(release(only_seat(register, full)))
    offered = register.places[first.place_id]
    assert (offered.state, offered.offered_until) == ("offered", NOW + timedelta(hours=24))
    assert Offered(offered) in allocation.facts
    assert register.state_of(second) == "waiting"
    assert register.counters[full.id] == (1, 1)


def test_a_course_with_a_waiting_list_is_full_for_all_others(
    register: Register, full: Course
) -> None:
    waiting(register, full)
    newcomer = hold(register.follow(), full)
    answers = register.answers(release(only_seat(register, full)), newcomer)
    assert answers == ["granted", "course_full"]


def test_what_a_change_frees_is_offered(register: Register) -> None:
    full, other, of = register.open(), register.open(of=tuesday()), register.follow()
    register.ask(hold(of, full))
    joined = waiting(register, full)
    register.ask(hold(of, other))
    assert register.state_of(joined) == "offered"


def test_what_an_act_gives_up_serves_its_own_wishes_before_the_list(register: Register) -> None:
    full, of = register.open(), register.follow()
    sibling = register.follow(row(sibling=of))
    (mine,) = register.ask(hold(of, full))
    joined = waiting(register, full)
    register.ask(hold(sibling, full, give_back=(mine.id,)))
    assert register.state_of(joined) == "waiting"
    assert register.counters[full.id] == (1, 1)


def test_what_was_freed_is_not_offered_to_who_freed_it(register: Register) -> None:
    full, of = register.open(), register.follow()
    (mine,) = register.ask(hold(of, full))
    own = waiting(register, full, register.follow(row(of=of)))
    other = waiting(register, full)
    register.ask(release(mine))
    assert (register.state_of(own), register.state_of(other)) == ("waiting", "offered")


def test_an_accepted_offer_gives_the_seat_and_frees_the_present_one(
    register: Register, full: Course
) -> None:
    other, of = register.open(of=tuesday()), register.follow()
    (present,) = register.ask(hold(of, other))
    joined = waiting(register, full, of)
    register.ask(release(only_seat(register, full)))
    allocation = register.settle(accept(joined))
    seat = register.seat_of(of)
    assert seat is not None
    assert (seat.id, seat.course_id, seat.state) == (joined.place_id, full.id, "held")
    assert register.seats[present.id].state == "released"
    assert Placed(seat, present.id, "family") in allocation.facts
    assert [fact.end for fact in allocation.facts if isinstance(fact, Ended)] == ["accepted"]
    assert (register.taken(full), register.taken(other)) == (1, 0)


def test_what_an_acceptance_frees_is_offered_in_turn(register: Register, full: Course) -> None:
    other, of = register.open(of=tuesday()), register.follow()
    register.ask(hold(of, other))
    wants_other = waiting(register, other)
    joined = waiting(register, full, of)
    register.ask(release(only_seat(register, full)))
    register.ask(accept(joined))
    assert register.state_of(wants_other) == "offered"


def test_an_acceptance_without_a_present_seat_holds_for_twenty_minutes(
    register: Register, full: Course
) -> None:
    joined = waiting(register, full)
    register.ask(release(only_seat(register, full)))
    (seat,) = register.ask(accept(joined))
    assert seat.expires_at - NOW == timedelta(minutes=20)


def test_accepting_twice_gives_the_seat_again(register: Register, full: Course) -> None:
    joined = waiting(register, full)
    register.ask(release(only_seat(register, full)))
    first, twin = register.settle(accept(joined), accept(joined)).answers
    assert first == twin == register.ask(accept(joined))
    assert register.taken(full) == 1


def test_an_acceptance_is_claimed_where_the_present_seat_was(
    register: Register, full: Course
) -> None:
    other, of = register.open(of=tuesday()), register.follow()
    (present,) = register.ask(hold(of, other))
    register.ask(submit(of, present.id))
    joined = waiting(register, full, of)
    register.ask(release(only_seat(register, full)))
    (seat,) = register.ask(accept(joined))
    assert seat.state == "claimed"


def test_an_acceptance_is_claimed_where_the_application_is_filed_without_a_seat(
    register: Register, full: Course
) -> None:
    of = register.follow()
    joined = waiting(register, full, of)
    register.ask(submit(of))
    register.ask(release(only_seat(register, full)))
    (seat,) = register.ask(accept(joined))
    assert seat.state == "claimed"


def test_what_still_waits_or_is_over_is_not_accepted(register: Register, full: Course) -> None:
    first, second = waiting(register, full), waiting(register, full)
    register.ask(release(only_seat(register, full)))
    too_late = NOW + OFFER + MARGIN + MINUTE
    assert register.answers(accept(second)) == ["not_offered"]
    assert register.answers(accept(first), at=too_late) == ["offer_ended"]
    assert register.answers(leave(first), accept(first)) == ["granted", "offer_ended"]


def test_an_offer_is_accepted_within_its_margin(register: Register, full: Course) -> None:
    joined = waiting(register, full)
    register.ask(release(only_seat(register, full)))
    (seat,) = register.ask(accept(joined), at=NOW + OFFER + MARGIN)
    assert seat.course_id == full.id


def test_once_the_campaign_has_closed_an_offer_is_for_filed_applications_alone(
    register: Register,
) -> None:
    full, draft, filed = register.open(2), register.follow(), register.follow()
    seats = register.fill(full)
    of_draft, of_filed = waiting(register, full, draft), waiting(register, full, filed)
    register.ask(submit(filed))
    register.settle(*(release(seat) for seat in seats), at=CAMPAIGN.closes_at - MINUTE)
    answers = register.answers(accept(of_draft), accept(of_filed), at=CAMPAIGN.closes_at)
    assert answers == ["campaign_closed", "granted"]
    assert register.state_of(of_draft) == "offered"


def test_an_offer_at_the_time_of_another_seat_is_not_accepted_and_stays(
    register: Register, full: Course
) -> None:
    of = register.follow()
    register.ask(hold(register.follow(row(of=of)), register.open(of=course(starts_at=time(18)))))
    joined = waiting(register, full, of)
    register.ask(release(only_seat(register, full)))
    with pytest.raises(Rejection, match="same_time"):
        register.ask(accept(joined))
    assert register.state_of(joined) == "offered"


def test_an_identifier_that_names_a_hold_already_accepts_nothing(
    register: Register, full: Course
) -> None:
    """A seat of an accepted offer has its place's identifier: it must be no other's."""
    elsewhere, of = register.open(9, of=tuesday()), register.follow()
    joined = waiting(register, full, of)
    (mine,) = register.ask(hold(of, elsewhere, hold_id=joined.place_id))
    register.ask(release(only_seat(register, full)))
    with pytest.raises(Rejection, match="hold_id_reused"):
        register.ask(accept(joined))
    register.ask(release(mine))
    with pytest.raises(Rejection, match="hold_id_reused"):
        register.ask(accept(joined))
    assert register.state_of(joined) == "offered"


def test_a_refused_offer_goes_to_the_next(register: Register, full: Course) -> None:
    first, second = waiting(register, full), waiting(register, full)
    register.ask(release(only_seat(register, full)))
    register.ask(leave(first))
    assert (register.state_of(first), register.state_of(second)) == ("refused", "offered")
    assert register.counters[full.id] == (1, 0)


def test_an_expired_offer_goes_to_the_next(register: Register, full: Course) -> None:
    first, second = waiting(register, full), waiting(register, full)
    register.ask(release(only_seat(register, full)))
    over = NOW + OFFER + MARGIN
    register.ask(expire(places=[first.place_id]), at=over)
    assert register.state_of(first) == "offered"
    register.ask(expire(places=[first.place_id, second.place_id]), at=over + MINUTE)
    assert (register.state_of(first), register.state_of(second)) == ("expired", "offered")


def test_an_offer_that_nobody_waits_for_any_more_frees_its_seat_for_all(
    register: Register, full: Course
) -> None:
    joined = waiting(register, full)
    register.ask(release(only_seat(register, full)))
    answers = register.answers(leave(joined), hold(register.follow(), full))
    assert answers == ["granted", "granted"]


def test_who_leaves_loses_its_rank_and_leaving_twice_is_harmless(
    register: Register, full: Course
) -> None:
    first, second = waiting(register, full), waiting(register, full)
    assert register.answers(leave(first), leave(first)) == ["granted", "granted"]
    assert register.state_of(first) == "withdrawn"
    assert [place.id for place in register.line(full)] == [second.place_id]


def test_a_raised_capacity_is_offered_in_order_before_anyone_else(
    register: Register, full: Course
) -> None:
    joined = [waiting(register, full) for _ in range(3)]
    register.capacities[full.id] = 3
    answers = register.answers(offer(full), hold(register.follow(), full))
    assert answers == ["granted", "course_full"]
    states = [register.state_of(each) for each in joined]
    assert states == ["offered", "offered", "waiting"]


def test_a_capacity_lowered_under_what_is_taken_offers_nothing(register: Register) -> None:
    lowered = register.open(2)
    seats = register.fill(lowered)
    joined = waiting(register, lowered)
    register.capacities[lowered.id] = 1
    register.ask(release(seats[0]))
    assert register.state_of(joined) == "waiting"
    register.ask(release(seats[1]))
    assert register.state_of(joined) == "offered"


def test_declining_gives_up_what_a_student_waits_for_and_is_offered(
    register: Register, full: Course
) -> None:
    of, second = register.follow(), register.open(0, of=tuesday())
    offered, still = waiting(register, full, of), waiting(register, second, of)
    next_one = waiting(register, full)
    register.ask(release(only_seat(register, full)))
    allocation = register.settle(decline(of))
    assert register.state_of(offered) == register.state_of(still) == "withdrawn"
    assert [fact.end for fact in allocation.facts if isinstance(fact, Ended)] == ["withdrawn"]
    assert register.state_of(next_one) == "offered"
    assert register.counters[second.id] == (0, 0)


def test_the_two_seats_of_a_family_that_leaves_are_both_offered(register: Register) -> None:
    full, of = register.open(2), register.follow()
    sibling = register.follow(row(sibling=of))
    seats = register.ask(together(hold(of, full), hold(sibling, full)))
    joined = [waiting(register, full) for _ in range(3)]
    register.settle(*(release(seat) for seat in seats))
    assert [register.state_of(each) for each in joined] == ["offered", "offered", "waiting"]
