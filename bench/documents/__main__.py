"""The benchmark of documents: `python -m bench.documents`, or a part, as in `… verifying`.

Sides take turns in this one run on the same servers; after each turn what is on record and in the
store must be what families were answered. The last line of output is JSON; the exit code is not 0
where a check on correctness fails. ``--quick`` measures less, to see that it works.
"""

import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from os import getpid
from pathlib import Path

import aiohttp
from minio import Minio
from shared.ask import Services
from stack.running import Stack
from stack.topology import BUCKET, REGION
from yarl import URL

from bench.command import run_named
from bench.documents.campaign import Campaign
from bench.documents.pace import FULL, QUICK, Pace
from bench.documents.replicas import Replica, replica, store_of
from bench.documents.sending import bench_sending
from bench.documents.verifying import bench_verifying
from bench.documents.ways import Ways
from bench.findings import Findings
from bench.machine import describe_machine
from bench.processor import Clock, clock, process_id, tree_clock

type Scenario = Callable[[Ways, Campaign, Replica, Mapping[str, Clock], Pace], Awaitable[Findings]]

SCENARIOS: Mapping[str, Scenario] = {"sending": bench_sending, "verifying": bench_verifying}


async def run(names: Sequence[str], pace: Pace) -> Findings:
    """Run the scenarios on one stack of their own, stopped and removed at the end."""
    stack = Stack(Path(tempfile.mkdtemp(prefix="rentree-bench-")), report=print)
    findings = Findings()
    try:
        async with stack:
            await stack.start_servers()
            print(await describe_machine(stack), flush=True)
            async with (
                replica(stack, "bench.documents.answering") as answering,
                replica(stack, "documents") as verifying,
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
                Services({"documents": [answering.url]}) as services,
            ):
                campaign = await Campaign.open(stack, store_of(stack))
                ways = Ways(client, campaign.store, _keys(stack), BUCKET, services)
                clocks = _clocks(stack, answering, verifying)
                verifying.process.freeze()
                for name in names:
                    findings |= await SCENARIOS[name](ways, campaign, verifying, clocks, pace)
                    sys.stdout.flush()
    finally:
        stack.remove()
    return findings


def _keys(stack: Stack) -> Minio:
    told = stack.variables("documents")
    return Minio(
        URL(told["RENTREE_STORE_URL"]).authority,
        access_key=told["RENTREE_STORE_ACCESS_KEY"],
        secret_key=told["RENTREE_STORE_SECRET_KEY"],
        secure=False,
        region=REGION,
    )


def _clocks(stack: Stack, answering: Replica, verifying: Replica) -> dict[str, Clock]:
    return {
        "families": clock(getpid()),
        "answering": tree_clock(process_id(answering.process)),
        "PostgreSQL": tree_clock(process_id(stack.process("postgresql"))),
        "store": tree_clock(process_id(stack.process("store"))),
        "verifying": tree_clock(process_id(verifying.process)),
        "clamd": tree_clock(process_id(stack.process("antivirus"))),
    }


if __name__ == "__main__":
    sys.exit(
        run_named(
            "documents",
            __doc__,
            SCENARIOS,
            lambda names, quick: run(names, QUICK if quick else FULL),
        )
    )
