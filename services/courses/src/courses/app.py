"""Courses, wired: what it answers, what it reacts to, and what comes round."""

from pathlib import Path

from shared.service import Chore, Service
from shared.settings import ServiceSettings

from courses import commands, imports, queries, reactions

service = Service(
    name="courses",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        queries.course_rows,
        queries.followed_courses,
        commands.hold_seats,
        commands.release_seat,
        imports.import_courses,
        imports.import_enrolments,
    ],
    reactions=[
        reactions.claim_seats,
        reactions.free_seats,
        reactions.remember_campaign,
        reactions.remember_families,
    ],
    chores=[Chore(commands.release_expired_holds, seconds=2)],
)


def main() -> None:
    """Run one replica, configured by its environment."""
    service.run(ServiceSettings())
