"""The antivirus: ClamAV's daemon, from the system's package, with one signature of our own."""

import os
from collections.abc import Mapping
from pathlib import Path

from stack.probes import greets
from stack.process import Process, Program, Report
from stack.programs import installed

SCANNING: Mapping[str, str] = {
    # more than any document weighs
    "StreamMaxLength": "5M",
    # what could not be scanned to its end is not said to be clean
    "AlertExceedsMax": "yes",
}
"""How documents are scanned, here and in containers."""

HARMLESS_TEST_FILE = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""What every antivirus agrees to take for a virus (EICAR), to be tried with."""
SIGNATURE = "Rentree.Test.Eicar"


class Antivirus:
    """A clamd that knows the harmless test file alone, wherever it is in another file.

    ClamAV's own database weighs hundreds of megabytes and more of memory: it is for deployments.
    """

    def __init__(self, folder: Path, port: int, logs: Path, report: Report) -> None:
        self.port = port
        self._folder = folder
        self.process = Process(
            Program(
                name="antivirus",
                command=(
                    installed("clamd", "clamav-daemon"),
                    f"--config-file={self._configuration_file}",
                ),
                environment={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)},
                log=logs / "antivirus.log",
                is_ready=self._is_ready,
            ),
            report,
        )

    @property
    def url(self) -> str:
        """Where documents finds it."""
        return f"tcp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Write its configuration and its signature, run it, wait until it answers."""
        signatures = self._folder / "signatures"
        signatures.mkdir(exist_ok=True)
        (signatures / "test.ndb").write_text(signature_line())
        self._configuration_file.write_text(antivirus_configuration(signatures, self.port))
        await self.process.bring_up()

    @property
    def _configuration_file(self) -> Path:
        return self._folder / "clamd.conf"

    async def _is_ready(self) -> bool:
        return await greets(self.port, b"zPING\0")


def antivirus_configuration(signatures: Path, port: int) -> str:
    """Give clamd's configuration: this machine alone, few threads, no database but ours."""
    settings = {
        "Foreground": "yes",
        "DatabaseDirectory": str(signatures),
        "TCPAddr": "127.0.0.1",
        "TCPSocket": str(port),
        "MaxThreads": "4",
        **SCANNING,
    }
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def signature_line() -> str:
    """Name the test file in ClamAV's format: in any kind of file, at any place."""
    return f"{SIGNATURE}:0:*:{HARMLESS_TEST_FILE.hex()}\n"
