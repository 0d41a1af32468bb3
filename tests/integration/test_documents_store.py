"""The bucket that documents sets up: its own, closed to strangers, emptied for good."""

import asyncio
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
import pytest
from documents.store import INCOMING, Stored, StoreUnavailable
from minio import Minio
from minio.commonconfig import ENABLED
from minio.error import S3Error
from minio.versioningconfig import SUSPENDED, VersioningConfig
from shared.contracts.files import MAX_DOCUMENT_BYTES
from stack.running import Stack
from stack.topology import BUCKET

from tests.document_files import pdf
from tests.document_stores import client, names, new_bucket, store_away, store_of

pytestmark = pytest.mark.servers


def send(store: Minio, bucket: str, name: str, content: bytes) -> None:
    store.put_object(bucket, name, io.BytesIO(content), len(content))


def put(servers: Stack, bucket: str, name: str, content: bytes = b"%PDF-1.7") -> None:
    """Put an object by hand."""
    send(client(servers, servers.store.administrator), bucket, name, content)


async def statuses_of_a_stranger(servers: Stack, bucket: str, name: str) -> list[int]:
    """Try to read, list and write without any key."""
    address = f"{servers.store.url}/{bucket}"
    tried = (("GET", f"{address}/{name}"), ("GET", address), ("PUT", f"{address}/stranger"))
    statuses = []
    async with aiohttp.ClientSession() as stranger:
        for method, url in tried:
            async with stranger.request(method, url, data=b"" if method == "PUT" else None) as got:
                statuses.append(got.status)
    return statuses


async def test_any_replica_sets_the_bucket_up_and_again(servers: Stack) -> None:
    bucket = new_bucket()
    replicas = [store_of(servers, bucket) for _ in range(4)]
    await asyncio.gather(*(replica.set_up() for replica in replicas))
    await replicas[0].set_up()
    lifecycle = client(servers, servers.store.administrator).get_bucket_lifecycle(bucket)
    assert lifecycle is not None
    assert {rule.rule_id for rule in lifecycle.rules} == {"never verified", "former versions"}


async def test_the_service_s_own_key_is_enough_to_set_its_bucket_up(servers: Stack) -> None:
    store = store_of(servers, BUCKET, servers.store.keys)
    await store.set_up()
    await store.keep("trial/own-key", b"content", "application/pdf")
    assert await store.holds("trial/own-key")
    await store.erase(["trial/own-key"])
    assert not await store.holds("trial/own-key")


async def test_the_service_s_key_reaches_no_other_bucket(servers: Stack) -> None:
    elsewhere = new_bucket()
    await store_of(servers, elsewhere).set_up()
    put(servers, elsewhere, "secret.pdf")
    own = client(servers, servers.store.keys)
    for attempt in (
        lambda: list(own.list_objects(elsewhere)),
        lambda: own.get_object(elsewhere, "secret.pdf"),
        lambda: send(own, elsewhere, "mine.pdf", b"mine"),
        lambda: own.remove_object(elsewhere, "secret.pdf"),
        lambda: own.make_bucket(new_bucket()),
    ):
        with pytest.raises(S3Error) as refused:
            attempt()
        assert refused.value.code == "AccessDenied"


async def test_a_bucket_that_someone_opened_to_anyone_is_closed_again(servers: Stack) -> None:
    bucket = new_bucket()
    store = store_of(servers, bucket)
    await store.set_up()
    put(servers, bucket, "private.pdf")
    assert await statuses_of_a_stranger(servers, bucket, "private.pdf") == [403, 403, 403]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            }
        ],
    }
    client(servers, servers.store.administrator).set_bucket_policy(bucket, json.dumps(policy))
    assert await statuses_of_a_stranger(servers, bucket, "private.pdf") == [200, 200, 403]
    await store.set_up()
    assert await statuses_of_a_stranger(servers, bucket, "private.pdf") == [403, 403, 403]


async def test_only_what_a_ticket_allows_counts_as_received(servers: Stack) -> None:
    bucket = new_bucket()
    store = store_of(servers, bucket)
    await store.set_up()
    for key, size in (
        ("empty", 0),
        ("whole", MAX_DOCUMENT_BYTES),
        ("heavy", MAX_DOCUMENT_BYTES + 1),
    ):
        put(servers, bucket, INCOMING + key, bytes(size))
    assert [await store.received(key) for key in ("absent", "empty", "whole", "heavy")] == [
        *(None, None, MAX_DOCUMENT_BYTES, None)
    ]
    assert await store.fetch("heavy") is None
    assert await store.fetch("absent") is None
    assert await store.fetch("whole") == bytes(MAX_DOCUMENT_BYTES)
    await store.forget_incoming(["whole", "absent"])
    assert await store.received("whole") is None


@pytest.mark.parametrize("versioning", [None, ENABLED, SUSPENDED])
async def test_what_is_erased_leaves_no_version_behind(
    servers: Stack, versioning: str | None
) -> None:
    bucket = new_bucket()
    store = store_of(servers, bucket)
    await store.set_up()
    administrator = client(servers, servers.store.administrator)
    if versioning:
        administrator.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    for content in (pdf(100), pdf(200)):
        await store.keep("family/one", content, "application/pdf")
        await store.keep("family/one-and-more", content, "application/pdf")
        put(servers, bucket, INCOMING + "family/one", content)
    administrator.remove_object(bucket, "family/one")
    if versioning == SUSPENDED:
        administrator.set_bucket_versioning(bucket, VersioningConfig(SUSPENDED))
    await store.erase(["family/one", "family/never-sent"])
    left = administrator.list_objects(bucket, recursive=True, include_version=True)
    assert {one.object_name for one in left} == {"family/one-and-more"}
    assert await names(store) == {"family/one-and-more"}
    administrator.remove_object(bucket, "family/one-and-more")
    await store.keep("family/other", pdf(), "application/pdf")
    listed = await store.listed()
    assert [one.name for one in listed if one.is_there] == ["family/other"]
    assert [one.name for one in listed] == sorted(one.name for one in listed)


async def test_a_long_bucket_is_listed_page_after_page_in_the_order_of_names(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.store.PAGE", 10)
    bucket = new_bucket()
    store = store_of(servers, bucket)
    await store.set_up()
    every = sorted(f"{number % 4}/{number:02}" for number in range(24))
    for name in reversed(every):
        await store.keep(name, b"content", "application/pdf")
    pages: list[Sequence[Stored]] = []
    while page := await store.listed(after=pages[-1][-1].name if pages else ""):
        pages.append(page)
    assert [len(page) for page in pages] == [10, 10, 4]
    assert [one.name for page in pages for one in page] == every
    assert {one.size for one in await store.listed("3/")} == {len(b"content")}


async def test_a_store_that_is_away_is_said_to_be_unavailable() -> None:
    away = store_away()
    for attempt in (away.prepare(), away.received("key"), away.erase(["key"]), away.listed()):
        with pytest.raises(StoreUnavailable):
            await attempt
    assert away.ticket("key", "application/pdf", datetime.now(UTC)).url.endswith("/anything")


async def test_while_the_store_is_away_everyone_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, attempts = store_away(), 0
    set_up = store.set_up

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1
        await set_up()

    monkeypatch.setattr(store, "set_up", attempt)
    told = await asyncio.gather(*(store.prepare() for _ in range(50)), return_exceptions=True)
    assert {type(one) for one in told} == {StoreUnavailable}
    assert attempts == 1
    with pytest.raises(StoreUnavailable):
        await store.prepare()
    assert attempts == 2
