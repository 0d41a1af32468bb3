"""A running system: the servers, and the processes of topology, in a run folder of their own."""

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from stack.errors import StackError
from stack.keys import key_pair
from stack.probes import answers
from stack.process import Process, Program, Report
from stack.remembered import free_port, is_free, passwords, ports
from stack.servers.antivirus import Antivirus
from stack.servers.balancer import Balancer
from stack.servers.mailbox import Mailbox
from stack.servers.object_store import ObjectStore
from stack.servers.postgresql import PostgreSQL
from stack.servers.rabbitmq import RabbitMQ
from stack.topology import (
    BUCKET,
    GATEWAY,
    PACKAGES,
    READY_PATH,
    SERVICES,
    ServiceUrls,
    Surroundings,
    replica_names,
    variables,
)

FIRST_OPEN_PORT = 1024


class Stack:
    """Real servers and any part of the system, started and stopped from one event loop.

    Ports, passwords, keys and data live in the run folder and serve again at the next start. Use
    it as an asynchronous context manager: leaving stops everything. Tests pick what they need::

        async with Stack(folder, scale={"courses": 2}) as stack:
            await stack.start_servers()
            await stack.start("identity", "courses")
            await stack.process("courses", 2).kill()
            await stack.wait_ready()
    """

    def __init__(
        self,
        run_folder: Path,
        *,
        public_port: int | None = None,
        scale: Mapping[str, int] | None = None,
        report: Report = lambda _line: None,
    ) -> None:
        self.run_folder = run_folder.resolve()
        self.run_folder.mkdir(parents=True, exist_ok=True)
        # PostgreSQL's user passes through to its own folder; the others are closed to everyone.
        self.run_folder.chmod(0o711)
        self._lock = take_lock(self.run_folder)
        self.logs = self._private_folder("logs")
        self.keys = key_pair(self._private_folder("keys"))
        self._report = report
        self._scale = dict(scale or {})
        self._ports = ports(self.run_folder / "ports.json")
        self._passwords = passwords(self.run_folder / "passwords.json")
        self._processes: dict[str, Process] = {}

        folder, logs = self._private_folder, self.logs
        self.postgresql = PostgreSQL(
            self.run_folder / "postgresql", self._ports["postgresql"], self._passwords, logs, report
        )
        self.rabbitmq = RabbitMQ(folder("rabbitmq"), self._ports, self._passwords, logs, report)
        self.store = ObjectStore(
            folder("store"), BUCKET, self._ports, self._passwords, logs, report
        )
        self.antivirus = Antivirus(folder("antivirus"), self._ports["antivirus"], logs, report)
        self.mailbox = Mailbox(folder("mails"), self._ports["smtp"], logs, report)
        self.balancer = Balancer(folder("balancer"), self._public_port(public_port), logs, report)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def public_url(self) -> str:
        """The address of the portal."""
        return self.balancer.url

    @property
    def urls(self) -> ServiceUrls:
        """The base URLs of every replica of every package, started or not."""
        return {
            package: [self._url(name) for name in replica_names(package, self._scale)]
            for package in PACKAGES
        }

    def variables(self, package: str) -> dict[str, str]:
        """The RENTREE_ variables of a package, for a process of the stack or of a test."""
        surroundings = Surroundings(
            public_url=self.public_url,
            database_url=self.postgresql.url,
            broker_url=self.rabbitmq.url,
            store_url=self.store.url,
            store_public_url=self.store.url,
            store_access_key=self.store.keys.access_key,
            store_secret_key=self.store.keys.secret_key,
            clamd_url=self.antivirus.url,
            smtp_url=self.mailbox.url,
            token_private_key=self.keys.private,
            token_public_key=self.keys.public,
            cookie_secret=self._passwords["cookie"],
            receipt_secret=self._passwords["receipt"],
            services=self.urls,
        )
        return variables(package, surroundings)

    async def start_servers(self) -> None:
        """Start the five servers, each service's database included."""
        await together(
            self._start_postgresql(),
            self.rabbitmq.start(),
            self.store.start(),
            self.antivirus.start(),
            self.mailbox.process.bring_up(),
        )

    async def start(self, *packages: str) -> None:
        """Start the replicas of these packages (of all, when none is named) and wait for them."""
        for package in packages or PACKAGES:
            for name in replica_names(package, self._scale):
                if name not in self._processes:
                    self._processes[name] = Process(self._program(package, name), self._report)
                self._processes[name].start()
        await self.wait_ready()

    async def start_balancer(self) -> None:
        """Open the public port, in front of the gateway's replicas."""
        await self.balancer.start(self.urls[GATEWAY])

    async def start_everything(self) -> None:
        """Servers, services and gateway, then the public port."""
        await self.start_servers()
        await self.start()
        await self.start_balancer()

    async def wait_ready(self, within_seconds: float = 60.0) -> None:
        """Wait until every process that should run answers."""
        await together(
            *(
                process.wait_ready(within_seconds)
                for process in self._all_processes()
                if process.is_wanted
            )
        )

    def process(self, name: str, replica: int = 1) -> Process:
        """Give one process: a server by name, or the nth replica of a package."""
        wanted = f"{name}-{replica}" if name in PACKAGES else name
        for process in self._all_processes():
            if process.name == wanted:
                return process
        raise StackError(f"There is no process {wanted} in this stack.")

    async def stop(self) -> None:
        """Stop everything, in the reverse order of its start."""
        await self.balancer.process.stop()
        for packages in ((GATEWAY,), SERVICES):
            await together(
                *(
                    process.stop()
                    for name, process in self._processes.items()
                    if name.rpartition("-")[0] in packages
                )
            )
        await together(
            self.mailbox.process.stop(),
            self.antivirus.process.stop(),
            self.store.stop(),
            self.rabbitmq.stop(),
            self.postgresql.stop(),
        )
        self._lock.close()

    def remove(self) -> None:
        """Remove the run folder of a stopped stack, with the data that had to live elsewhere."""
        shutil.rmtree((self.run_folder / "postgresql").resolve(), ignore_errors=True)
        shutil.rmtree(self.run_folder, ignore_errors=True)

    async def _start_postgresql(self) -> None:
        await self.postgresql.start()
        await self.postgresql.provide(SERVICES)

    def _all_processes(self) -> Iterable[Process]:
        yield from (*self.postgresql.processes, *self.rabbitmq.processes)
        yield from (self.store.process, self.antivirus.process, self.mailbox.process)
        yield from self._processes.values()
        yield self.balancer.process

    def _url(self, replica: str) -> str:
        return f"http://127.0.0.1:{self._ports[replica]}"

    def _program(self, package: str, name: str) -> Program:
        async def is_ready() -> bool:
            return await answers(self._url(name) + READY_PATH)

        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("RENTREE_")
        }
        return Program(
            name=name,
            command=(sys.executable, "-m", package),
            environment=inherited
            | self.variables(package)
            | {"RENTREE_HOST": "127.0.0.1", "RENTREE_PORT": str(self._ports[name])},
            log=self.logs / f"{name}.log",
            is_ready=is_ready,
        )

    def _private_folder(self, name: str) -> Path:
        folder = self.run_folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _public_port(self, wanted: int | None) -> int:
        if wanted is None:
            return self._ports["balancer"]
        if wanted < FIRST_OPEN_PORT and os.geteuid() != 0:
            raise StackError(f"Port {wanted} is for root alone: choose one above, as in PORT=8000")
        if not is_free(wanted):
            raise StackError(
                f"Port {wanted} is in use: stop what listens there, or choose another one, as in"
                f" PORT={free_port(())}"
            )
        return wanted


def take_lock(run_folder: Path) -> IO[str]:
    """Keep the run folder for one stack, until the file is closed or the process ends."""
    lock = (run_folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StackError(
            f"A stack already runs in {run_folder}: stop it, or give another run folder."
        ) from None
    return lock


async def together(*work: Coroutine[None, None, None]) -> None:
    """Do all of it side by side; the first failure ends the rest and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
