"""One side of the `ask` benchmark: the same call again and again, a fixed number at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from statistics import quantiles

from bench.processor import Clock, read, spent
from bench.rounds import Round

AT_ONCE = 64
A_ROUND = 1500


@dataclass(slots=True)
class RoundTrips[Answer]:
    """Calls whose every answer is known beforehand; ``wrong`` counts those that differ."""

    call: Callable[[], Awaitable[Answer]]
    expected: Answer
    clocks: Mapping[str, Clock]
    wrong: int = field(default=0)

    async def run(self) -> Round:
        """Make one round of calls. Answers are compared once the clocks have stopped."""
        answers: list[Answer] = []
        waits: list[float] = []
        left = iter(range(A_ROUND))

        async def call_in_turn() -> None:
            for _ in left:
                sent = time.perf_counter()
                answers.append(await self.call())
                waits.append(time.perf_counter() - sent)

        before, started = read(self.clocks), time.perf_counter()
        await asyncio.gather(*(call_in_turn() for _ in range(AT_ONCE)))
        seconds, used = time.perf_counter() - started, spent(self.clocks, before)
        self.wrong += sum(answer != self.expected for answer in answers)
        percentiles = quantiles(waits, n=100)
        return Round(
            per_second=A_ROUND / seconds,
            processor_ms={name: 1000 * each / A_ROUND for name, each in used.items()},
            p50_ms=1000 * percentiles[49],
            p99_ms=1000 * percentiles[98],
        )
