"""The machine that figures were taken on: without it they mean nothing."""

import os
import platform
from pathlib import Path

import aio_pika
import asyncpg
from stack.running import Stack


def machine() -> dict[str, str]:
    """Give what there is to know of the machine itself."""
    return {
        "Processor": f"{_fact('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "Memory": f"{int(_fact('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "System": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "Python": platform.python_version(),
    }


async def describe_machine(stack: Stack) -> str:
    """Describe the machine and the servers of a running stack, in a few lines."""
    facts = machine() | {
        "PostgreSQL": await _postgresql_version(stack),
        "RabbitMQ": await _rabbitmq_version(stack),
    }
    return "\n".join(f"  {name:<11} {fact}" for name, fact in facts.items())


def _fact(file: str, name: str) -> str:
    """Give the first value of that name in a file of ``name: value`` lines."""
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


async def _postgresql_version(stack: Stack) -> str:
    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


async def _rabbitmq_version(stack: Stack) -> str:
    async with await aio_pika.connect(stack.rabbitmq.url) as connection:
        told = connection.transport.connection.server_properties if connection.transport else {}
        version = told.get("version", "unknown")
        return version.decode() if isinstance(version, bytes) else str(version)
