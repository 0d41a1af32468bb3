"""Clients in a closed loop: each wishes for a seat, waits for the answer, and wishes again."""

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from shared.contracts.courses import Hold

from bench.processor import Clock
from bench.rounds import Round, Stopwatch
from bench.seats.contender import Give
from bench.seats.school import Wish

WARM_UP = 64


@dataclass(slots=True)
class Answers:
    """What was answered to whom: the seats given, and the wishes for which there was none."""

    holds: list[tuple[Wish, Hold]] = field(default_factory=list)
    refused: list[Wish] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.holds) + len(self.refused)


async def crowd(
    give: Give,
    wishes: Sequence[Wish],
    answers: Answers,
    *,
    clients: int,
    seconds: float,
    clocks: Mapping[str, Clock],
) -> Round:
    """Have so many clients wish in turn until the wishes or the seconds have run out.

    Adds what they were answered to ``answers``. The first wishes warm up, and are not timed.
    """
    left = iter(wishes)
    await _wish_in_turn(give, islice(left, max(WARM_UP, clients)), answers, clients, seconds)
    gc.collect()
    gc.freeze()  # what was made for the benchmark is nobody's garbage
    stopwatch = Stopwatch(clocks)
    waits = await _wish_in_turn(give, left, answers, clients, seconds)
    measured = stopwatch.stop(len(waits), waits)
    gc.unfreeze()
    return measured


async def _wish_in_turn(
    give: Give, wishes: Iterator[Wish], answers: Answers, clients: int, seconds: float
) -> list[float]:
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def wish_in_turn() -> None:
        for wish in wishes:
            asked = time.perf_counter()
            hold = await give(wish)
            now = time.perf_counter()
            waits.append(now - asked)
            if hold is None:
                answers.refused.append(wish)
            else:
                answers.holds.append((wish, hold))
            if now > end:
                break

    await asyncio.gather(*(wish_in_turn() for _ in range(clients)))
    return waits
