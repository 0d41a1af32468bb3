"""Adaptive batching: requests that wait together are settled together, in their order.

There is no timer. Alone, a request goes at once; while a batch is under way the next ones gather,
and all go as soon as it has ended: the busier it is, the larger the batches grow.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from shared.db import database_is_away

BATCH = 256
"""How many requests go together at most."""

type Settle[Asked, Answer] = Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]]
"""Answers a batch in its order, in one transaction; may repeat what it did before."""


class Lane[Asked, Answer]:
    """One batch in flight at a time, its answers given to those who asked.

    ``settle`` answers a batch in its order, in one transaction, and may repeat what it did: a
    batch whose database went away mid-way is tried once more. One that fails otherwise is cut in
    two until the request that spoils it is alone, and only that one fails.
    """

    def __init__(self, settle: Settle[Asked, Answer], *, batch: int = BATCH) -> None:
        self._settle = settle
        self._batch = batch
        self._pending: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._work: asyncio.Task[None] | None = None

    async def join(self, asked: Asked) -> Answer:
        """Wait with the others, and give the answer; raises what its own failure raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending.append((asked, answer))
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        batch: list[tuple[Asked, asyncio.Future[Answer]]] = []
        try:
            while self._pending:
                count = min(self._batch, len(self._pending))
                batch = [self._pending.popleft() for _ in range(count)]
                await self._try(batch)
        finally:
            # where it was ended from outside, nobody waits for what will not be answered
            self._work = None
            _fail((*batch, *self._pending), ConnectionError("ended before it was answered"))
            self._pending.clear()

    async def _try(
        self, batch: Sequence[tuple[Asked, asyncio.Future[Answer]]], *, again: bool = True
    ) -> None:
        try:
            answers = await self._settle([asked for asked, _ in batch])
            answered = list(zip(batch, answers, strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who asked are told
            if database_is_away(error):
                if again:
                    await self._try(batch, again=False)
                    return
                _fail(batch, error)
            elif len(batch) == 1:
                _fail(batch, error)
            else:
                middle = len(batch) // 2
                await self._try(batch[:middle])
                await self._try(batch[middle:])
            return
        for (_, future), answer in answered:
            if not future.done():
                future.set_result(answer)


def _fail[Asked, Answer](
    batch: Sequence[tuple[Asked, asyncio.Future[Answer]]], error: Exception
) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
