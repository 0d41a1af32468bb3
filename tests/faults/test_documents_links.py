"""A link and a ticket serve for one file and for a while: expired, altered or used again, they are
refused.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from documents.store import INCOMING, TICKET_LIFE, ObjectStore
from shared.contract import Rejection
from shared.contracts.documents import OpenDocument, OpenUpload, RemoveDocument
from shared.contracts.files import MAX_DOCUMENT_BYTES, DocumentLink, UploadTicket
from shared.identifiers import new_id
from yarl import URL

from bench.documents.replicas import store_of
from tests.faults.depositing import SIZE, Deposit, Outside, Shelf, ask_for
from tests.harness import eventually
from tests.system import System

pytestmark = pytest.mark.servers

_LINK_LIFE = timedelta(minutes=2)
_A_MOMENT = timedelta(seconds=5)
_OTHER_BYTES = b"%PDF-1.7 other bytes"


@dataclass(frozen=True, slots=True)
class Given:
    """A document that was verified, the ticket that it came by, and the store behind both."""

    outside: Outside
    store: ObjectStore
    deposit: Deposit
    ticket: UploadTicket

    @property
    def key(self) -> str:
        return self.ticket.fields["key"].removeprefix(INCOMING)

    async def link(self) -> DocumentLink:
        return await self.deposit.school.system.ask(
            OpenDocument(document_id=self.deposit.document_id), self.deposit.family.token
        )

    async def request(self, url: URL | str, method: str = "GET") -> int:
        """Use a link; give the status."""
        address = URL(str(url), encoded=True)
        async with self.outside.client.request(method, address) as response:
            await response.read()
            return response.status

    async def post(
        self, changed: Mapping[str, str] | None = None, content: bytes = _OTHER_BYTES
    ) -> int:
        """Use the ticket again, maybe with other fields; give the status."""
        fields = {**self.ticket.fields, **(changed or {})}
        return await self.outside.post(self.ticket.url, fields, content)


@pytest.fixture
async def given(portal: System) -> AsyncIterator[Given]:
    school = await portal.school(families=1)
    (code,) = await ask_for(school, 1)
    async with Outside.of(portal.stack.public_url) as outside:
        deposit = Deposit(outside, school, school.families[0], code)
        ticket = await deposit.open()
        await deposit.send(ticket)
        await deposit.register()
        await eventually(lambda: Shelf(school).are("deposited"))
        yield Given(outside, store_of(portal.stack), deposit, ticket)


async def test_a_link_is_refused_once_its_two_minutes_have_passed(given: Given) -> None:
    assert (await given.link()).expires_at - datetime.now(UTC) <= _LINK_LIFE
    begun_at = datetime.now(UTC) - _LINK_LIFE + _A_MOMENT
    link = given.store.link(given.key, "avis.pdf", "application/pdf", begun_at)
    assert await given.request(link.url) == 200

    async def is_refused() -> bool:
        return await given.request(link.url) == 403

    await eventually(is_refused)


async def test_a_link_gives_its_own_file_and_does_nothing_else(given: Given) -> None:
    link = URL((await given.link()).url, encoded=True)
    other = link.with_path(link.path.replace(str(given.deposit.document_id), str(new_id())))
    changed = {
        "X-Amz-Signature": "0" * 64,
        "X-Amz-Expires": "604800",
        "response-content-disposition": "inline",
    }
    assert await given.request(link) == 200
    assert await given.request(other.with_query(link.query)) == 403
    assert await given.request(link.with_query(None)) == 403
    for name, value in changed.items():
        assert await given.request(link.update_query({name: value})) == 403, name
    for method in ("PUT", "DELETE", "POST"):
        assert await given.request(link, method) in {403, 405}, method
    assert await given.deposit.is_kept()


async def test_a_link_ends_with_its_document(given: Given) -> None:
    link = await given.link()
    deposit = given.deposit
    removal = RemoveDocument(document_id=deposit.document_id)
    await deposit.school.system.ask(removal, deposit.family.token)
    assert await given.request(link.url) == 404
    with pytest.raises(Rejection, match="not_found"):
        await given.link()


async def test_a_ticket_is_refused_once_its_ten_minutes_have_passed(given: Given) -> None:
    assert given.ticket.expires_at - datetime.now(UTC) <= TICKET_LIFE
    begun_at = datetime.now(UTC) - TICKET_LIFE + _A_MOMENT
    ticket = given.store.ticket(given.key, "application/pdf", begun_at)
    assert await given.outside.post(ticket.url, ticket.fields, _OTHER_BYTES) in {200, 204}

    async def is_refused() -> bool:
        return await given.outside.post(ticket.url, ticket.fields, _OTHER_BYTES) == 403

    await eventually(is_refused)


async def test_a_ticket_takes_one_type_under_one_key_within_the_limit(given: Given) -> None:
    other_key = given.ticket.fields["key"].replace(str(given.deposit.document_id), str(new_id()))
    for changed in (
        {"key": given.key},
        {"key": other_key},
        {"Content-Type": "text/html"},
        {"x-amz-signature": "0" * 64},
        {"policy": "e30="},
    ):
        assert await given.post(changed) in {400, 403}, changed
    assert await given.post(content=b"") in {400, 403}
    assert await given.post(content=bytes(MAX_DOCUMENT_BYTES + 1)) in {400, 403}
    assert await given.deposit.is_kept()


async def test_a_ticket_used_again_changes_nothing(given: Given) -> None:
    deposit = given.deposit
    assert await given.post() in {200, 204}  # it lands beside, and is swept
    assert (await deposit.register()).state == "deposited"
    assert await deposit.is_kept()
    again = OpenUpload(
        document_id=deposit.document_id,
        campaign_id=deposit.school.campaign_id,
        type_code=deposit.type_code,
        filename="avis.pdf",
        size=SIZE,
    )
    with pytest.raises(Rejection, match="ticket_used"):
        await deposit.school.system.ask(again, deposit.family.token)
