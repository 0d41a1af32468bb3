"""RabbitMQ, from the system's package, started privately: its own node, ports and folders."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stack.errors import StackError
from stack.probes import accepts, greets
from stack.process import Process, Program, Report
from stack.remembered import Remembered

INSTALLED = Path("/usr/lib/rabbitmq/lib")
USER = VHOST = "rentree"
AMQP_HELLO = b"AMQP\x00\x00\x09\x01"


class RabbitMQ:
    """One broker, and the Erlang port mapper that it needs."""

    def __init__(
        self,
        folder: Path,
        ports: Remembered[int],
        passwords: Remembered[str],
        logs: Path,
        report: Report,
    ) -> None:
        self.port = ports["rabbitmq"]
        self._folder = folder
        self._password = passwords["rabbitmq"]
        self._distribution_port = ports["rabbitmq distribution"]
        self._mapper_port = ports["rabbitmq port mapper"]
        self._scripts = _installed_scripts()
        environment = self._environment()
        self._mapper = Process(
            Program(
                name="rabbitmq-epmd",
                command=("epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"),
                environment=environment,
                log=logs / "rabbitmq-epmd.log",
                is_ready=self._mapper_is_ready,
            ),
            report,
        )
        self._broker = Process(
            Program(
                name="rabbitmq",
                command=(str(self._scripts / "rabbitmq-server"),),
                environment=environment,
                log=logs / "rabbitmq.log",
                is_ready=self._broker_is_ready,
            ),
            report,
        )

    @property
    def processes(self) -> tuple[Process, ...]:
        """Its processes, in the order of their start."""
        return (self._mapper, self._broker)

    @property
    def url(self) -> str:
        """Where the services find the broker."""
        return f"amqp://{USER}:{self._password}@127.0.0.1:{self.port}/{VHOST}"

    async def start(self) -> None:
        """Write the configuration, run the broker, wait until it answers."""
        (self._folder / "enabled_plugins").write_text("[].\n")
        configuration = self._folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(broker_configuration(self.port, self._password))
        for process in self.processes:
            await process.bring_up()

    async def stop(self) -> None:
        """Stop the broker, then its port mapper."""
        for process in reversed(self.processes):
            await process.stop()

    async def provide(self, vhosts: Iterable[str]) -> None:
        """Make sure that each of these virtual hosts exists, open to our user."""
        for vhost in vhosts:
            await self.control("add_vhost", vhost)
            await self.control("set_permissions", "-p", vhost, USER, ".*", ".*", ".*")

    async def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl` against this broker."""
        control = await asyncio.create_subprocess_exec(
            self._scripts / "rabbitmqctl",
            *arguments,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await control.communicate()
        if control.returncode != 0:
            raise StackError(f"rabbitmqctl {arguments[0]} failed:\n{output.decode()}")

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder),  # where Erlang keeps its cookie
            # The name is part of the data's path, hence fixed; only our port mapper knows it.
            "RABBITMQ_NODENAME": "rentree@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            # The script then becomes the Erlang machine, so that our signals reach it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    async def _mapper_is_ready(self) -> bool:
        return await accepts(self._mapper_port)

    async def _broker_is_ready(self) -> bool:
        # The broker listens last, so its first word says that everything before it is done.
        return await greets(self.port, AMQP_HELLO)


def _installed_scripts() -> Path:
    """Find the package's own scripts: the wrappers of /usr/sbin insist on a system user."""
    folders = sorted(INSTALLED.glob("rabbitmq_server-*/sbin"))
    if not folders or not shutil.which("epmd"):
        raise StackError("RabbitMQ is not installed: run `apt-get install rabbitmq-server`.")
    return folders[-1]


def broker_configuration(port: int, password: str) -> str:
    """Give the broker's configuration: ours alone, on this machine alone."""
    settings = {
        "listeners.tcp.1": f"127.0.0.1:{port}",
        "default_vhost": VHOST,
        "default_user": USER,
        "default_pass": password,
        "heartbeat": "10",
        # A development machine is often short of both: the broker must not stop publishers there.
        "disk_free_limit.absolute": "50MB",
        "vm_memory_high_watermark.relative": "0.6",
        "raft.wal_max_size_bytes": "67108864",
        "log.file": "false",
        "log.console": "true",
        "log.console.level": "warning",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())
