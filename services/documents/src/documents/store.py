"""The S3 store where files lie: direct sending, checked keeping, short links (plain S3 only)."""

import asyncio
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from urllib.parse import quote, urlsplit

from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.lifecycleconfig import (
    Expiration,
    LifecycleConfig,
    NoncurrentVersionExpiration,
    Rule,
)
from minio.versioningconfig import SUSPENDED
from shared.contract import Rejection
from shared.contracts.files import MAX_DOCUMENT_BYTES, ContentType, DocumentLink
from shared.observability import get_logger
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

log = get_logger()

INCOMING = "incoming/"
"""What browsers send lies under it, until it was verified."""
PAGE = 1000
"""The most objects that the store lists at once."""
TICKET_LIFE = timedelta(minutes=10)

_LINK_LIFE = timedelta(minutes=2)
_CALLS_AT_ONCE = 8
_ALREADY_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_NOT_THERE = frozenset({"NoSuchKey", "NoSuchBucket"})
# a net for what the sweep would miss; far longer than any outage of the antivirus, since what
# waits for it lies under incoming/
_LIFECYCLE = LifecycleConfig(
    [
        Rule(
            status=ENABLED,
            rule_id="never verified",
            rule_filter=Filter(prefix=INCOMING),
            expiration=Expiration(days=30),
        ),
        Rule(
            status=ENABLED,
            rule_id="former versions",
            rule_filter=Filter(prefix=""),
            noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=1),
        ),
    ]
)


class StoreUnavailable(Rejection):
    """The store cannot be reached, or fails: nothing was changed that a repeat would not mend."""


@dataclass(frozen=True, slots=True)
class PostTicket:
    """A presigned POST: the fields to send before the file, where, and until when."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the bucket, or one of its versions; ``is_there`` where reading finds it."""

    name: str
    size: int
    stored_at: datetime
    is_there: bool


class ObjectStore:
    """One bucket, reached from here by one address and by browsers through another.

    A browser sends to ``incoming/``; what was verified is what gets kept, under a key that no
    ticket can write to: a second sending within the ticket's life changes nothing.
    """

    def __init__(
        self,
        *,
        url: str,
        public_url: str,
        access_key: str,
        secret_key: str,
        bucket: str,
        region: str,
    ) -> None:
        self._client = _client(url, access_key, secret_key, region)
        self._public_client = _client(public_url, access_key, secret_key, region)
        self._public_url = public_url.rstrip("/")
        self._bucket = bucket
        self._threads = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="store")
        self._preparation: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """See once that the bucket is as it should be.

        Whoever asks meanwhile waits for the same answer: while the store is away nobody queues.
        """
        if self._preparation is None or _has_failed(self._preparation):
            self._preparation = asyncio.create_task(self.set_up())
        await asyncio.shield(self._preparation)

    async def set_up(self) -> None:
        """Make the bucket where there is none, close it to strangers, set its lifecycle.

        Any replica may, as often as it likes, at the same time as others.
        """
        await self._run(self._set_up)

    def ticket(self, key: str, content_type: ContentType, now: datetime) -> PostTicket:
        """Let a browser send one file of this type, within the limit, for ten minutes."""
        expires_at = now + TICKET_LIFE
        fields = {"key": INCOMING + key, "Content-Type": content_type}
        policy = PostPolicy(self._bucket, expires_at)
        for name, value in fields.items():
            policy.add_equals_condition(name, value)
        policy.add_content_length_range_condition(1, MAX_DOCUMENT_BYTES)
        signed = self._public_client.presigned_post_policy(policy)
        return PostTicket(f"{self._public_url}/{self._bucket}", {**fields, **signed}, expires_at)

    def link(
        self, key: str, filename: str, content_type: ContentType, now: datetime
    ) -> DocumentLink:
        """Let a browser download a kept file under its own name, for two minutes."""
        url = self._public_client.presigned_get_object(
            self._bucket,
            key,
            expires=_LINK_LIFE,
            request_date=now,
            response_headers={
                "response-content-disposition": attachment(filename),
                "response-content-type": content_type,
            },
        )
        return DocumentLink(url=url, expires_at=now + _LINK_LIFE)

    async def received(self, key: str) -> int | None:
        """Give the bytes that a sent file weighs.

        Gives nothing where no file arrived, or one that no ticket allows: empty, or too heavy.
        """
        return await self._run(lambda: self._received(key))

    async def fetch(self, key: str) -> bytes | None:
        """Read a file as it was sent; nothing where none arrived that a ticket allows."""
        return await self._run(lambda: self._fetch(key))

    async def keep(self, key: str, content: bytes, content_type: ContentType) -> None:
        """Write what may be read under its key. Repeating it changes nothing."""
        await self._run(
            lambda: self._client.put_object(
                self._bucket, key, io.BytesIO(content), len(content), content_type=content_type
            )
        )

    async def forget_incoming(self, keys: Iterable[str]) -> None:
        """Remove files as they were sent."""
        await self.remove(INCOMING + key for key in keys)

    async def erase(self, keys: Iterable[str]) -> None:
        """Remove files for good, kept and sent; those that are not there need no more."""
        await self.remove(name for key in keys for name in (key, INCOMING + key))

    async def remove(self, names: Iterable[str]) -> None:
        """Remove objects by their full names, with every version they ever had."""
        await self._run(lambda: self._remove(names))

    async def holds(self, name: str) -> bool:
        """Tell whether there is an object of that name to read."""
        return await self._run(lambda: self._size(name) is not None)

    async def listed(self, prefix: str = "", after: str = "") -> Sequence[Stored]:
        """Give a page of the bucket, in the order of names, former versions included."""
        return await self._run(lambda: self._listed(prefix, after))

    async def _run[Result](self, work: Callable[[], Result]) -> Result:
        """Work in one of a few threads, so that few files are in memory at once."""
        with _store_errors():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _set_up(self) -> None:
        if not self._client.bucket_exists(self._bucket):
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in _ALREADY_THERE:
                    raise
        self._close_to_strangers()
        self._set_lifecycle()

    def _close_to_strangers(self) -> None:
        try:
            policy = self._client.get_bucket_policy(self._bucket)
        except S3Error as error:
            if error.code != "NoSuchBucketPolicy":
                log.warning("the bucket's policy cannot be read", error=repr(error))
            return
        if opens_to_anyone(policy):
            self._client.delete_bucket_policy(self._bucket)
            log.error("the bucket was open to anyone: its policy was removed", policy=policy)

    def _set_lifecycle(self) -> None:
        try:
            if self._client.get_bucket_lifecycle(self._bucket) != _LIFECYCLE:
                self._client.set_bucket_lifecycle(self._bucket, _LIFECYCLE)
        except S3Error as error:
            # the sweeps do the same, and more often
            log.warning("the store takes no lifecycle", error=repr(error))

    def _received(self, key: str) -> int | None:
        size = self._size(INCOMING + key)
        return size if size and size <= MAX_DOCUMENT_BYTES else None

    def _size(self, name: str) -> int | None:
        try:
            return self._client.stat_object(self._bucket, name).size
        except S3Error as error:
            if error.code in _NOT_THERE:
                return None
            raise

    def _fetch(self, key: str) -> bytes | None:
        try:
            response = self._client.get_object(self._bucket, INCOMING + key)
        except S3Error as error:
            if error.code in _NOT_THERE:
                return None
            raise
        try:
            content = response.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            response.close()
            response.release_conn()
        return content if 0 < len(content) <= MAX_DOCUMENT_BYTES else None

    def _remove(self, names: Iterable[str]) -> None:
        targets = [DeleteObject(name) for name in names]
        if targets and self._keeps_versions():
            targets = [version for one in targets for version in self._versions(one.name)]
        for error in self._client.remove_objects(self._bucket, targets):
            message = f"{error.name} was not removed: {error.code}"
            raise MinioException(message)

    def _keeps_versions(self) -> bool:
        """Ask each time: someone may have had the store keep versions since."""
        return self._client.get_bucket_versioning(self._bucket).status in {ENABLED, SUSPENDED}

    def _versions(self, name: str) -> Iterator[DeleteObject]:
        for found in self._client.list_objects(
            self._bucket, name, recursive=True, include_version=True
        ):
            if found.object_name == name:
                yield DeleteObject(name, found.version_id)

    def _listed(self, prefix: str, after: str) -> list[Stored]:
        versions = self._keeps_versions()
        found = self._client.list_objects(
            self._bucket, prefix, recursive=True, start_after=after, include_version=versions
        )
        page = (
            Stored(
                name=one.object_name,
                size=one.size or 0,
                stored_at=one.last_modified,
                is_there=not versions or (one.is_latest == "true" and not one.is_delete_marker),
            )
            for one in islice(found, PAGE)
            if one.object_name and one.last_modified
        )
        # a store tells a page's delete markers after all its versions
        return sorted(page, key=lambda one: one.name)


async def set_up_store(store: ObjectStore) -> None:
    """See, at the start and now and then, that the bucket is as it should be."""
    with or_later("the store's set-up"):
        await store.set_up()


def opens_to_anyone(policy: str) -> bool:
    """Tell whether a bucket's policy lets in who has no key of the store."""
    statements = json.loads(policy).get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        anyone = "NotPrincipal" in statement or named == "*" or "*" in (named or ())
        if statement.get("Effect") == "Allow" and anyone:
            return True
    return False


@contextmanager
def or_later(work: str) -> Iterator[None]:
    """Leave work for its next turn where the store is away: the rows say what is left to do."""
    try:
        yield
    except StoreUnavailable:
        log.info("put off until the store is back", work=work)


def attachment(filename: str) -> str:
    """Write the header that has a browser save a file under its name (RFC 6266)."""
    plain = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _has_failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (MinioException, HTTPError) as error:
        log.warning("store unavailable", error=repr(error))
        raise StoreUnavailable(
            "store_unavailable",
            "Le dépôt des pièces est momentanément indisponible. "
            "Réessayez dans quelques minutes : vous pouvez aussi déposer vos pièces plus tard.",
            status=503,
        ) from error


def _client(url: str, access_key: str, secret_key: str, region: str) -> Minio:
    """Make a client. Given the region, it signs without asking the store anything."""
    address = urlsplit(url)
    return Minio(
        address.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=address.scheme == "https",
        region=region,
        http_client=PoolManager(
            maxsize=_CALLS_AT_ONCE,
            timeout=Timeout(connect=1.0, read=3.0),
            retries=Retry(total=1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
        ),
    )
