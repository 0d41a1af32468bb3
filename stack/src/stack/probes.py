"""How readiness is asked from outside."""

import asyncio

import aiohttp

TIMEOUT_SECONDS = 2.0


async def accepts(port: int) -> bool:
    """Tell whether a connection to this port of 127.0.0.1 is taken."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def greets(port: int, hello: bytes = b"") -> bool:
    """Tell whether a server on this port of 127.0.0.1 says something back."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(hello)
            answer = await reader.read(1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return bool(answer)


async def answers(url: str) -> bool:
    """Tell whether a GET of this URL is answered by 200."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
