"""The antivirus is believed when it answers, and waited for when it does not."""

import asyncio

import pytest
from documents import scanner as tested
from documents.scanner import ScanFailed, Scanner, ScannerUnavailable
from stack.remembered import free_port

from tests.antivirus import antivirus, clean


async def test_a_file_is_sent_whole_and_found_clean() -> None:
    sent: list[bytes] = []

    async def note(content: bytes) -> bytes:
        sent.append(content)
        return await clean(content)

    content = bytes(range(256)) * 8000
    async with antivirus(note) as url:
        assert await Scanner(url).scan(content) is None
    assert sent == [content]


async def test_a_threat_is_named() -> None:
    async def find(_: bytes) -> bytes:
        return b"stream: Win.Test.EICAR_HDB-1 FOUND\0"

    async with antivirus(find) as url:
        assert await Scanner(url).scan(b"virus") == "Win.Test.EICAR_HDB-1"


async def test_without_an_address_nothing_is_scanned() -> None:
    assert await Scanner(None).scan(b"anything") is None


async def test_an_antivirus_that_is_not_there_is_waited_for() -> None:
    with pytest.raises(ScannerUnavailable):
        await Scanner(f"tcp://127.0.0.1:{free_port(())}").scan(b"anything")
    with pytest.raises(ScannerUnavailable):
        await Scanner("unix:///nowhere/clamd.ctl").scan(b"anything")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "_LOOK_AGAIN_SECONDS", 0.01)


@pytest.mark.parametrize("answer", [b"", b"INSTREAM: Can't allocate memory ERROR\0"])
async def test_an_antivirus_that_scans_nothing_any_more_is_waited_for(answer: bytes) -> None:
    async def give_up(_: bytes) -> bytes:
        return answer

    async with antivirus(give_up) as url:
        with pytest.raises(ScannerUnavailable):
            await Scanner(url).scan(b"anything")


async def test_a_file_that_alone_cannot_be_scanned_is_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tested, "_ANSWER_WITHIN_SECONDS", 0.3)
    asked = asyncio.Event()

    async def stumble(content: bytes) -> bytes:
        if content == b"endless":
            await asked.wait()
        if content == b"broken":
            return b"stream: Can't parse ERROR\0"
        return await clean(content)

    async with antivirus(stumble) as url:
        for content in (b"endless", b"broken"):
            with pytest.raises(ScanFailed):
                await Scanner(url).scan(content)
        asked.set()


async def test_a_file_that_brings_the_antivirus_down_is_at_fault() -> None:
    async def die(content: bytes) -> bytes:
        return b"" if content == b"deadly" else await clean(content)

    async with antivirus(die) as url:
        with pytest.raises(ScanFailed):
            await Scanner(url).scan(b"deadly")
        assert await Scanner(url).scan(b"anything") is None
