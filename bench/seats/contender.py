"""What the benchmark asks of every way to give seats."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from shared.contracts.courses import Hold

from bench.seats.school import School, Wish

type Give = Callable[[Wish], Awaitable[Hold | None]]
"""Gives the seat that is wished for, or none where its course is full."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to give seats; ``opened`` connects it to a school's database."""

    name: str
    opened: Callable[[School], AbstractAsyncContextManager[Give]]


type Pooled = Callable[[int], Contender]
"""Makes a contender with so many connections."""
