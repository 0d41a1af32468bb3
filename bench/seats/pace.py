"""How much is measured: all of it, or enough to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a round lasts at most, how many there are of each, and how much there is to wish."""

    seconds: float
    rounds: int
    students: int
    seats_a_course: int


FULL = Pace(seconds=1.0, rounds=3, students=60_000, seats_a_course=10)
QUICK = Pace(seconds=0.5, rounds=1, students=20_000, seats_a_course=3)
