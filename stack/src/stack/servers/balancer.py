"""The balancer in front of the gateway's replicas: HAProxy, from the system's package."""

from collections.abc import Sequence
from pathlib import Path

from stack.probes import answers
from stack.process import Process, Program, Report
from stack.programs import installed

CONFIGURATION = Path(__file__).parents[4] / "deploy" / "balancer"


class Balancer:
    """The only process that listens on the public port."""

    def __init__(self, folder: Path, port: int, logs: Path, report: Report) -> None:
        self.port = port
        self._replicas_file = folder / "replicas.cfg"
        self.process = Process(
            Program(
                name="balancer",
                command=(
                    *(installed("haproxy", "haproxy"), "-db"),
                    *("-f", str(CONFIGURATION / "haproxy.cfg")),
                    *("-f", str(self._replicas_file)),
                ),
                environment={
                    "BALANCER_ADDRESS": f"127.0.0.1:{port}",
                    "BALANCER_UNAVAILABLE_PAGE": str(CONFIGURATION / "unavailable.http"),
                },
                log=logs / "balancer.log",
                is_ready=self._is_ready,
            ),
            report,
        )

    @property
    def url(self) -> str:
        """The address of the portal."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self, replicas: Sequence[str]) -> None:
        """Write the list of replicas, run it, wait until a page comes through."""
        self._replicas_file.write_text(backend(replicas))
        await self.process.bring_up()

    async def _is_ready(self) -> bool:
        return await answers(f"{self.url}/health/ready")


def backend(replicas: Sequence[str]) -> str:
    """Give the backend section of the configuration, for these base URLs."""
    servers = (
        f"    server gateway-{number} {url.removeprefix('http://')} check\n"
        for number, url in enumerate(replicas, start=1)
    )
    return "".join(("backend gateway\n", *servers))
