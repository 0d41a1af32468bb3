"""An antivirus that answers what a test wants, over clamd's own protocol."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

type Answers = Callable[[bytes], Awaitable[bytes]]


async def clean(_: bytes) -> bytes:
    return b"stream: OK\0"


@asynccontextmanager
async def antivirus(answers: Answers = clean, port: int = 0) -> AsyncIterator[str]:
    """Scan what is sent until the block ends; gives the address."""

    async def scan(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        content = b""
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        while length := struct.unpack("!L", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
        writer.write(await answers(content))
        writer.close()

    async with await asyncio.start_server(scan, "127.0.0.1", port) as server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
