"""Browsers that send files, some at once, each beginning the next when one is there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.processor import Clock
from bench.rounds import Round, Stopwatch

type Give[Item] = Callable[[Item, bytes], Awaitable[None]]
"""Has one file, for one wish, go all its way."""


async def crowd[Item](
    give: Give[Item],
    items: Sequence[Item],
    files: Sequence[bytes],
    *,
    at_once: int,
    clocks: Mapping[str, Clock],
) -> Round:
    """Send every file once, so many at once."""
    waits: list[float] = []
    left = iter(zip(items, files, strict=True))

    async def give_in_turn() -> None:
        for item, content in left:
            started = time.perf_counter()
            await give(item, content)
            waits.append(time.perf_counter() - started)

    stopwatch = Stopwatch(clocks)
    async with asyncio.TaskGroup() as browsers:
        for _ in range(at_once):
            browsers.create_task(give_in_turn())
    return stopwatch.stop(len(items), waits)
