"""How much is measured: all of it, or enough to see that it works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rounds there are of each side, how many files in one, and of each kind to verify."""

    rounds: int
    uploads: int
    verified: int


FULL = Pace(rounds=5, uploads=64, verified=48)
QUICK = Pace(rounds=1, uploads=32, verified=8)
