"""What `make up` says to the person at the terminal, and that it stops in good order."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from shared.contract import Rejection
from stack.demonstration import load_demonstration
from stack.errors import StackError
from stack.keys import key_pair
from stack.remembered import free_port
from stack.topology import SERVICES, ServiceUrls

STOPS_SLOWLY = """
import asyncio, sys
from stack.__main__ import say, until_told_to_stop

async def work():
    say("working")
    await asyncio.Event().wait()

async def main():
    await until_told_to_stop(work())
    say("saving")
    await asyncio.to_thread(sys.stdin.readline)
    say("saved")

asyncio.run(main())
"""


@pytest.fixture
def private_key(tmp_path: Path) -> Path:
    return key_pair(tmp_path).private


@pytest_asyncio.fixture
async def refusing() -> AsyncIterator[ServiceUrls]:
    """Services that refuse whatever they are asked."""

    async def refuse(_request: web.Request) -> web.Response:
        problem = Rejection("not_now", "Pas maintenant.").problem()
        return web.json_response(text=problem.model_dump_json(), status=409)

    app = web.Application()
    app.router.add_post("/ask/{name}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port(())
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield {service: [f"http://127.0.0.1:{port}"] for service in SERVICES}
    await runner.cleanup()


async def test_services_that_do_not_answer_are_named_without_a_traceback(private_key: Path) -> None:
    nowhere = {service: [f"http://127.0.0.1:{free_port(())}"] for service in SERVICES}

    with pytest.raises(StackError, match="could not be loaded: identity is unavailable"):
        await load_demonstration(nowhere, private_key)


async def test_a_refusal_is_told_without_a_traceback(
    refusing: ServiceUrls, private_key: Path
) -> None:
    with pytest.raises(StackError, match="could not be loaded: not_now: Pas maintenant"):
        await load_demonstration(refusing, private_key)


def test_a_second_ctrl_c_does_not_interrupt_the_stop() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STOPS_SLOWLY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        said = process.stdout
        assert said.readline() == "working\n"
        process.send_signal(signal.SIGINT)
        assert [said.readline() for _ in range(3)] == [
            "\n",
            "Stopping everything (the data stay)\n",
            "saving\n",
        ]
        process.send_signal(signal.SIGINT)
        assert said.readline() == "Stopping is under way: a moment\n"
        process.stdin.write("\n")
        process.stdin.flush()
        assert said.readline() == "saved\n"
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_port_that_cannot_be_is_told_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stack", "up", "--port", "99999"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().startswith("'99999' is no port")
