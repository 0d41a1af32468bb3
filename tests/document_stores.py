"""A bucket of a test's own, which it may look at and change as nobody else's: documents' tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from documents import tables
from documents.app import DocumentsSettings, resources, service
from documents.store import INCOMING, ObjectStore
from minio import Minio
from shared.contracts.documents import ImportPieces
from shared.handlers import Resources
from stack.remembered import free_port
from stack.running import Stack
from stack.servers.object_store import Keys
from stack.topology import REGION

from tests.document_households import PIECES, lines
from tests.harness import Running, operator, running

LATER = timedelta(hours=2)
"""After it, what was stored just now is no longer young."""


def client(servers: Stack, keys: Keys) -> Minio:
    """Reach the store with a pair of keys."""
    return Minio(
        servers.store.url.removeprefix("http://"),
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        secure=False,
        region=REGION,
    )


def new_bucket() -> str:
    """Name a bucket that nobody has."""
    return f"rentree-trial-{uuid4().hex[:12]}"


def store_of(servers: Stack, bucket: str, keys: Keys | None = None) -> ObjectStore:
    """Give a store as a replica has it; the administrator's keys reach any bucket."""
    allowed = keys or servers.store.administrator
    return ObjectStore(
        url=servers.store.url,
        public_url=servers.store.url,
        access_key=allowed.access_key,
        secret_key=allowed.secret_key,
        bucket=bucket,
        region=REGION,
    )


def store_away() -> ObjectStore:
    """Give a store that nobody answers for."""
    nowhere = f"http://127.0.0.1:{free_port(())}"
    return ObjectStore(
        url=nowhere,
        public_url=nowhere,
        access_key="key",
        secret_key="secret-key",
        bucket="anything",
        region=REGION,
    )


def with_bucket(servers: Stack, bucket: str) -> Callable[[DocumentsSettings], Resources]:
    """Have the service keep its files in a bucket of its own."""
    return lambda settings: {**resources(settings), ObjectStore: store_of(servers, bucket)}


@asynccontextmanager
async def documents_apart(servers: Stack, bucket: str) -> AsyncIterator[Running[DocumentsSettings]]:
    """Run documents on a database and a bucket of its own, its usual pieces imported."""
    with_own = with_bucket(servers, bucket)
    async with running(servers, service, DocumentsSettings, with_own) as documents:
        await documents.ask(ImportPieces(lines=lines(*PIECES)), operator())
        yield documents


def store_given(documents: Running[DocumentsSettings]) -> ObjectStore:
    """Give the store of a running service."""
    store = documents.replica.given[ObjectStore]
    assert isinstance(store, ObjectStore)
    return store


async def names(store: ObjectStore) -> set[str]:
    """Give the names of a bucket of a few objects, former versions included."""
    return {one.name for one in await store.listed()}


async def ids(store: ObjectStore, *, incoming: bool = False) -> set[UUID]:
    """Give the documents whose files are kept, or lie as they were sent."""
    found = await names(store)
    return {UUID(name[-36:]) for name in found if name.startswith(INCOMING) == incoming}


async def put_back(documents: Running[DocumentsSettings], document_id: UUID) -> None:
    """Have an upload begun two hours earlier than it was."""
    async with documents.database.transaction() as tx:
        await tx.execute(
            sa.update(tables.document)
            .where(tables.document.c.id == document_id)
            .values(opened_at=datetime.now(UTC) - LATER)
        )


async def states(documents: Running[DocumentsSettings], *document_ids: UUID) -> dict[UUID, str]:
    """Give the states of those of these documents that are on record."""
    async with documents.database.transaction() as tx:
        found = await tx.execute(
            sa.select(tables.document.c.id, tables.document.c.state).where(
                tables.document.c.id.in_(document_ids)
            )
        )
        return {row.id: row.state for row in found}
