"""A process is watched: started again when it falls, stopped when asked, heard when it fails."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from stack.errors import StackError
from stack.process import LONGEST_DELAY_SECONDS, Process, Program, back_off

LIVES = "import signal, sys; print('ready', flush=True); signal.pause()"
REFUSES_TO_STOP = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('ready', flush=True)\nwhile True: signal.pause()"
)
FAILS = "raise SystemExit('the port is taken')"

type Run = Callable[[str], Process]


@pytest_asyncio.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Give a function that supervises a Python program, ready once it printed something."""
    processes: list[Process] = []

    def make(source: str) -> Process:
        log = tmp_path / f"{len(processes)}.log"
        process = Process(
            Program(
                name="trial",
                command=(sys.executable, "-c", source),
                environment=dict(os.environ),
                log=log,
                is_ready=says_ready(log),
                patience_seconds=0.3,
            ),
            report=lambda _line: None,
        )
        processes.append(process)
        process.start()
        return process

    yield make
    for process in processes:
        await process.stop()


def ends_within(seconds: float, pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    return bool(select.select([process], [], [], seconds)[0])


def says_ready(log: Path) -> Callable[[], Awaitable[bool]]:
    def it_does() -> bool:
        return log.exists() and "ready" in log.read_text()

    async def is_ready() -> bool:
        return it_does()

    return is_ready


async def test_a_process_that_falls_is_started_again(run: Run) -> None:
    process = run(LIVES)
    await process.wait_ready()
    first = process.pid

    await process.kill()
    await process.wait_ready()

    assert process.pid not in {None, first}
    assert process.restarts == 1


async def test_a_process_killed_for_good_stays_down_until_it_is_started(run: Run) -> None:
    process = run(LIVES)
    await process.wait_ready()

    await process.kill_for_good()
    assert not process.is_wanted
    process.start()
    await process.wait_ready()

    assert process.restarts == 0


async def test_a_process_that_ignores_the_request_to_stop_is_killed(run: Run) -> None:
    process = run(REFUSES_TO_STOP)
    await process.wait_ready()

    await process.stop()

    assert process.pid is None


async def test_a_frozen_process_can_be_stopped(run: Run) -> None:
    process = run(LIVES)
    await process.wait_ready()
    process.freeze()

    await process.stop()

    assert process.pid is None


async def test_a_process_that_keeps_failing_is_reported_with_its_last_words(run: Run) -> None:
    process = run(FAILS)

    with pytest.raises(StackError, match="trial keeps failing") as refused:
        await process.wait_ready()

    assert "the port is taken" in str(refused.value)


async def test_a_process_leads_its_own_group_so_that_ctrl_c_does_not_reach_it(run: Run) -> None:
    process = run(LIVES)
    await process.wait_ready()
    pid = process.pid
    assert pid is not None

    assert os.getpgid(pid) == pid


def test_nothing_outlives_its_supervisor(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    supervisor = f"""
import asyncio, os, signal
from pathlib import Path
from stack.process import Process, Program

async def main():
    async def is_ready(): return True
    process = Process(Program(name="child", command=("sleep", "60"), environment=dict(os.environ),
        log=Path({str(tmp_path / "child.log")!r}), is_ready=is_ready), print)
    process.start()
    await process.wait_ready()
    Path({str(pid_file)!r}).write_text(str(process.pid))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    died = subprocess.run([sys.executable, "-c", supervisor], check=False)

    assert died.returncode == -signal.SIGKILL
    assert ends_within(5, int(pid_file.read_text()))


def test_each_failure_doubles_the_wait_up_to_five_seconds() -> None:
    assert [back_off(failures) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert back_off(30) == LONGEST_DELAY_SECONDS == 5.0
