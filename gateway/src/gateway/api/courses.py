"""What a student follows, the slots of next year and the seats held."""

from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, RequestBody
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    FollowedCourse,
    FollowedCourses,
    Hold,
    HoldSeats,
    ReleaseSeat,
)

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Courses",
    description="What a student follows, the slots of next year and the seats held.",
)


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
    A row that already holds a seat swaps it in the same act. Refused: `course_full` (with
    `facts.course_id` and `facts.label`), `wrong_level`, `wrong_site`, `same_time`,
    `campaign_not_open`, `campaign_closed`.
    """
    return await person.ask(data)


@delete("/holds/{hold_id:uuid}", responses=CHANGED)
async def release_seat(hold_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Give a held seat back; one already released stays so. Refused: `already_claimed`."""
    await person.ask(ReleaseSeat(hold_id=hold_id))


ROUTES = [list_course_rows, list_followed_courses, hold_seats, release_seat]
