"""What this replica remembers of courses and campaigns, and which courses were full.

Both change with imports and publications alone, and each of those changes the catalogue's edition:
a batch reads it, and what was remembered of another edition is forgotten. That a course was full is
a hint to look before locking, and no more.
"""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from courses.catalogue import course_label, year_after
from courses.seats import Campaign, Course, Slot

_COURSES = """
SELECT id, site_id, school_year, curriculum, level, group_number, weekday, starts_at, ends_at,
       mode
FROM course WHERE id = ANY($1)
"""
_CAMPAIGNS = "SELECT id, site_id, school_year, opens_at, closes_at FROM campaign WHERE id = ANY($1)"


class KnownCourses:
    """The memory of one replica."""

    def __init__(self) -> None:
        self.full: set[UUID] = set()
        self._edition: int | None = None
        self._courses: dict[UUID, Course] = {}
        self._campaigns: dict[UUID, Campaign] = {}

    def keep_only(self, edition: int) -> None:
        """Forget what was remembered of another edition than the present one."""
        if edition != self._edition:
            self._edition = edition
            self._courses, self._campaigns = {}, {}

    async def courses(
        self, connection: asyncpg.Connection, course_ids: Collection[UUID]
    ) -> dict[UUID, Course]:
        """Describe courses; one that does not exist is left out."""
        known = self._courses
        unknown = [course_id for course_id in course_ids if course_id not in known]
        if unknown:
            for row in await connection.fetch(_COURSES, unknown):
                known[row["id"]] = _course(row)
        return known

    async def campaigns(
        self, connection: asyncpg.Connection, campaign_ids: Collection[UUID]
    ) -> dict[UUID, Campaign]:
        """Describe campaigns; one that does not exist is left out."""
        known = self._campaigns
        unknown = [campaign_id for campaign_id in campaign_ids if campaign_id not in known]
        if unknown:
            for row in await connection.fetch(_CAMPAIGNS, unknown):
                known[row["id"]] = Campaign(*row)
        return known


def _course(row: asyncpg.Record) -> Course:
    times = row["weekday"], row["starts_at"], row["ends_at"]
    return Course(
        id=row["id"],
        site_id=row["site_id"],
        school_year=row["school_year"],
        next_year=year_after(row["school_year"]),
        curriculum=row["curriculum"],
        level=row["level"],
        label=course_label(row["curriculum"], row["level"], row["group_number"], *times),
        is_chosen=row["mode"] == "slot",
        slot=None if None in times else Slot(*times),
    )
