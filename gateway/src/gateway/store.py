"""The way to the object store for a form posted without script: a browser usually goes itself."""

from typing import IO, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.files import UploadTicket

_SECONDS: Final = 30.0


class StoreDoor:
    """Sends a file with the ticket that a browser would have used.

    ``store_url`` is the store's address from here; the ticket has the one that browsers use.
    """

    def __init__(self, store_url: str) -> None:
        self._here = urlsplit(store_url)

    async def send(self, ticket: UploadTicket, filename: str, file: IO[bytes]) -> None:
        """Send an open file a piece at a time; raises Rejection where the ticket does not allow
        it.
        """
        form = aiohttp.FormData(ticket.fields)
        form.add_field("file", file, filename=filename)
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS)) as client,
                client.post(self._url(ticket), data=form) as response,
            ):
                status = response.status
        except aiohttp.ClientConnectorError as error:
            raise ServiceUnavailable("documents") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            # what reached the store before its answer was lost is registered later
            raise ServiceUnavailable("documents", maybe_recorded=True) from error
        if status >= 500:
            raise ServiceUnavailable("documents")
        if status >= 300:
            raise Rejection(
                "upload_refused", "Le fichier n'a pas pu être envoyé. Choisissez-le de nouveau."
            )

    def _url(self, ticket: UploadTicket) -> str:
        here = self._here
        return urlunsplit(urlsplit(ticket.url)._replace(scheme=here.scheme, netloc=here.netloc))
