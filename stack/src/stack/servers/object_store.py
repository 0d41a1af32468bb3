"""The S3 store: SeaweedFS, one process that plays all its parts."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError
from stack.probes import answers
from stack.process import Process, Program, Report
from stack.remembered import Remembered

SERVICE = "documents"
ADMINISTRATOR = "administrator"
ACTIONS = ("Admin", "Read", "Write", "List", "Tagging")
PARTS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys of the store."""

    access_key: str
    secret_key: str


class ObjectStore:
    """One S3 endpoint, open to the scripts of any web page.

    ``keys`` are those of documents, limited to its bucket; no process is given ``administrator``.
    """

    def __init__(
        self,
        folder: Path,
        bucket: str,
        ports: Remembered[int],
        passwords: Remembered[str],
        logs: Path,
        report: Report,
    ) -> None:
        self.port = ports["store s3"]
        self.keys = Keys(SERVICE, passwords["store"])
        self.administrator = Keys(ADMINISTRATOR, passwords["store administrator"])
        self._bucket = bucket
        self._folder = folder
        self._ports = {
            part: (ports[f"store {part}"], ports[f"store {part} grpc"]) for part in PARTS
        }
        self.process = Process(
            Program(
                name="store",
                command=self._command(),
                environment={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder)},
                log=logs / "store.log",
                is_ready=self._is_ready,
                # Its graceful stop waits 15 s for subscribers that are itself. What it answered
                # for is already in the kernel's hands, so ending it at once loses nothing.
                stop_signal=signal.SIGKILL,
            ),
            report,
        )

    @property
    def url(self) -> str:
        """Where services and browsers find it."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Write the keys, run the store, wait until it answers."""
        (self._folder / "data").mkdir(exist_ok=True)
        self._keys_file.touch(mode=0o600)
        identities = keys_document(self._bucket, self.keys, self.administrator)
        self._keys_file.write_text(json.dumps(identities))
        await self.process.bring_up()

    async def stop(self) -> None:
        """Stop it, and remove the sockets that it forgets."""
        await self.process.stop()
        self._remove_sockets()

    @property
    def _keys_file(self) -> Path:
        return self._folder / "keys.json"

    def _remove_sockets(self) -> None:
        for port in (port for pair in self._ports.values() for port in pair):
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - its choice
                socket.unlink(missing_ok=True)

    async def _is_ready(self) -> bool:
        return await answers(f"{self.url}/healthz")

    def _command(self) -> tuple[str, ...]:
        weed = Path(sys.executable).with_name("weed")
        if not weed.exists():
            raise StackError(f"SeaweedFS is not installed ({weed}): run stack/bootstrap.sh up.")
        listening = (
            word
            for part, (http, grpc) in self._ports.items()
            for word in (f"-{part}.port={http}", f"-{part}.port.grpc={grpc}")
        )
        return (
            str(weed),
            "-logtostderr",
            "server",
            "-s3",
            f"-dir={self._folder / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *listening,
            f"-s3.config={self._keys_file}",
            "-s3.allowedOrigins=*",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            # Small volumes: each bucket takes seven at once, of as many as would fit on the disk.
            "-master.volumeSizeLimitMB=32",
            "-volume.max=0",
            "-volume.preStopSeconds=0",
        )


def keys_document(bucket: str, keys: Keys, administrator: Keys) -> dict[str, object]:
    """Give SeaweedFS's list of identities: one for a bucket, which it may make, one for all."""
    limited = [f"{action}:{bucket}" for action in ACTIONS]
    return {"identities": [_identity(keys, limited), _identity(administrator, ACTIONS)]}


def _identity(keys: Keys, actions: Sequence[str]) -> dict[str, object]:
    return {
        "name": keys.access_key,
        "credentials": [{"accessKey": keys.access_key, "secretKey": keys.secret_key}],
        "actions": [*actions],
    }
