"""Replicas of documents on the servers of a stack, and the store that they are told."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import environ

from stack.probes import answers
from stack.process import Process, Program
from stack.remembered import free_port
from stack.running import Stack
from stack.topology import READY_PATH

from documents.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Replica:
    """A running replica and where it listens."""

    url: str
    process: Process


@asynccontextmanager
async def replica(stack: Stack, module: str) -> AsyncIterator[Replica]:
    """Run a module on the servers of a stack, told what documents is."""
    port = free_port(())
    url = f"http://127.0.0.1:{port}"

    async def is_ready() -> bool:
        return await answers(url + READY_PATH)

    told = {"RENTREE_HOST": "127.0.0.1", "RENTREE_PORT": str(port)}
    process = Process(
        Program(
            name=module,
            command=(sys.executable, "-m", module),
            environment={**environ, **stack.variables("documents"), **told},
            log=stack.logs / f"{module}.log",
            is_ready=is_ready,
        ),
        report=print,
    )
    try:
        await process.bring_up()
        yield Replica(url, process)
    finally:
        await process.stop()


def store_of(stack: Stack) -> ObjectStore:
    """Open the store with the keys that documents has."""
    told = stack.variables("documents")
    return ObjectStore(
        url=told["RENTREE_STORE_URL"],
        public_url=told["RENTREE_STORE_PUBLIC_URL"],
        access_key=told["RENTREE_STORE_ACCESS_KEY"],
        secret_key=told["RENTREE_STORE_SECRET_KEY"],
        bucket=told["RENTREE_STORE_BUCKET"],
        region=told["RENTREE_STORE_REGION"],
    )
