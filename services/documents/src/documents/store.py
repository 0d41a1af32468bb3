"""The S3 store where files lie: direct sending, checked keeping, short links (plain S3 only)."""

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from minio import Minio
from minio.datatypes import PostPolicy
from minio.error import MinioException, S3Error
from shared.contract import Rejection
from shared.contracts.documents import MAX_DOCUMENT_BYTES, ContentType, DocumentLink
from shared.observability import get_logger
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

log = get_logger()

_TICKET_LIFE = timedelta(minutes=10)
_LINK_LIFE = timedelta(minutes=2)
_CALLS_AT_ONCE = 8
_INCOMING = "incoming/"
_ALREADY_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class StoreUnavailable(Rejection):
    """The store cannot be reached, or fails: nothing was changed that a repeat would not mend."""


@dataclass(frozen=True, slots=True)
class PostTicket:
    """A presigned POST: the fields to send before the file, where, and until when."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """A file that was received: its size in bytes, and why it was not kept, if it was not."""

    size: int
    objection: str | None


class ObjectStore:
    """One bucket, reached from here by one address and by browsers through another.

    A browser sends to ``incoming/``; what was checked is what gets kept, under a key that no
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
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def prepare(self) -> None:
        """See once that the bucket is there, or make it; any replica may, at the same time."""
        async with self._preparing:
            if not self._is_prepared:
                await self._run(self._make_bucket)
                self._is_prepared = True

    def ticket(self, key: str, content_type: ContentType, now: datetime) -> PostTicket:
        """Let a browser send one file of this type, within the limit, for ten minutes."""
        expires_at = now + _TICKET_LIFE
        fields = {"key": _INCOMING + key, "Content-Type": content_type}
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

    async def admit(
        self,
        key: str,
        content_type: ContentType,
        objection: Callable[[bytes, ContentType], str | None],
    ) -> Admission | None:
        """Read what was sent and keep it where ``objection`` finds none.

        Gives nothing where no file arrived, or one heavier than any ticket allows.
        """
        return await self._run(lambda: self._admit(key, content_type, objection))

    async def erase(self, keys: Iterable[str]) -> None:
        """Remove files, kept and sent; those that are not there need no more."""
        await self._run(lambda: self._erase(keys))

    async def clear_incoming(self, before: datetime) -> None:
        """Remove what was sent before an instant and kept nowhere since, or kept already."""
        await self._run(lambda: self._clear_incoming(before))

    async def _run[Result](self, work: Callable[[], Result]) -> Result:
        """Work in one of a few threads, so that few files are in memory at once."""
        with _store_errors():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _make_bucket(self) -> None:
        if self._client.bucket_exists(self._bucket):
            return
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in _ALREADY_THERE:
                raise

    def _admit(
        self,
        key: str,
        content_type: ContentType,
        objection: Callable[[bytes, ContentType], str | None],
    ) -> Admission | None:
        content = self._received(_INCOMING + key)
        if content is None:
            return None
        refusal = objection(content, content_type)
        if refusal is None:
            self._client.put_object(
                self._bucket, key, io.BytesIO(content), len(content), content_type=content_type
            )
        return Admission(len(content), refusal)

    def _received(self, key: str) -> bytes | None:
        try:
            response = self._client.get_object(self._bucket, key)
        except S3Error as error:
            if error.code in {"NoSuchKey", "NoSuchBucket"}:
                return None
            raise
        try:
            content = response.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            response.close()
            response.release_conn()
        return content if 0 < len(content) <= MAX_DOCUMENT_BYTES else None

    def _erase(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._client.remove_object(self._bucket, key)
            self._client.remove_object(self._bucket, _INCOMING + key)

    def _clear_incoming(self, before: datetime) -> None:
        for item in self._client.list_objects(self._bucket, _INCOMING, recursive=True):
            if item.object_name and item.last_modified and item.last_modified < before:
                self._client.remove_object(self._bucket, item.object_name)


def attachment(filename: str) -> str:
    """Write the header that has a browser save a file under its name (RFC 6266)."""
    plain = "".join(
        c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


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
