"""One supervised process: started, watched, started again when it falls, stopped in good order."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stack.accounts import Account
from stack.errors import StackError

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
STEADY_SECONDS = 10.0
FAILURES_BEFORE_GIVING_UP = 5
PROBE_EVERY_SECONDS = 0.1
LINES_SHOWN = 15

type Report = Callable[[str], None]
type Probe = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, where it logs, and how to tell that it is ready."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    is_ready: Probe
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience_seconds: float = 10.0


class Process:
    """A program kept running until told otherwise.

    It leads its own process group, so a Ctrl-C at the terminal reaches the supervisor alone, and
    it gets its stop signal from the kernel should the supervisor's thread die.
    """

    def __init__(self, program: Program, report: Report) -> None:
        self.program = program
        self.restarts = 0
        self._report = report
        self._child: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._failures = 0

    @property
    def name(self) -> str:
        """The name of the process and of its log."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The identifier of the running process, if it runs."""
        if self._child is None or self._child.returncode is not None:
            return None
        return self._child.pid

    @property
    def is_wanted(self) -> bool:
        """Whether it was started and not stopped since, running or about to run again."""
        return self._supervision is not None

    def start(self) -> None:
        """Run it, and run it again whenever it ends by itself."""
        if self._supervision is None:
            self._failures = 0
            self._supervision = asyncio.create_task(self._supervise(), name=self.name)

    async def bring_up(self) -> None:
        """Start it and wait until it answers."""
        self.start()
        await self.wait_ready()

    async def wait_ready(self, within_seconds: float = 60.0) -> None:
        """Return once it answers; raise with its last words if it cannot."""
        deadline = time.monotonic() + within_seconds
        while not (self.pid and await self.program.is_ready()):
            if self._supervision is None:
                raise StackError(f"{self.name} is stopped: start it before waiting for it.")
            if self._supervision.done():
                self._supervision.result()
            if self._failures >= FAILURES_BEFORE_GIVING_UP:
                raise StackError(f"{self.name} keeps failing. {self.last_words()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} is not ready after {within_seconds:.0f} s. {self.last_words()}"
                )
            await asyncio.sleep(PROBE_EVERY_SECONDS)
        self._failures = 0

    async def stop(self) -> None:
        """Ask it to end, insist after its patience, and leave it down."""
        if self._supervision is None:
            return
        supervision, self._supervision = self._supervision, None
        child = self._child
        if child is not None and child.returncode is None:
            self._signal(self.program.stop_signal)
            self._signal(signal.SIGCONT)
            try:
                async with asyncio.timeout(self.program.patience_seconds):
                    await child.wait()
            except TimeoutError:
                self._signal(signal.SIGKILL)
                await child.wait()
        supervision.cancel()
        await asyncio.wait([supervision])

    async def restart(self) -> None:
        """Stop it, start it and wait until it answers."""
        await self.stop()
        await self.bring_up()

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash would: it is started again like after any crash."""
        child = self._child
        self._signal(signal.SIGKILL)
        if child is not None:
            await child.wait()

    async def kill_for_good(self) -> None:
        """End it with SIGKILL and leave it down until it is started."""
        supervision, self._supervision = self._supervision, None
        await self.kill()
        if supervision is not None:
            supervision.cancel()
            await asyncio.wait([supervision])

    def freeze(self) -> None:
        """Suspend it with SIGSTOP: connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def last_words(self) -> str:
        """The end of its log, with the place to read the rest."""
        log = self.program.log
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines[-LINES_SHOWN:])])

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    async def _supervise(self) -> None:
        while True:
            started = time.monotonic()
            code = await self._run_once()
            if not self.is_wanted:
                return
            steady = time.monotonic() - started >= STEADY_SECONDS
            self._failures = 1 if steady else self._failures + 1
            self.restarts += 1
            delay = back_off(self._failures)
            self._report(f"{self.name} ended (code {code}); it starts again in {delay:.1f} s")
            await asyncio.sleep(delay)

    async def _run_once(self) -> int:
        program = self.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        # setpriv rather than a function between fork and exec: those are unsafe beside threads.
        # The signal at the parent's death is asked for after the change of user, which clears it.
        tether = (
            "setpriv",
            *(program.account.prefix if program.account else ()),
            f"--pdeathsig={program.stop_signal.name.removeprefix('SIG')}",
        )
        with program.log.open("ab") as log:
            self._child = await asyncio.create_subprocess_exec(
                *tether,
                *program.command,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            return await self._child.wait()
        finally:
            with suppress(ProcessLookupError):  # whatever it left behind goes with it
                os.killpg(self._child.pid, signal.SIGKILL)


def back_off(failures: int) -> float:
    """Seconds to wait before the next start, after this many failures in a row."""
    return min(FIRST_DELAY_SECONDS * 2.0 ** (failures - 1), LONGEST_DELAY_SECONDS)
