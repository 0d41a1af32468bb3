"""The ways that a file goes: put by who has the keys, posted with a ticket, or as a family's."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from minio import Minio
from shared.ask import Services
from shared.contracts.documents import RegisterUpload
from shared.contracts.files import CONTENT_TYPES
from shared.observability import correlated

from bench.documents.campaign import Wish
from documents.store import ObjectStore

_TYPE = CONTENT_TYPES[".pdf"]


class NotTaken(Exception):
    """The store did not take a file."""


@dataclass(frozen=True, slots=True)
class Ways:
    """One pool of connections for all of them, to the store and to documents."""

    client: aiohttp.ClientSession
    store: ObjectStore
    keys: Minio
    bucket: str
    services: Services

    async def put(self, name: str, content: bytes) -> None:
        """Put a file by a URL signed for it, and ask nobody."""
        url = self.keys.presigned_put_object(self.bucket, name)
        headers = {"content-type": _TYPE}
        async with self.client.put(url, data=io.BytesIO(content), headers=headers) as response:
            await _check(response)

    async def post(self, name: str, content: bytes) -> None:
        """Post a file with a ticket signed for it, and ask nobody."""
        ticket = self.store.ticket(name, _TYPE, datetime.now(UTC))
        await self._post(ticket.url, ticket.fields, content)

    async def deposit(self, wish: Wish, content: bytes) -> None:
        """Do what a family's browser and the gateway do: ticket, store, registration."""
        with correlated(None):
            ticket = await self.services.ask(wish.command, token=wish.token)
            await self._post(ticket.url, ticket.fields, content)
            told = RegisterUpload(document_id=wish.command.document_id)
            await self.services.ask(told, token=wish.token)

    async def _post(self, url: str, fields: dict[str, str], content: bytes) -> None:
        form = aiohttp.FormData(fields)
        form.add_field("file", io.BytesIO(content), filename="avis.pdf", content_type=_TYPE)
        async with self.client.post(url, data=form) as response:
            await _check(response)


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status not in {200, 204}:
        raise NotTaken(f"{response.status}: {await response.text()}")
    await response.read()
