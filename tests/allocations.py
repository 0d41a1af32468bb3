"""Courses, rows and what may be asked of seats, valid by default; and a register in memory.

The register keeps what PostgreSQL keeps and reads for a batch what the service reads; it shares
nothing with the book by which a batch is decided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

from courses.allocation import Allocation, Answer, allocate
from courses.book import Key, LedgerLine, Rooms
from courses.requests import (
    AcceptRequest,
    ClaimRequest,
    ConfirmRequest,
    DeclineRequest,
    ExpireRequest,
    HoldRequest,
    JoinRequest,
    LeaveRequest,
    OfferRequest,
    PlaceRequest,
    ReleaseRequest,
    RenewRequest,
    Request,
    Scope,
    Wish,
)
from courses.seats import Campaign, Course, Filing, Place, Room, Row, Seat, Slot
from shared.contract import Rejection

NOW = datetime(2027, 5, 12, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITE = uuid4()
CAMPAIGN = Campaign(uuid4(), SITE, "2027-2028", NOW - timedelta(hours=1), NOW + timedelta(days=10))
PARENT = uuid4()
"""The account that asks, where it does not matter whose it is."""
SECRETARY = uuid4()


def course(
    *,
    id: UUID | None = None,  # noqa: A002 - it is the field's name
    weekday: str = "LUNDI",
    starts_at: time = time(17),
    level: str = "2.1",
    curriculum: str = "FM",
    school_year: str = "2027-2028",
    site_id: UUID = SITE,
    is_chosen: bool = True,
) -> Course:
    """A group of next year whose slot is chosen, of an hour and a half."""
    course_id = id or uuid4()
    return Course(
        id=course_id,
        site_id=site_id,
        school_year=school_year,
        next_year="2028-2029",
        curriculum=curriculum,
        level=level,
        label=f"{curriculum} {level} ({str(course_id)[:4]})",
        is_chosen=is_chosen,
        slot=Slot(weekday, starts_at, time(starts_at.hour + 1, 30)),
    )


def row(*, of: Row | None = None, sibling: Row | None = None) -> Row:
    """A row that goes on in FM 2.1: of a new student, or of the one, or the family, of another."""
    relative = of or sibling
    return Row(
        follow_id=uuid4(),
        student_id=of.student_id if of else uuid4(),
        family_ids=relative.family_ids if relative else (uuid4(),),
        site_id=SITE,
        school_year="2027-2028",
        curriculum="FM",
        next_level="2.1",
    )


def hold(
    of: Row,
    *courses: Course,
    hold_id: UUID | None = None,
    family_id: UUID | None = None,
    give_back: tuple[UUID, ...] = (),
) -> HoldRequest:
    """A family's wish for one row: the first free of some courses."""
    wished = Wish(
        hold_id or uuid4(), of.student_id, of.follow_id, tuple(each.id for each in courses)
    )
    return HoldRequest(
        CAMPAIGN.id, family_id or of.family_ids[0], SITE, PARENT, (wished,), give_back
    )


def together(*requests: HoldRequest) -> HoldRequest:
    """The wishes of several requests as one act."""
    wishes = tuple(wish for request in requests for wish in request.wishes)
    return requests[0]._replace(wishes=wishes)


def release(seat: Seat) -> ReleaseRequest:
    """A family gives its seat back."""
    return ReleaseRequest(seat.id, seat.family_id, PARENT)


def renew(*seats: Seat) -> RenewRequest:
    """A family is active."""
    return RenewRequest(tuple(seat.id for seat in seats), seats[0].family_id)


def join(of: Row, wanted: Course, *, place_id: UUID | None = None) -> JoinRequest:
    """A row waits for a course."""
    return JoinRequest(
        place_id or uuid4(),
        CAMPAIGN.id,
        of.family_ids[0],
        SITE,
        of.student_id,
        of.follow_id,
        wanted.id,
    )


def leave(joined: JoinRequest) -> LeaveRequest:
    """Whoever joined waits no longer, or refuses its offer."""
    return LeaveRequest(joined.place_id, joined.family_id, PARENT)


def accept(joined: JoinRequest) -> AcceptRequest:
    """Whoever joined takes what it is offered."""
    return AcceptRequest(joined.place_id, joined.family_id, SITE, PARENT)


def submit(of: Row, *seat_ids: UUID, at: datetime = NOW, left: Sequence[Row] = ()) -> ClaimRequest:
    """The application of a row's student is submitted, with some seats, and without some rows."""
    rows = frozenset(each.follow_id for each in left)
    return ClaimRequest(uuid4(), CAMPAIGN.id, of.student_id, seat_ids, rows, at, received_at=at)


def decline(of: Row, *, at: datetime = NOW) -> DeclineRequest:
    """The family of a row does not re-enrol its student, or withdraws."""
    return DeclineRequest(CAMPAIGN.id, of.student_id, at)


def expire(*, seats: Sequence[UUID] = (), places: Sequence[UUID] = ()) -> ExpireRequest:
    """Some holds and offers look expired."""
    return ExpireRequest(tuple(seats), tuple(places))


def offer(*courses: Course) -> OfferRequest:
    """Some courses may have more seats."""
    return OfferRequest(tuple(each.id for each in courses))


def place(
    of: Row, wanted: Course, *, seat_id: UUID | None = None, site_id: UUID | None = SITE
) -> PlaceRequest:
    """The secretariat places a row in a course."""
    return PlaceRequest(
        seat_id or uuid4(),
        CAMPAIGN.id,
        site_id,
        SECRETARY,
        of.student_id,
        of.follow_id,
        wanted.id,
        "son niveau a changé",
    )


def confirm(seat: Seat, *, site_id: UUID | None = SITE) -> ConfirmRequest:
    """The secretariat confirms a seat."""
    return ConfirmRequest(seat.id, site_id, SECRETARY, "vu avec le professeur")


@dataclass(repr=False)
class Register:
    """Seats, waiting lists, counters and ledger, as batch after batch leaves them."""

    courses: dict[UUID, Course] = field(default_factory=dict)
    capacities: dict[UUID, int] = field(default_factory=dict)
    rows: dict[UUID, Row] = field(default_factory=dict)
    campaigns: dict[UUID, Campaign] = field(default_factory=lambda: {CAMPAIGN.id: CAMPAIGN})
    seats: dict[UUID, Seat] = field(default_factory=dict)
    places: dict[UUID, Place] = field(default_factory=dict)
    """In the order in which they joined."""
    counters: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    """The seats taken and who waits, by course, as the batches count them."""
    filings: dict[Key, Filing] = field(default_factory=dict)
    ledger: list[LedgerLine] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"Register of {list(self.capacities.values())} seats, {self.counters} by now"

    def open(self, capacity: int = 1, *, of: Course | None = None) -> Course:
        """Open a course of so many seats."""
        opened = of or course()
        self.courses[opened.id] = opened
        self.capacities[opened.id] = capacity
        self.counters[opened.id] = (0, 0)
        return opened

    def follow(self, of: Row | None = None) -> Row:
        """Have a row followed this year."""
        followed = of or row()
        self.rows[followed.follow_id] = followed
        return followed

    def fill(self, course: Course) -> list[Seat]:
        """Have other families hold every seat that is left in a course."""
        left = self.capacities[course.id] - self.taken(course)
        return [seat for _ in range(left) for seat in self.ask(hold(self.follow(), course))]

    def ask(self, request: Request, at: datetime = NOW) -> tuple[Seat, ...]:
        """Have one request decided alone; raises the Rejection that refuses it."""
        (answer,) = self.settle(request, at=at).answers
        if isinstance(answer, Rejection):
            raise answer
        return answer

    def answers(self, *requests: Request, at: datetime = NOW) -> list[str]:
        """Have a batch decided; give a word for each: the refusal's code, or "granted"."""
        return [word(answer) for answer in self.settle(*requests, at=at).answers]

    def settle(self, *requests: Request, at: datetime = NOW) -> Allocation:
        """Have a batch decided and keep what it changes."""
        allocation = allocate(requests, self.read_for(requests), at)
        self.seats |= {seat.id: seat for seat in allocation.seats}
        self.places |= {place.id: place for place in allocation.places}
        self.counters |= allocation.counters
        self.filings |= allocation.filings
        self.ledger += allocation.ledger
        return allocation

    def bring_in(self, capacities: Mapping[UUID, int], at: datetime = NOW) -> None:
        """Import the capacities of some courses: those who wait are offered what that adds."""
        self.capacities |= capacities
        waited_for = tuple(each for each in capacities if self.counters[each][1])
        if waited_for:
            self.settle(OfferRequest(waited_for), at=at)

    def read_for(self, requests: Sequence[Request]) -> Rooms:
        """Give what the service reads for a batch."""
        scope = Scope()
        for request in requests:
            request.concern(scope)
        named: list[Seat | Place] = [
            *(self.seats[each] for each in scope.named_seats if each in self.seats),
            *(self.places[each] for each in scope.named_places if each in self.places),
        ]
        students = scope.students | {each.student_id for each in named}
        filed = students if scope.named_places else scope.waiting_students
        named_seats = scope.seats | scope.named_seats
        seats = {
            seat.id: seat
            for seat in self.seats.values()
            if seat.id in named_seats or (is_live(seat) and seat.student_id in students)
        }
        places = {
            place.id: place
            for place in self.places.values()
            if place.id in scope.named_places or place.student_id in scope.waiting_students
        }
        campaigns = scope.campaigns | {each.campaign_id for each in named}
        freed_in = (
            scope.courses
            | {each.course_id for each in named}
            | {seat.course_id for seat in seats.values()}
            | {place.course_id for place in places.values()}
        )
        rooms = {
            key: self.room(each) if key in freed_in else self.room(each)._replace(line=())
            for key, each in self.courses.items()
            if key in freed_in | scope.wished
        }
        return Rooms(
            rooms=rooms,
            rows={key: each for key, each in self.rows.items() if key in scope.follows},
            campaigns={key: each for key, each in self.campaigns.items() if key in campaigns},
            seats=seats,
            places=places,
            filings={key: each for key, each in self.filings.items() if key[1] in filed},
        )

    def read_whole(self) -> Rooms:
        """Give all there is."""
        return Rooms(
            rooms={key: self.room(each) for key, each in self.courses.items()},
            rows=self.rows,
            campaigns=self.campaigns,
            seats=self.seats,
            places=self.places,
            filings=self.filings,
        )

    def copy(self) -> "Register":
        """Give a register of its own that begins where this one is."""
        return Register(
            dict(self.courses),
            dict(self.capacities),
            dict(self.rows),
            dict(self.campaigns),
            dict(self.seats),
            dict(self.places),
            dict(self.counters),
            dict(self.filings),
            list(self.ledger),
        )

    def room(self, course: Course) -> Room:
        """Give a course with its counters and its line."""
        taken, waiting = self.counters[course.id]
        line = tuple(self.line(course))
        return Room(course, self.capacities[course.id], taken, waiting, line)

    def taken(self, course: Course) -> int:
        """Give how many seats of a course are counted as taken."""
        return self.counters[course.id][0]

    def left(self, course: Course) -> int:
        """Count the seats that anyone may take."""
        taken, waiting = self.counters[course.id]
        return max(0, self.capacities[course.id] - taken - waiting)

    def line(self, course: Course) -> list[Place]:
        """Give who waits for a course, in order."""
        return [
            place
            for place in self.places.values()
            if place.course_id == course.id and place.state == "waiting"
        ]

    def seat_of(self, row: Row) -> Seat | None:
        """Give the live seat of a row."""
        live = (seat for seat in self.seats.values() if is_live(seat))
        return next((seat for seat in live if seat.follow_id == row.follow_id), None)

    def state_of(self, joined: JoinRequest) -> str:
        """Give what became of a place."""
        return self.places[joined.place_id].state


def is_live(seat: Seat) -> bool:
    """Tell whether a seat is held or claimed."""
    return seat.state != "released"


def word(answer: Answer) -> str:
    """Give an answer as a word: the refusal's code, or "granted"."""
    return answer.code if isinstance(answer, Rejection) else "granted"
