"""The antivirus: clamd, told a file's bytes over a socket, which says whether it knows them."""

import asyncio
import re
import struct
from urllib.parse import urlsplit

from shared.observability import get_logger

log = get_logger()

_ANSWER_WITHIN_SECONDS = 8
_LOOKS = 6
_LOOK_AGAIN_SECONDS = 0.5
_CHUNK_BYTES = 256 * 1024
_CLEAN = "stream: OK"
_FOUND = re.compile(r"stream: (?P<signature>.+) FOUND")
_HARMLESS = b"rentree"


class ScannerUnavailable(Exception):
    """The antivirus cannot be reached, or cannot scan anything now: files have to wait."""


class ScanFailed(Exception):
    """The antivirus does not come to the end of this file, though it does of others."""


class HungUp(ScannerUnavailable):
    """The antivirus took a file and was gone before its answer."""


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
        try:
            answer = await _ask(self._url, content)
        except HungUp:
            answer = ""
        if answer == _CLEAN:
            return None
        if found := _FOUND.fullmatch(answer):
            return found["signature"]
        if await _scans_again(self._url):
            raise ScanFailed(answer)
        raise ScannerUnavailable(answer)

    def _tell_off(self) -> None:
        if not self._told_off:
            self._told_off = True
            log.warning("files are kept without a scan: no antivirus is configured")


async def _scans_again(url: str) -> bool:
    """Tell whether the antivirus scans what is harmless: at once, or restarted in a moment."""
    for _ in range(_LOOKS):
        try:
            return await _ask(url, _HARMLESS) == _CLEAN
        except ScannerUnavailable:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return False


async def _ask(url: str, content: bytes) -> str:
    """Give clamd's answer about a file, empty where none came in time."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_SECONDS):
            return await _exchange(url, content)
    except TimeoutError:
        return ""


async def _exchange(url: str, content: bytes) -> str:
    try:
        reader, writer = await _connect(url)
    except OSError as error:
        raise ScannerUnavailable(repr(error)) from error
    try:
        return await _stream(reader, writer, content)
    except (OSError, EOFError) as error:
        raise HungUp(repr(error)) from error


async def _stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, content: bytes
) -> str:
    """Send a file as INSTREAM wants it: chunks after their lengths, then an empty one."""
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
