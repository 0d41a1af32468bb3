"""Side by side: the sides take turns in one run, and what counts is the ratio within a turn."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.processor import Clock


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn of one side measured; processor time is in milliseconds an item."""

    per_second: float
    processor_ms: Mapping[str, float]
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    @property
    def total_processor_ms(self) -> float:
        """Processor time an item, of every process together."""
        return sum(self.processor_ms.values())


class Stopwatch:
    """Times a round by the clock on the wall and by the clocks of processes, from its making."""

    def __init__(self, clocks: Mapping[str, Clock]) -> None:
        self._clocks = clocks
        self._before = {name: clock() for name, clock in clocks.items()}
        self._started = time.perf_counter()

    def stop(self, items: int, waits: Sequence[float] = ()) -> Round:
        """Give the round: what it did, and how long each item waited where that is known."""
        seconds = time.perf_counter() - self._started
        used = {name: clock() - self._before[name] for name, clock in self._clocks.items()}
        percentiles = quantiles(waits, n=100) if len(waits) > 1 else [0.0] * 99
        return Round(
            per_second=items / seconds,
            processor_ms={name: 1000 * each / items for name, each in used.items()},
            p50_ms=1000 * percentiles[49],
            p99_ms=1000 * percentiles[98],
        )


def processor_of(process: str) -> "Reading":
    """Read the processor time of one process; none where it has no part."""
    return lambda each: each.processor_ms.get(process, 0.0)


type Side = Callable[[], Awaitable[Round]]
type Reading = Callable[[Round], float]


async def side_by_side[Name: str](
    sides: Mapping[Name, Side], rounds: int
) -> dict[Name, list[Round]]:
    """Let every side have its turn, ``rounds`` times after one that only warms up.

    The order is turned round each time: what happens on the machine meanwhile falls on all.
    """
    results: dict[Name, list[Round]] = {name: [] for name in sides}
    order = list(sides)
    for turn in range(rounds + 1):
        for name in order:
            result = await sides[name]()
            if turn > 0:
                results[name].append(result)
        order.reverse()
    return results


def typical(rounds: Sequence[Round], reading: Reading) -> float:
    """Give the median of a reading."""
    return median(map(reading, rounds))


def ratio(ours: Sequence[Round], bare: Sequence[Round], reading: Reading) -> float:
    """Give the median, over the turns, of our reading divided by the bare one."""
    return median(reading(one) / reading(other) for one, other in zip(ours, bare, strict=True))
