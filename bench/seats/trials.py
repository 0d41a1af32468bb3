"""Rounds in one school: each starts from an empty table, and has its books checked at the end."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from os import getpid
from typing import Literal

from stack.running import Stack

from bench.processor import Clock, clock, process_id, tree_clock
from bench.rounds import Round, Side, Stopwatch
from bench.seats.books import what_is_wrong
from bench.seats.ceiling import batched, writing
from bench.seats.clients import Answers, crowd
from bench.seats.contender import Contender
from bench.seats.school import School, Wish

type State = Literal["new", "vacuumed", "full"]
"""Tables just made; known to autovacuum as empty; or with half of their seats, and known so."""

_WARM_UP_BATCHES = 5
_FILLED_AT_ONCE = 250
_UNTIL_ALL_ARE_ANSWERED = inf


def clocks_of(stack: Stack) -> dict[str, Clock]:
    """Count what a contender costs here, clients included, and in PostgreSQL."""
    return {
        "here": clock(getpid()),
        "PostgreSQL": tree_clock(process_id(stack.process("postgresql"))),
    }


@dataclass(slots=True)
class Trials:
    """The rounds of one school; ``wrong`` keeps what its books did not bear out."""

    school: School
    clocks: Mapping[str, Clock]
    seconds: float = _UNTIL_ALL_ARE_ANSWERED
    wishes: list[Wish] = field(init=False)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wishes = self.school.wishes()

    def side(self, contender: Contender, clients: int, state: State = "new") -> Side:
        """Give the turn of a contender, to be measured beside others."""

        async def turn() -> Round:
            return await self.run(contender, clients, state=state)

        return turn

    def ceiling(self, size: int) -> Side:
        """Give the turn of the ceiling, with batches of one size."""

        async def turn() -> Round:
            return await self.write(size)

        return turn

    @property
    def are_right(self) -> bool:
        """Whether the books of every round were right."""
        return not self.wrong

    async def run(
        self,
        contender: Contender,
        clients: int,
        *,
        state: State = "new",
        seconds: float | None = None,
    ) -> Round:
        """Have a crowd ask a contender, from tables in this state."""
        await self.school.empty()
        answers = await self._fill() if state == "full" else Answers()
        if state != "new":
            await self.school.vacuum()
        async with contender.opened(self.school) as give:
            measured = await crowd(
                give,
                self.wishes[len(answers) :],
                answers,
                clients=clients,
                seconds=self.seconds if seconds is None else seconds,
                clocks=self.clocks,
            )
        await self._check(answers, f"{contender.name}, {clients} clients")
        return measured

    async def write(self, size: int) -> Round:
        """Write the seats in batches of one size, with no logic."""
        await self.school.empty()
        rows, holds = batched(self.wishes, size)
        left = iter(rows)
        async with writing(self.school) as write:
            for _ in range(_WARM_UP_BATCHES):
                await write(next(left))
            stopwatch = Stopwatch(self.clocks)
            end = time.perf_counter() + self.seconds
            batches = 0
            for batch in left:
                await write(batch)
                batches += 1
                if time.perf_counter() > end:
                    break
            measured = stopwatch.stop(batches * size)
        written = zip(self.wishes, holds[: (_WARM_UP_BATCHES + batches) * size], strict=False)
        await self._check(Answers(list(written)), f"ceiling, batches of {size}")
        return measured

    async def _fill(self) -> Answers:
        """Give half of the students their seat."""
        wishes = self.wishes[: len(self.wishes) // 2]
        rows, holds = batched(wishes, _FILLED_AT_ONCE)
        async with writing(self.school) as write:
            for batch in rows:
                await write(batch)
        return Answers(list(zip(wishes, holds, strict=False)))

    async def _check(self, answers: Answers, what: str) -> None:
        for wrong in await what_is_wrong(self.school, answers):
            print(f"  WRONG: {what}: {wrong}")
            self.wrong.append(wrong)
