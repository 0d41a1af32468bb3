"""One side of the `ask` benchmark: the same call again and again, a fixed number at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bench.processor import Clock
from bench.rounds import Round, Stopwatch

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

        stopwatch = Stopwatch(self.clocks)
        await asyncio.gather(*(call_in_turn() for _ in range(AT_ONCE)))
        taken = stopwatch.stop(A_ROUND, waits)
        self.wrong += sum(answer != self.expected for answer in answers)
        return taken
