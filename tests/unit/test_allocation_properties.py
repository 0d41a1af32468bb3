"""Whatever is asked of seats, in whatever batches, they are allocated soundly."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from uuid import UUID

from courses.allocation import Allocation, Answer, allocate
from courses.book import Claimed
from courses.requests import ClaimRequest, HoldRequest, Request, Scope
from courses.seats import Seat
from hypothesis import HealthCheck, given, settings
from shared.contract import Rejection

from tests.allocations import Register, is_live, word
from tests.histories import COURSES, Batch, histories, settle_all

type History = tuple[Register, list[Batch]]

whatever_is_asked = given(histories())
often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _until_last(history: History) -> tuple[Register, Batch]:
    """Have all but the last batch decided; give how things stand, and that one."""
    register, (*earlier, last) = history
    settle_all(register, earlier)
    register.bring_in(last.capacities, at=last.now)
    return register, last


def _step_by_step(history: History) -> Iterator[tuple[Request, Register, Allocation]]:
    """Decide one request after the other; give each with the register as it was before."""
    register, batches = history
    for batch in batches:
        register.bring_in(batch.capacities, at=batch.now)
        for request in batch.requests:
            before = register.copy()
            yield request, before, register.settle(request, at=batch.now)


def _told(answers: Sequence[Answer]) -> list[object]:
    """Give answers in a form that compares."""
    return [
        (answer.code, answer.facts) if isinstance(answer, Rejection) else answer
        for answer in answers
    ]


def _standing(register: Register) -> tuple[object, ...]:
    """Give all that a register keeps, in a form that compares."""
    places = list(register.places.values())
    ledger = Counter(register.ledger)
    return register.seats, places, register.counters, register.filings, ledger


@often
@whatever_is_asked
def test_seats_never_exceed_capacity_and_the_counters_are_what_they_count(
    history: History,
) -> None:
    register, batches = history
    for batch in batches:
        register.bring_in(batch.capacities, at=batch.now)
        before = dict(register.counters)
        register.settle(*batch.requests, at=batch.now)
        for each in COURSES:
            taken, waiting = register.counters[each.id]
            # a capacity lowered under what was taken: it only shrinks
            assert taken <= max(register.capacities[each.id], before[each.id][0])
            seats = [s for s in register.seats.values() if s.course_id == each.id and is_live(s)]
            places = [p for p in register.places.values() if p.course_id == each.id]
            states = Counter(place.state for place in places)
            assert taken == len(seats) + states["offered"]
            assert waiting == states["waiting"]
            assert taken == sum(line.step for line in register.ledger if line.course_id == each.id)


@often
@whatever_is_asked
def test_a_row_holds_one_seat_claims_one_and_waits_once_for_a_course(history: History) -> None:
    register, batches = history
    settle_all(register, batches)
    seats = [(seat.follow_id, seat.state) for seat in register.seats.values() if is_live(seat)]
    places = [
        (place.follow_id, place.course_id) for place in register.places.values() if place.is_live
    ]
    assert len(seats) == len(set(seats))
    assert len(places) == len(set(places))


@often
@whatever_is_asked
def test_no_seat_that_is_told_as_missing_is_left(history: History) -> None:
    register, last = _until_last(history)
    for request in last.requests:
        for fact in register.settle(request, at=last.now).facts:
            if isinstance(fact, Claimed):
                missing = [register.seats.get(seat_id) for seat_id in fact.missing_ids]
                theirs = [seat for seat in missing if seat and _is_of(seat, request)]
                assert not any(is_live(seat) for seat in theirs)


def _is_of(seat: Seat, request: Request) -> bool:
    return isinstance(request, ClaimRequest) and seat.student_id == request.student_id


@often
@whatever_is_asked
def test_a_student_is_never_in_two_places_at_once(history: History) -> None:
    register, batches = history
    settle_all(register, batches)
    for state in ("held", "claimed"):
        live = [seat for seat in register.seats.values() if seat.state == state]
        for one, other in combinations(live, 2):
            slots = [register.courses[seat.course_id].slot for seat in (one, other)]
            if one.student_id == other.student_id and slots[0] and slots[1]:
                assert not slots[0].meets_during(slots[1])


@often
@whatever_is_asked
def test_a_batch_cut_in_two_gives_what_the_whole_gives(history: History) -> None:
    whole, last = _until_last(history)
    cut, middle = whole.copy(), len(last.requests) // 2
    together = whole.settle(*last.requests, at=last.now)
    first = cut.settle(*last.requests[:middle], at=last.now)
    second = cut.settle(*last.requests[middle:], at=last.now)
    assert _told(first.answers + second.answers) == _told(together.answers)
    assert Counter(first.facts + second.facts) == Counter(together.facts)
    assert _standing(cut) == _standing(whole)


@often
@whatever_is_asked
def test_asked_twice_in_a_batch_a_request_has_one_answer_and_changes_nothing_more(
    history: History,
) -> None:
    once, last = _until_last(history)
    twice = once.copy()
    answers = _told(once.settle(*last.requests, at=last.now).answers)
    doubled = [request for each in last.requests for request in (each, each)]
    twins = _told(twice.settle(*doubled, at=last.now).answers)
    assert twins[::2] == twins[1::2] == answers
    assert _standing(twice) == _standing(once)


@often
@whatever_is_asked
def test_asked_again_in_a_later_batch_a_request_has_its_answer_and_changes_nothing_more(
    history: History,
) -> None:
    register, last = _until_last(history)
    for request in last.requests:
        first = register.settle(request, at=last.now)
        after = register.copy()
        again = register.settle(request, at=last.now)
        assert _told(again.answers) == _told(first.answers)
        assert _standing(register) == _standing(after)


@often
@whatever_is_asked
def test_what_is_refused_changes_nothing(history: History) -> None:
    register, last = _until_last(history)
    without = register.copy()
    allocation = register.settle(*last.requests, at=last.now)
    granted = [
        request
        for request, answer in zip(last.requests, allocation.answers, strict=True)
        if not isinstance(answer, Rejection)
    ]
    alone = without.settle(*granted, at=last.now)
    assert not [answer for answer in alone.answers if isinstance(answer, Rejection)]
    assert Counter(alone.facts) == Counter(allocation.facts)
    assert _standing(without) == _standing(register)


@often
@whatever_is_asked
def test_a_family_has_every_seat_that_it_wished_or_none(history: History) -> None:
    for request, _, allocation in _step_by_step(history):
        (answer,) = allocation.answers
        if not isinstance(request, HoldRequest):
            continue
        if isinstance(answer, Rejection):
            assert (allocation.seats, allocation.ledger, allocation.facts) == ((), (), ())
            continue
        for seat, wish in zip(answer, request.wishes, strict=True):
            assert (seat.follow_id, is_live(seat)) == (wish.follow_id, True)
            assert seat.course_id in wish.course_ids


@often
@whatever_is_asked
def test_nobody_gets_a_seat_that_somebody_before_was_refused(history: History) -> None:
    register, batches = history
    for batch in batches:
        register.bring_in(batch.capacities, at=batch.now)
        full: set[UUID] = set()
        for request in batch.requests:
            allocation = register.settle(request, at=batch.now)
            # a seat is freed, or whoever it was kept for waits no longer
            full = {each.id for each in COURSES if each.id in full and not register.left(each)}
            if isinstance(request, HoldRequest):
                taken = {line.course_id for line in allocation.ledger if line.step > 0}
                given_up = {line.course_id for line in allocation.ledger if line.step < 0}
                assert not full & (taken - given_up)
                if word(allocation.answers[0]) == "course_full" and len(request.wishes) == 1:
                    full |= set(request.wishes[0].course_ids)


@often
@whatever_is_asked
def test_a_waiting_list_is_served_in_its_order_and_not_with_what_one_freed_oneself(
    history: History,
) -> None:
    register, _ = history
    for _, before, allocation in _step_by_step(history):
        for each in COURSES:
            line = before.line(each)
            states = [register.places[place.id].state for place in line]
            offered = [
                place for place, state in zip(line, states, strict=True) if state == "offered"
            ]
            last = line.index(offered[-1]) if offered else 0
            passed_over = {
                place.student_id
                for place, state in zip(line[:last], states[:last], strict=True)
                if state == "waiting"
            }
            freed_by = {
                change.student_id
                for change in allocation.ledger
                if change.course_id == each.id and change.step < 0
            }
            assert passed_over <= freed_by
            if len(freed_by) == 1:
                assert not freed_by & {place.student_id for place in offered}


@often
@whatever_is_asked
def test_a_course_with_a_waiting_list_gives_no_seat_to_others(history: History) -> None:
    register, _ = history
    for _, before, allocation in _step_by_step(history):
        for each in COURSES:
            still = [
                place for place in before.line(each) if register.places[place.id].state == "waiting"
            ]
            changes = [line for line in allocation.ledger if line.course_id == each.id]
            given = sum(line.step for line in changes if line.change in ("held", "claimed"))
            given_up = sum(line.step for line in changes if line.change == "released")
            if still and given + given_up > 0:
                # only beyond a seat for each of those who wait
                assert register.capacities[each.id] - register.taken(each) >= len(still)


@often
@whatever_is_asked
def test_what_shares_neither_a_student_nor_a_course_may_come_in_any_order(
    history: History,
) -> None:
    register, last = _until_last(history)
    groups = _groups(register, last.requests)
    # the last group first, each in its own order
    order = sorted(range(len(last.requests)), key=lambda number: -groups[number])
    shuffled = register.copy()
    answers = _told(register.settle(*last.requests, at=last.now).answers)
    others = shuffled.settle(*(last.requests[number] for number in order), at=last.now)
    assert [answers[number] for number in order] == _told(others.answers)
    assert (register.seats, register.counters) == (shuffled.seats, shuffled.counters)
    assert Counter(register.ledger) == Counter(shuffled.ledger)
    assert list(map(register.line, COURSES)) == list(map(shuffled.line, COURSES))


def _groups(register: Register, requests: Sequence[Request]) -> list[int]:
    """Number requests by group: two of different groups share nothing, directly or not."""
    touched = [_touched(register, request) for request in requests]
    groups = list(range(len(requests)))
    for mine, other in combinations(range(len(requests)), 2):
        if touched[mine] & touched[other]:
            groups = [groups[mine] if group == groups[other] else group for group in groups]
    return groups


def _touched(register: Register, request: Request) -> set[UUID]:
    """Give the students, the courses and the identifiers that a request concerns."""
    scope = Scope()
    request.concern(scope)
    rooms = register.read_for([request])
    return {
        *rooms.rooms,
        *(seat.student_id for seat in rooms.seats.values()),
        *(place.student_id for place in rooms.places.values()),
        *scope.students,
        *scope.seats,
        *scope.named_seats,
        *scope.named_places,
    }


@often
@whatever_is_asked
def test_what_is_read_for_a_batch_is_all_that_counts(history: History) -> None:
    register, last = _until_last(history)
    knowing_all = allocate(last.requests, register.read_whole(), last.now)
    allocation = register.settle(*last.requests, at=last.now)
    assert _told(allocation.answers) == _told(knowing_all.answers)
    assert Counter(allocation.ledger) == Counter(knowing_all.ledger)
    assert Counter(allocation.facts) == Counter(knowing_all.facts)
    assert allocation.counters == knowing_all.counters
