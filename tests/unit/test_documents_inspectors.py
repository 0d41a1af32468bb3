"""A file that brings its process down, or takes for ever, is alone to suffer from it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents import inspectors as tested
from documents.findings import Finding
from documents.inspectors import InspectionCrashed, Inspectors, InspectorsUnavailable

from tests.document_files import JPEG, pdf
from tests.harness import eventually
from tests.misbehaving import die, misbehave


@pytest.fixture
def inspectors() -> Iterator[Inspectors]:
    inspectors = Inspectors(2)
    yield inspectors
    inspectors.close()


@pytest.fixture
def misbehaving(inspectors: Inspectors, monkeypatch: pytest.MonkeyPatch) -> Inspectors:
    monkeypatch.setattr(tested, "_inspect_within", misbehave)
    return inspectors


async def test_files_are_opened_in_processes_apart(inspectors: Inspectors) -> None:
    findings = await asyncio.gather(
        inspectors.inspect(pdf(), "application/pdf"),
        inspectors.inspect(JPEG, "image/jpeg"),
        inspectors.inspect(JPEG, "image/png"),
    )
    assert findings[0] == Finding(content=pdf())
    assert findings[1].content is not None
    assert "c'est une image JPEG" in (findings[2].objection or "")


@pytest.mark.parametrize("content", [b"crash", b"swell", b"mistake"])
async def test_a_file_that_breaks_its_process_is_alone_to_fail(
    misbehaving: Inspectors, content: bytes
) -> None:
    others = [misbehaving.inspect(b"%d" % number, "application/pdf") for number in range(6)]
    broken, *fine = await asyncio.gather(
        misbehaving.inspect(content, "application/pdf"), *others, return_exceptions=True
    )
    assert isinstance(broken, InspectionCrashed)
    assert all(isinstance(one, Finding) for one in fine)


async def test_a_file_that_takes_for_ever_is_given_up(
    misbehaving: Inspectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "_WITHIN_SECONDS", 0.5)
    with pytest.raises(InspectionCrashed):
        await misbehaving.inspect(b"hang", "application/pdf")
    assert (await misbehaving.inspect(b"next", "application/pdf")).content


async def test_no_file_is_to_blame_where_none_can_be_opened(
    inspectors: Inspectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "_bound_memory", die)
    monkeypatch.setattr(tested, "_WITHIN_SECONDS", 0.5)
    with pytest.raises(InspectorsUnavailable):
        await inspectors.inspect(pdf(), "application/pdf")


async def test_processes_that_died_at_rest_are_replaced(
    misbehaving: Inspectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tested, "_WITHIN_SECONDS", 2)
    workers = {
        int(finding.content or b"")
        for finding in await asyncio.gather(
            *(misbehaving.inspect(b"%d" % number, "application/pdf") for number in range(8))
        )
    }
    for worker in workers:
        os.kill(worker, signal.SIGKILL)

    async def works_again() -> bool:
        try:
            finding = await misbehaving.inspect(b"after", "application/pdf")
        except InspectionCrashed:
            return False
        return int(finding.content or b"") not in workers

    await eventually(works_again)


OPENING = """
import asyncio
import multiprocessing

from documents.inspectors import Inspectors

async def main():
    inspectors = Inspectors(2)
    await inspectors.inspect(b"%PDF-", "application/pdf")
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_processes_end_with_the_service_even_when_it_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "opening.py"
    script.write_text(OPENING)
    service = await asyncio.create_subprocess_exec(
        sys.executable, script, stdout=asyncio.subprocess.PIPE
    )
    assert service.stdout is not None
    workers = [int(pid) for pid in (await service.stdout.readline()).split()]
    assert len(workers) == 2
    assert all(is_alive(pid) for pid in workers)
    service.kill()
    await service.wait()
    await eventually(lambda: not any(is_alive(pid) for pid in workers))


def is_alive(pid: int) -> bool:
    """Tell a process at work from one that has ended, and waits for somebody to notice."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
