"""Replicas that start in a tenth of the time: forked from a process that has imported them.

All that comes after the imports is what ``python -m <package>`` does: a process of its own opens
its port, its database and its link to the broker, and can be killed.
"""

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_IMPORTED_AT_START = (
    "anyio._backends._asyncio",
    "litestar.exceptions.responses",
    "litestar.middleware.response_cache",
    "litestar.plugins.attrs",
    "litestar.plugins.pydantic",
)
"""What a replica imports as it starts, rather than before."""


@dataclass(frozen=True, slots=True)
class Forked:
    """A process that runs until it is killed."""

    pid: int
    descriptor: int

    @property
    def runs(self) -> bool:
        """Whether it has not ended by itself."""
        return Path(f"/proc/{self.pid}").exists()

    async def kill(self) -> None:
        """End it with SIGKILL, and wait until nothing is left of it."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.descriptor, gone.set)
        try:
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)
            await gone.wait()
        finally:
            loop.remove_reader(self.descriptor)
            os.close(self.descriptor)


@dataclass(frozen=True, slots=True)
class Nursery:
    """Where the replicas of one package come from."""

    process: asyncio.subprocess.Process
    turn: asyncio.Lock

    @classmethod
    @asynccontextmanager
    async def of(cls, package: str, log: Path) -> AsyncIterator["Nursery"]:
        """Import a package; leaving ends all that was forked."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.nursery", package, str(log)),
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield cls(process, asyncio.Lock())
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()

    async def fork(self, variables: Mapping[str, str]) -> Forked:
        """Start a replica that is told these variables."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self.turn:
            self.process.stdin.write(json.dumps(dict(variables)).encode() + b"\n")
            pid = int(await self.process.stdout.readline())
        return Forked(pid, os.pidfd_open(pid))


def main(package: str, log: str) -> None:
    """Fork a replica for each line of the input, and say which process it is."""
    for module in _IMPORTED_AT_START:
        importlib.import_module(module)
    run = importlib.import_module(f"{package}.app").main
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.environ.update(json.loads(line))
            written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
            os.dup2(written, sys.stdout.fileno())
            os.dup2(written, sys.stderr.fileno())
            run()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
