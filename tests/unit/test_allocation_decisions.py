"""Submissions, refusals and placements: what becomes of seats by other decisions than a hold."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from courses.book import Claimed, Confirmed, Freed, Placed
from courses.seats import MARGIN, Course
from shared.contract import Rejection

from tests.allocations import (
    CAMPAIGN,
    MINUTE,
    NOW,
    SECRETARY,
    Register,
    accept,
    confirm,
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
)


@pytest.fixture
def register() -> Register:
    return Register()


def tuesday() -> Course:
    return course(weekday="MARDI")


def test_a_submission_makes_its_holds_its_own_once(register: Register) -> None:
    mine, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, mine))
    submitted = submit(of, seat.id)
    first, again = register.settle(submitted, submitted).answers
    assert first == again == (seat._replace(state="claimed"),)
    assert register.taken(mine) == 1
    assert [line.change for line in register.ledger] == ["held", "claimed"]


def test_a_submission_says_which_seats_it_did_not_find(register: Register) -> None:
    of, unknown, stranger = register.follow(), uuid4(), register.follow()
    (theirs,) = register.ask(hold(stranger, register.open()))
    submitted = submit(of, unknown, theirs.id)
    allocation = register.settle(submitted)
    missing = (unknown, theirs.id)
    assert allocation.facts == (Claimed(submitted.application_id, (), missing, (), NOW),)


def test_a_submission_heard_after_its_hold_ended_takes_the_seat_back(register: Register) -> None:
    mine, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, mine))
    late = seat.expires_at + MARGIN + MINUTE
    register.settle(expire(seats=[seat.id]), submit(of, seat.id), at=late)
    assert register.seats[seat.id].state == "claimed"
    assert register.taken(mine) == 1


def test_a_submission_heard_after_its_seat_went_to_another_takes_nothing_over(
    register: Register,
) -> None:
    mine, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, mine))
    register.ask(release(seat))
    register.fill(mine)
    submitted = submit(of, seat.id)
    allocation = register.settle(submitted)
    assert allocation.facts == (Claimed(submitted.application_id, (), (seat.id,), (), NOW),)
    assert register.taken(mine) == 1


def test_a_submission_heard_after_its_row_chose_again_claims_beside_what_is_held(
    register: Register,
) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    (first,) = register.ask(hold(of, mine))
    (second,) = register.ask(hold(of, other))
    (claimed,) = register.ask(submit(of, first.id))
    assert claimed == first._replace(state="claimed")
    assert register.seats[second.id] == second


def test_a_submission_heard_late_takes_nothing_back_at_the_time_of_another_seat(
    register: Register,
) -> None:
    mine, later, of = register.open(), register.open(of=course(starts_at=time(18))), row()
    (seat,) = register.ask(hold(register.follow(of), mine))
    register.ask(release(seat))
    (other,) = register.ask(hold(register.follow(row(of=of)), later))
    submitted = submit(of, seat.id)
    told = Claimed(submitted.application_id, (), (seat.id,), (), NOW)
    assert register.settle(submitted).facts == (told,)
    assert [each for each in register.seats.values() if is_live(each)] == [other]


def test_a_submission_claims_the_seat_that_an_accepted_offer_put_in_place_of_its_own(
    register: Register,
) -> None:
    mine, full, of = register.open(), register.open(of=tuesday()), register.follow()
    (first,) = register.ask(hold(of, mine))
    (taken,) = register.fill(full)
    joined = join(of, full)
    register.settle(joined, release(taken), accept(joined))
    register.ask(submit(of, first.id))
    seat = register.seat_of(of)
    assert seat is not None
    assert (seat.id, seat.state) == (joined.place_id, "claimed")


def test_a_submission_older_than_a_refusal_claims_nothing(register: Register) -> None:
    mine, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, mine))
    register.ask(decline(of, at=NOW + MINUTE))
    assert register.ask(submit(of, seat.id)) == ()
    assert register.seat_of(of) is None


def test_a_submission_after_a_refusal_claims(register: Register) -> None:
    mine, of = register.open(), register.follow()
    register.ask(decline(of))
    (seat,) = register.ask(hold(of, mine), at=NOW + MINUTE)
    register.ask(submit(of, seat.id, at=NOW + 2 * MINUTE))
    claimed = register.seat_of(of)
    assert claimed is not None
    assert claimed.state == "claimed"


def test_declining_frees_what_a_student_had_claimed_or_held(register: Register) -> None:
    mine, other, of = register.open(), register.open(of=tuesday()), register.follow()
    another = register.follow(row(of=of))
    (claimed,) = register.ask(hold(of, mine))
    register.ask(submit(of, claimed.id))
    (held,) = register.ask(hold(another, other))
    allocation = register.settle(decline(of, at=NOW + MINUTE))
    assert set(allocation.facts) == {Freed(claimed.id), Freed(held.id)}
    assert (register.taken(mine), register.taken(other)) == (0, 0)


def test_what_was_chosen_after_declining_stays_however_late_it_is_heard(
    register: Register,
) -> None:
    mine, of = register.open(), register.follow()
    (seat,) = register.ask(hold(of, mine), at=NOW + MINUTE)
    register.ask(decline(of, at=NOW))
    assert register.seat_of(of) == seat


def test_declining_leaves_a_sibling_its_seat(register: Register) -> None:
    shared, of = register.open(2), register.follow()
    sibling = register.follow(row(sibling=of))
    register.settle(hold(of, shared), hold(sibling, shared), decline(of))
    assert register.seat_of(of) is None
    assert register.seat_of(sibling) is not None


def test_staff_place_a_row_in_a_course_with_a_seat_left_and_the_ledger_says_why(
    register: Register,
) -> None:
    old, new, of = register.open(), register.open(of=tuesday()), register.follow()
    (present,) = register.ask(hold(of, old))
    register.ask(submit(of, present.id))
    allocation = register.settle(place(of, new))
    seat = register.seat_of(of)
    assert seat is not None
    assert (seat.course_id, seat.state, seat.confirmed) == (new.id, "claimed", True)
    assert allocation.facts == (Placed(seat, present.id, "staff"),)
    assert {(line.reason, line.actor_id) for line in allocation.ledger} == {
        ("placed: son niveau a changé", SECRETARY)
    }
    assert (register.taken(old), register.taken(new)) == (0, 1)


def test_staff_place_even_when_the_campaign_has_closed(register: Register) -> None:
    free, of = register.open(), register.follow()
    (seat,) = register.ask(place(of, free), at=CAMPAIGN.closes_at + timedelta(days=30))
    assert (seat.course_id, seat.family_id) == (free.id, of.family_ids[0])


def test_staff_pass_neither_the_capacity_nor_the_waiting_list(register: Register) -> None:
    full, of = register.open(), register.follow()
    (taken,) = register.fill(full)
    with pytest.raises(Rejection, match="course_full"):
        register.ask(place(of, full))
    register.settle(join(register.follow(), full), release(taken))
    with pytest.raises(Rejection, match="course_full"):
        register.ask(place(of, full))


def test_what_a_placement_frees_is_offered(register: Register) -> None:
    old, new, of = register.open(), register.open(of=tuesday()), register.follow()
    register.ask(hold(of, old))
    joined = join(register.follow(), old)
    register.settle(joined, place(of, new))
    assert register.state_of(joined) == "offered"


def test_a_placement_where_the_row_is_already_claims_its_seat(register: Register) -> None:
    full, of = register.open(), register.follow()
    register.ask(hold(of, full))
    joined = join(register.follow(), full)
    register.settle(joined, place(of, full))
    seat = register.seat_of(of)
    assert seat is not None
    assert (seat.state, seat.confirmed) == ("claimed", True)
    assert register.counters[full.id] == (1, 1)


def test_a_repeated_placement_gives_its_seat_again(register: Register) -> None:
    free, of = register.open(), register.follow()
    asked = place(of, free)
    first, twin = register.settle(asked, asked).answers
    assert first == twin == register.ask(asked)
    other = register.open(of=tuesday())
    with pytest.raises(Rejection, match="hold_id_reused"):
        register.ask(place(of, other, seat_id=asked.seat_id))
    register.ask(decline(of, at=NOW + MINUTE))
    with pytest.raises(Rejection, match="hold_ended"):
        register.ask(asked)


def test_staff_place_within_their_site_and_what_the_row_may_have(register: Register) -> None:
    free, of = register.open(9), register.follow()
    refused = {
        place(of, free, site_id=uuid4()): "not_found",
        place(of, free)._replace(student_id=uuid4()): "not_found",
        place(of, register.open(of=course(level="2.2"))): "wrong_level",
        place(of, register.open(of=course(site_id=uuid4()))): "wrong_site",
    }
    assert register.answers(*refused) == list(refused.values())
    assert register.answers(place(of, free, site_id=None)) == ["granted"]


def test_staff_place_nobody_at_the_time_of_another_seat(register: Register) -> None:
    first, second, of = register.open(), register.open(), register.follow()
    register.ask(hold(register.follow(row(of=of)), first))
    with pytest.raises(Rejection, match="same_time"):
        register.ask(place(of, second))


def test_staff_confirm_a_claim_once_and_the_ledger_says_why(register: Register) -> None:
    of = register.follow()
    (seat,) = register.ask(hold(of, register.open()))
    (claimed,) = register.ask(submit(of, seat.id))
    allocation = register.settle(confirm(claimed), confirm(claimed))
    first, again = allocation.answers
    confirmed = claimed._replace(confirmed=True)
    assert first == again == (confirmed,)
    assert allocation.facts == (Confirmed(confirmed),)
    assert [(line.change, line.reason, line.actor_id) for line in allocation.ledger] == [
        ("confirmed", "vu avec le professeur", SECRETARY)
    ]


def test_staff_confirm_claims_of_their_site_alone(register: Register) -> None:
    of = register.follow()
    (held,) = register.ask(hold(of, register.open()))
    assert register.answers(confirm(held)) == ["not_claimed"]
    register.ask(submit(of, held.id))
    assert register.answers(confirm(held, site_id=uuid4())) == ["not_found"]
    assert register.answers(confirm(held._replace(id=uuid4()))) == ["not_found"]
    assert register.answers(confirm(held, site_id=None)) == ["granted"]
