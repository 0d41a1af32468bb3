"""The enrolment service: campaigns, applications and their receipts."""

from pathlib import Path

from shared.service import Chore, Service
from shared.settings import ServiceSettings

from enrolment import commands, entries, erasure, queries, reactions

service = Service(
    name="enrolment",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        commands.publish_campaign,
        commands.start_application,
        commands.complete_step,
        commands.record_authorisations,
        commands.record_course_choices,
        commands.submit_application,
        commands.amend_application,
        commands.abandon_amendment,
        commands.decline_reenrolment,
        commands.take_back_decline,
        entries.keep_entries,
        entries.forget_entries,
        entries.show_entries,
        queries.list_my_applications,
        queries.show_application,
    ],
    reactions=[
        reactions.remember_families,
        reactions.remember_holds,
        reactions.forget_holds,
        reactions.adopt_seat,
        reactions.record_claims,
        erasure.erase_family,
    ],
    chores=[Chore(entries.purge_entries, 24 * 3600)],
)


def main() -> None:
    """Run one replica."""
    service.run(ServiceSettings())
