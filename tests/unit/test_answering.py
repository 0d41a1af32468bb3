"""What a service tells of each ask: in the metrics, and on standard output in JSON."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from litestar.types import HTTPReceiveMessage, Message
from prometheus_client import REGISTRY
from shared.answering import Desk, ask_route
from shared.callers import TokenVerifier
from shared.contract import Ask
from shared.contracts.identity import ListSites, Site
from shared.db import Database
from shared.handlers import Signature
from stack.keys import key_pair
from structlog.testing import capture_logs


async def test_an_ask_that_is_cancelled_is_told_and_counted(tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def list_sites(_: ListSites) -> tuple[Site, ...]:
        begun.set()
        await asyncio.Event().wait()
        return ()

    async def receive() -> HTTPReceiveMessage:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    def cancelled() -> float:
        labels = {"ask": ListSites.name, "outcome": "cancelled"}
        return REGISTRY.get_sample_value("rentree_ask_seconds_count", labels) or 0

    desk = Desk(
        verifier=TokenVerifier.from_file(key_pair(tmp_path).public),
        database=Database("postgresql://nobody@localhost/nothing", name="test", connections=1),
        given={},
        limit=1,
    )
    route = ask_route(desk, Signature.read(list_sites, Ask), public=True)
    before = cancelled()
    with capture_logs() as lines:
        asking = asyncio.ensure_future(route.fn({"method": "POST", "headers": []}, receive, send))
        await begun.wait()
        asking.cancel()
        await asyncio.wait({asking})
    assert asking.cancelled()
    assert [line["outcome"] for line in lines if line["event"] == "asked"] == ["cancelled"]
    assert cancelled() == before + 1
    assert desk.in_flight == 0


def test_every_line_is_json_with_its_process_and_its_correlation_id() -> None:
    told = """
import logging
from uuid import UUID
from shared.observability import configure_logging, correlated, get_logger

configure_logging("courses", "info")
with correlated("click-1", ask="courses.hold_seats"):
    get_logger().debug("not told")
    get_logger().info("asked", outcome="answered", seat=UUID(int=1))
    logging.getLogger("library").warning("élève %s", 2)
    try:
        raise KeyError("seat")
    except KeyError:
        get_logger().exception("ask failed")
get_logger().info("afterwards")
"""
    written = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True).stdout
    asked, warned, failed, afterwards = map(json.loads, written.splitlines())
    at_hand = {
        "process": "courses",
        "correlation_id": "click-1",
        "ask": "courses.hold_seats",
    }
    assert asked.pop("timestamp").endswith("Z")
    assert asked == at_hand | {
        "level": "info",
        "message": "asked",
        "outcome": "answered",
        "seat": "00000000-0000-0000-0000-000000000001",
    }
    assert warned.pop("timestamp").endswith("Z")
    assert warned == at_hand | {"level": "warning", "message": "élève 2", "logger": "library"}
    assert failed["level"] == "error"
    assert "KeyError" in failed["exception"]
    assert afterwards["process"] == "courses"
    assert "correlation_id" not in afterwards
