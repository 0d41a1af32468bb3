"""The catalogue: how a group is named, and which school year comes before which."""

from datetime import time

from shared.contracts.courses import CourseMode

MODES: dict[str, CourseMode] = {
    "choix": "slot",
    "niveau": "level",
    "professeur": "teacher",
    "cham": "reduced_schedule",
}
"""How a course's slot is decided, by the word of the CSV exports."""


def year_before(school_year: str) -> str:
    """Give the school year before: 2026-2027 for 2027-2028."""
    first = int(school_year[:4]) - 1
    return f"{first}-{first + 1}"


def year_after(school_year: str) -> str:
    """Give the school year after: 2027-2028 for 2026-2027."""
    first = int(school_year[:4]) + 1
    return f"{first}-{first + 1}"


def course_label(
    curriculum: str,
    level: str,
    group_number: str,
    weekday: str | None,
    starts_at: time | None,
    ends_at: time | None,
) -> str:
    """Name a group as families read it: "FM 2.1 (33) - JEUDI - 17.00 à 18.30" (S61)."""
    name = f"{curriculum} {level} ({group_number})"
    if weekday is None or starts_at is None or ends_at is None:
        return name
    return f"{name} - {weekday} - {starts_at:%H.%M} à {ends_at:%H.%M}"
