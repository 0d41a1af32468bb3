"""What a student follows, the slots of next year, the seats held and the waiting lists."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, RequestBody
from shared.contract import Contract
from shared.contracts.courses import (
    AcceptOffer,
    ConfirmSeat,
    CourseRow,
    CourseRows,
    FollowedCourse,
    FollowedCourses,
    Hold,
    HoldSeats,
    JoinWaitingList,
    LeaveWaitingList,
    MyWaitingPlaces,
    PlaceStudent,
    Reason,
    ReleaseSeat,
    RenewHolds,
    WaitingPlace,
)

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Courses",
    description="What a student follows, the slots of next year, seats held and waiting lists.",
)


class Confirmation(Contract):
    """Why the staff confirm a seat, for the record."""

    reason: Reason


@get("/students/{student_id:uuid}/course-rows", responses=MINE)
async def list_course_rows(
    student_id: FromPath[UUID], campaign_id: FromQuery[UUID], person: NamedDependency[Person]
) -> tuple[CourseRow, ...]:
    """Give a row per course followed this year, with what next year offers for it (step 4).

    A row of mode `slot` offers `slots`, with the seats left; the others are re-enrolled without a
    choice.
    """
    return await person.ask(CourseRows(campaign_id=campaign_id, student_id=student_id))


@get("/students/{student_id:uuid}/followed-courses", responses=MINE)
async def list_followed_courses(
    student_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[FollowedCourse, ...]:
    """Give every course of a student, the latest school year first."""
    return await person.ask(FollowedCourses(student_id=student_id))


@post("/holds", status_code=200, responses=CHANGED)
async def hold_seats(
    data: RequestBody[HoldSeats], person: NamedDependency[Person]
) -> tuple[Hold, ...]:
    """Hold seats for one or several students, all or nothing, until `expires_at`.

    `hold_id` is the client's. Each request ranks up to three courses: the first one free is held.
    A row that already holds a seat swaps it in the same act; the seat of a submitted request stays
    beside it until an amendment is submitted. Refused: `course_full` (with
    `facts.course_id` and `facts.label`; its waiting list may be joined), `wrong_level`,
    `wrong_site`, `same_time`, `already_claimed`, `hold_ended` (mint another `hold_id`),
    `campaign_not_open`, `campaign_closed`.
    """
    return await person.ask(data)


@post("/holds/renewal", status_code=200, responses=CHANGED)
async def renew_holds(
    data: RequestBody[RenewHolds], person: NamedDependency[Person]
) -> tuple[Hold, ...]:
    """Prolong holds while the family is active: 20 minutes from now, 60 in all from the first.

    Answers those that still are; one that ended is left out: hold again.
    """
    return await person.ask(data)


@delete("/holds/{hold_id:uuid}", responses=CHANGED)
async def release_seat(hold_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Give a held seat back; one already released stays so. Refused: `already_claimed`."""
    await person.ask(ReleaseSeat(hold_id=hold_id))


@put("/holds/{hold_id:uuid}/confirmation", responses=CHANGED)
async def confirm_seat(
    hold_id: FromPath[UUID], data: RequestBody[Confirmation], person: NamedDependency[Person]
) -> Hold:
    """Confirm a claimed seat (staff of the site, or operator). Confirming again changes nothing.

    Refused: `not_claimed`.
    """
    return await person.ask(ConfirmSeat(hold_id=hold_id, reason=data.reason))


@post("/placements", status_code=200, responses=CHANGED)
async def place_student(data: RequestBody[PlaceStudent], person: NamedDependency[Person]) -> Hold:
    """Place a student's row in a course (staff of the site, or operator): claimed at once.

    `hold_id` is the client's. The row's former seat is given up in the same act. Refused:
    `course_full` (also where families wait: the next of them is offered it first), `wrong_level`,
    `wrong_site`, `same_time`, `hold_ended`, `hold_id_reused`.
    """
    return await person.ask(data)


@get("/waiting-places", responses=MINE)
async def list_waiting_places(person: NamedDependency[Person]) -> tuple[WaitingPlace, ...]:
    """Give every place of the family on waiting lists, the seats offered first.

    `rank` is 1 for the next to be offered a seat; a seat `offered` is kept until `offered_until`.
    """
    return await person.ask(MyWaitingPlaces())


@post("/waiting-places", status_code=200, responses=CHANGED)
async def join_waiting_list(
    data: RequestBody[JoinWaitingList], person: NamedDependency[Person]
) -> WaitingPlace:
    """Wait for a seat in a full course; the row keeps its present seat meanwhile.

    `place_id` is the client's. A row that waits for that course already is answered its present
    place. Refused: `course_not_full` (hold a seat instead), `already_held` (the row has a seat
    there), `place_ended` (mint another `place_id`), `wrong_level`, `wrong_site`,
    `campaign_not_open`, `campaign_closed`.
    """
    return await person.ask(data)


@delete("/waiting-places/{place_id:uuid}", responses=CHANGED)
async def leave_waiting_list(place_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Wait no longer, or refuse the seat offered: it goes to the next. Repeating changes nothing.

    An offer that was accepted is no longer a place: its seat is a hold of the same identifier.
    """
    await person.ask(LeaveWaitingList(place_id=place_id))


@put("/waiting-places/{place_id:uuid}/acceptance", responses=CHANGED)
async def accept_offer(place_id: FromPath[UUID], person: NamedDependency[Person]) -> Hold:
    """Take the seat offered, and give up the row's present one, in one act.

    The hold has the identifier of the place; it is `claimed` at once where the application was
    submitted, and otherwise `held` until `expires_at`. Refused: `offer_ended` (expired, refused or
    left), `not_offered` (still waiting), `same_time`.
    """
    return await person.ask(AcceptOffer(place_id=place_id))


ROUTES = [
    list_course_rows,
    list_followed_courses,
    hold_seats,
    renew_holds,
    release_seat,
    confirm_seat,
    place_student,
    list_waiting_places,
    join_waiting_list,
    leave_waiting_list,
    accept_offer,
]
