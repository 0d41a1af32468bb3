"""Courses, wired: what it answers, what it reacts to, and what comes round."""

from pathlib import Path

from shared.service import Chore, Service
from shared.settings import ServiceSettings

from courses import commands, imports, queries, reactions, telling
from courses.allocator import Allocator

service = Service(
    name="courses",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        queries.course_rows,
        queries.followed_courses,
        queries.my_waiting_places,
        commands.accept_offer,
        commands.confirm_seat,
        commands.hold_seats,
        commands.join_waiting_list,
        commands.leave_waiting_list,
        commands.place_student,
        commands.release_seat,
        commands.renew_holds,
        imports.import_courses,
        imports.import_enrolments,
    ],
    reactions=[
        reactions.claim_seats,
        reactions.free_seats,
        reactions.remember_campaign,
        reactions.remember_families,
    ],
    public_asks=[telling.seats_left],
    chores=[
        Chore(commands.release_expired_holds, seconds=2),
        Chore(telling.tell_seats, seconds=0.2),
    ],
    resources=lambda database: {Allocator: Allocator(database)},
)


def main() -> None:
    """Run one replica, configured by its environment."""
    service.run(ServiceSettings())
