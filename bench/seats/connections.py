"""A pool as light as can be: no check and no reset of the connections that it lends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg


class Connections:
    """Some connections, lent in the order of asking."""

    def __init__(self, connections: list[asyncpg.Connection]) -> None:
        self._free = connections
        self._turn = asyncio.Semaphore(len(connections))

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, count: int) -> AsyncIterator["Connections"]:
        """Open so many."""
        async with AsyncExitStack() as stack:
            connections = []
            for _ in range(count):
                connections.append(await asyncpg.connect(url))
                stack.push_async_callback(connections[-1].close)
            yield cls(connections)

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[asyncpg.Connection]:
        """Borrow one."""
        async with self._turn:
            connection = self._free.pop()
            try:
                yield connection
            finally:
                self._free.append(connection)
