"""What some families, the secretariat and time may ask of a few courses, in any order.

Everything that may be named comes from a small stock, so that requests meet: the same seat given
back and claimed, the same identifier used twice, the last seat wanted by all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from courses.requests import (
    AcceptRequest,
    ClaimRequest,
    ConfirmRequest,
    DeclineRequest,
    ExpireRequest,
    HoldRequest,
    JoinRequest,
    LeaveRequest,
    PlaceRequest,
    ReleaseRequest,
    RenewRequest,
    Request,
    Wish,
)
from courses.seats import MARGIN, OFFER, Row
from hypothesis import strategies as st

from tests.allocations import (
    CAMPAIGN,
    MINUTE,
    NOW,
    PARENT,
    SECRETARY,
    SITE,
    Register,
    course,
    is_live,
    row,
)

COURSES = (
    course(id=UUID(int=1), weekday="LUNDI"),
    course(id=UUID(int=2), weekday="LUNDI", starts_at=time(18)),
    course(id=UUID(int=3), weekday="MARDI"),
    course(id=UUID(int=4), weekday="JEUDI", level="2.2"),
)
_FAMILIES = tuple(UUID(int=10 + number) for number in range(4))


def _row(number: int, student: int, *families: int) -> Row:
    return row()._replace(
        follow_id=UUID(int=100 + number),
        student_id=UUID(int=200 + student),
        family_ids=tuple(_FAMILIES[family] for family in families),
    )


ROWS = (
    _row(0, 0, 0),
    _row(1, 0, 0),
    _row(2, 1, 0),
    _row(3, 2, 1),
    _row(4, 3, 1),
    _row(5, 4, 2, 3),
    _row(6, 5, 3),
)


class Named(NamedTuple):
    """An identifier of the stock, and the row and course that it is meant for."""

    id: UUID
    row: Row
    course_id: UUID | None = None


_SEATS = tuple(
    Named(UUID(int=1000 + 10 * number + again), of)
    for number, of in enumerate(ROWS)
    for again in range(4)
)
_PLACES = tuple(
    Named(UUID(int=2000 + 100 * number + 10 * order + again), of, wanted.id)
    for number, of in enumerate(ROWS)
    for order, wanted in enumerate(COURSES)
    for again in range(2)
)
_BY_ID = {named.id: named for named in (*_SEATS, *_PLACES)}

_rows = st.sampled_from(ROWS)
_course_ids = st.sampled_from([COURSES[number].id for number in (0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3)])
_sites = st.sampled_from((SITE, SITE, SITE, SITE, None, UUID(int=9)))
_a_while = st.sampled_from([minutes * MINUTE for minutes in (0, 0, 1, 15, 40)])
_pauses = st.sampled_from((timedelta(0), MINUTE, 15 * MINUTE, 30 * MINUTE, OFFER + 2 * MARGIN))


class Batch(NamedTuple):
    """What is asked together, and when; ``capacities`` were imported just before."""

    now: datetime
    capacities: dict[UUID, int]
    requests: tuple[Request, ...]


class _Drawing:
    """One batch while it is drawn: mostly of what exists by then, or what it asks for itself."""

    def __init__(self, draw: st.DrawFn, register: Register, now: datetime) -> None:
        self._draw = draw
        self._now = now
        # what is live is worth naming more often than what ended
        self._seats = [
            _BY_ID[seat.id]
            for seat in register.seats.values()
            for _ in range(4 if is_live(seat) else 1)
        ]
        self._places = [
            _BY_ID[place.id]
            for place in register.places.values()
            for _ in range({"offered": 8, "waiting": 2}.get(place.state, 1))
        ]

    def opening(self) -> Batch:
        """Have every row ask for a seat, and wait for another: few get one."""
        seats = [self._hold_one(of) for of in ROWS]
        return Batch(self._now, {}, (*seats, *(self._join(of) for of in ROWS)))

    def batch(self) -> Batch:
        """Ask whatever comes to mind."""
        imported = st.dictionaries(_course_ids, st.integers(0, 3), max_size=2)
        capacities = self._draw(imported) if self._draw(st.integers(0, 2)) == 0 else {}
        count = self._draw(st.integers(1, 12))
        return Batch(self._now, capacities, tuple(self._request() for _ in range(count)))

    def _request(self) -> Request:
        kinds: Sequence[Callable[[], Request]] = (
            self._hold,
            self._hold,
            self._hold_one,
            self._hold_one,
            self._join,
            self._join,
            self._join,
            self._join,
            self._accept,
            self._accept,
            self._leave,
            self._release,
            self._release,
            self._renew,
            self._claim,
            self._decline,
            self._confirm,
            self._place,
            self._expire,
        )
        ask = self._draw(st.sampled_from(kinds))
        return ask()

    def _hold(self) -> HoldRequest:
        first = self._draw(_rows)
        siblings = [of for of in ROWS if of.family_ids == first.family_ids and of != first]
        others = st.lists(st.sampled_from(siblings), unique=True, max_size=2)
        wishes = tuple(
            self._wish(of, self._draw(st.lists(_course_ids, min_size=1, max_size=3, unique=True)))
            for of in (first, *(self._draw(others) if siblings else ()))
        )
        theirs = [named.id for named in self._seats if named.row.family_ids == first.family_ids]
        return HoldRequest(
            CAMPAIGN.id,
            self._family(first),
            SITE,
            PARENT,
            wishes,
            tuple(self._draw(st.lists(st.sampled_from(theirs), max_size=1))) if theirs else (),
        )

    def _hold_one(self, of: Row | None = None) -> HoldRequest:
        of = of or self._draw(_rows)
        wish = self._wish(of, [self._draw(_course_ids)])
        return HoldRequest(CAMPAIGN.id, self._family(of), SITE, PARENT, (wish,))

    def _wish(self, of: Row, course_ids: list[UUID]) -> Wish:
        named = self._draw(st.sampled_from([named for named in _SEATS if named.row == of]))
        self._seats.append(named)
        return Wish(named.id, of.student_id, of.follow_id, tuple(course_ids))

    def _join(self, of: Row | None = None) -> JoinRequest:
        named = self._draw(st.sampled_from([each for each in _PLACES if of in (None, each.row)]))
        self._places.append(named)
        return JoinRequest(
            named.id,
            CAMPAIGN.id,
            self._family(named.row),
            SITE,
            named.row.student_id,
            named.row.follow_id,
            named.course_id or COURSES[0].id,
        )

    def _accept(self) -> AcceptRequest:
        named = self._waiting()
        return AcceptRequest(named.id, self._family(named.row), SITE, PARENT)

    def _leave(self) -> LeaveRequest:
        named = self._waiting()
        return LeaveRequest(named.id, self._family(named.row), PARENT)

    def _release(self) -> ReleaseRequest:
        named = self._seat()
        return ReleaseRequest(named.id, self._family(named.row), PARENT)

    def _renew(self) -> RenewRequest:
        named = self._seat()
        return RenewRequest((named.id,), self._family(named.row))

    def _claim(self) -> ClaimRequest:
        named = self._seat()
        others = [
            each
            for each in self._seats
            if each.row.student_id == named.row.student_id and each.id != named.id
        ]
        besides = self._draw(st.lists(st.sampled_from(others), max_size=2)) if others else []
        left = [] if self._draw(st.integers(0, 3)) else [self._draw(_rows)]
        received_at = self._now - self._draw(_a_while)
        return ClaimRequest(
            UUID(int=7),
            CAMPAIGN.id,
            named.row.student_id,
            tuple(each.id for each in (named, *besides)) if self._draw(st.integers(0, 4)) else (),
            frozenset(each.follow_id for each in left),
            received_at - self._draw(_a_while),
            received_at,
        )

    def _decline(self) -> DeclineRequest:
        student_id = self._draw(_rows).student_id
        return DeclineRequest(CAMPAIGN.id, student_id, self._now - self._draw(_a_while))

    def _confirm(self) -> ConfirmRequest:
        site_id = self._draw(_sites)
        return ConfirmRequest(self._seat().id, site_id, SECRETARY, "vu avec le professeur")

    def _place(self) -> PlaceRequest:
        of = self._draw(_rows)
        wish = self._wish(of, [self._draw(_course_ids)])
        return PlaceRequest(
            wish.hold_id,
            CAMPAIGN.id,
            self._draw(_sites),
            SECRETARY,
            of.student_id,
            of.follow_id,
            wish.course_ids[0],
            "son niveau a changé",
        )

    def _expire(self) -> ExpireRequest:
        return ExpireRequest(tuple(_BY_ID), tuple(_BY_ID))

    def _seat(self) -> Named:
        return self._draw(st.sampled_from(self._seats or _SEATS))

    def _waiting(self) -> Named:
        return self._draw(st.sampled_from(self._places or _PLACES))

    def _family(self, of: Row) -> UUID:
        """Mostly the row's own family."""
        if self._draw(st.integers(0, 15)):
            return self._draw(st.sampled_from(of.family_ids))
        return self._draw(st.sampled_from(_FAMILIES))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Register, list[Batch]]:
    """Courses of few seats which nobody has yet, and batches one after the other."""
    register = Register()
    for each in COURSES:
        register.open(draw(st.sampled_from((1, 1, 1, 2, 0))), of=each)
    for of in ROWS:
        register.follow(of)
    now, later = NOW, register.copy()
    batches = [_Drawing(draw, later, now).opening()]
    for _ in range(draw(st.integers(1, 4))):
        settle_all(later, batches[-1:])
        now += draw(_pauses)
        batches.append(_Drawing(draw, later, now).batch())
    return register, batches


def settle_all(register: Register, batches: Sequence[Batch]) -> None:
    """Have batches decided one after the other."""
    for batch in batches:
        register.bring_in(batch.capacities, at=batch.now)
        register.settle(*batch.requests, at=batch.now)
