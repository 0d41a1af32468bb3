"""Every database is what its service's tables say, whoever starts first."""

import asyncio
import uuid

import pytest
import shared.inbox
import shared.outbox
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from shared.db import driver_url, new_metadata
from shared.service import Service
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from stack.running import Stack

from shared import migrations
from tests.territory import METADATA, SERVICES

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_three_replicas_migrate_at_once_to_what_the_tables_say(
    servers: Stack, service: Service
) -> None:
    name = f"{service.name}_{uuid.uuid4().hex[:12]}"
    await servers.postgresql.provide([name])
    url = servers.postgresql.url(name)
    await asyncio.gather(*(migrations.upgrade(url, service.migrations) for _ in range(3)))
    engine = create_async_engine(driver_url(url))
    try:
        async with engine.connect() as connection:
            differences = await connection.run_sync(_differences, METADATA[service.name])
    finally:
        await engine.dispose()
    assert differences == []


def _differences(connection: Connection, metadata: MetaData) -> list[object]:
    expected = new_metadata()
    for table in (*metadata.tables.values(), shared.outbox.outbox, shared.inbox.inbox):
        table.to_metadata(expected)
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, expected))
