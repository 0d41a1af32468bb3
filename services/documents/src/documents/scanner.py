"""The antivirus: clamd, told a file's bytes over a socket, which says whether it knows them."""

import asyncio
import re
import struct
from urllib.parse import urlsplit

from shared.observability import get_logger

log = get_logger()

_ANSWER_WITHIN_SECONDS = 8
_CHUNK_BYTES = 256 * 1024
_CLEAN = "stream: OK"
_FOUND = re.compile(r"stream: (?P<signature>.+) FOUND")
_HARMLESS = b"rentree"


class ScannerUnavailable(Exception):
    """The antivirus cannot be reached, or cannot scan anything now: files have to wait."""


class ScanFailed(Exception):
    """The antivirus does not come to the end of this file, though it does of others."""


class Scanner:
    """A clamd at ``tcp://host:port`` or ``unix:///path``; without an address, nothing is scanned.

    Its protocol takes a dozen lines, and the libraries that speak it block, or send by the
    kilobyte, or are licensed otherwise than this project.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._told_off = False

    async def scan(self, content: bytes) -> str | None:
        """Name the threat found in ``content``, or nothing.

        Raises ScannerUnavailable or, where the file alone is at fault, ScanFailed.
        """
        if not self._url:
            self._tell_off()
            return None
        answer = await _ask(self._url, content)
        if answer == _CLEAN:
            return None
        if found := _FOUND.fullmatch(answer):
            return found["signature"]
        if await _ask(self._url, _HARMLESS) == _CLEAN:
            raise ScanFailed(answer)
        raise ScannerUnavailable(answer)

    def _tell_off(self) -> None:
        if not self._told_off:
            self._told_off = True
            log.warning("files are kept without a scan: no antivirus is configured")


async def _ask(url: str, content: bytes) -> str:
    """Give clamd's answer about a file, empty where none came in time."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
            return await _exchange(url, content)
    except TimeoutError:
        return ""
    except (OSError, EOFError) as error:
        raise ScannerUnavailable(repr(error)) from error


async def _exchange(url: str, content: bytes) -> str:
    """Send a file as INSTREAM wants it: chunks after their lengths, then an empty one."""
    reader, writer = await _connect(url)
    try:
        writer.write(b"zINSTREAM\0")
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            writer.write(struct.pack("!L", len(chunk)) + chunk)
            await writer.drain()
        writer.write(struct.pack("!L", 0))
        answer = await reader.readuntil(b"\0")
    finally:
        writer.close()
    return answer.rstrip(b"\0").decode(errors="replace")


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    if address.scheme == "unix":
        return await asyncio.open_unix_connection(address.path)
    return await asyncio.open_connection(address.hostname, address.port)
