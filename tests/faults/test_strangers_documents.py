"""The staff of a site finds its families' documents, the staff of another nothing (S83, S97)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import pytest
from shared.contracts.documents import OpenUpload, RegisterUpload, ReviewQueue, ShowDocument
from shared.contracts.files import Document
from shared.identifiers import new_id

from tests.document_files import pdf
from tests.document_households import send
from tests.faults.bodies import body_of
from tests.harness import eventually, staff_caller
from tests.system import Household, School, System

pytestmark = pytest.mark.servers

_STUDENT = "/api/v1/students/{student_id}"
_DOCUMENT = "/api/v1/documents/{document_id}"
_FOR_STAFF = [
    ("GET", _DOCUMENT),
    ("GET", f"{_DOCUMENT}/history"),
    ("GET", f"{_DOCUMENT}/link"),
    ("GET", f"{_STUDENT}/publications"),
    ("GET", "/api/v1/families/{family_id}/students/{student_id}/missing-pieces"),
    ("GET", "/api/v1/campaigns/{campaign_id}/documents-to-review"),
    ("POST", "/api/v1/publications"),
    ("PUT", f"{_DOCUMENT}/refusal"),
    ("PUT", f"{_DOCUMENT}/acceptance"),
]
_FOR_FAMILIES = [
    ("GET", "/api/v1/pieces"),
    ("GET", f"{_STUDENT}/pieces"),
    ("POST", "/api/v1/uploads"),
    ("PUT", "/api/v1/uploads/{document_id}/registration"),
    ("DELETE", _DOCUMENT),
]


@dataclass(frozen=True, slots=True)
class Given:
    """A document that a family of a school gave."""

    school: School
    family: Household
    document: Document

    async def view(self) -> tuple[object, ...]:
        """All that somebody could have changed, as the family and its site see it."""
        ask, system = self.school.system.ask, self.school.system
        return (
            await ask(ShowDocument(document_id=self.document.id), self.family.token),
            await ask(ReviewQueue(campaign_id=self.school.campaign_id), system.operator),
        )

    async def tries(self, site_id: UUID, method: str, path: str) -> tuple[int, str]:
        """Use an operation on it as the staff of a site; give the status and the text."""
        named = {
            "campaign_id": str(self.school.campaign_id),
            "family_id": str(self.family.family_id),
            "student_id": str(self.family.student_id),
            "document_id": str(new_id() if method == "POST" else self.document.id),
            "type_code": "rib",
        }
        ids = defaultdict(lambda: str(new_id()), named)
        system = self.school.system
        token = system.signer.sign(staff_caller(site_id), datetime.now(UTC), timedelta(hours=1))
        query = {"campaign_id": ids["campaign_id"]} if method == "GET" else None
        async with (
            aiohttp.ClientSession(headers={"authorization": f"Bearer {token}"}) as program,
            program.request(
                method,
                system.stack.public_url + path.format_map(ids),
                params=query,
                json=body_of(path, ids) if method in {"POST", "PUT"} else None,
            ) as response,
        ):
            return response.status, await response.text()


@pytest.fixture(scope="module")
async def given(portal: System) -> Given:
    school = await portal.school(families=1)
    (family,) = school.families
    opening = OpenUpload(
        document_id=new_id(),
        campaign_id=school.campaign_id,
        type_code="domicile",
        filename="justificatif.pdf",
        size=len(pdf()),
    )
    ticket = await portal.ask(opening, family.token)
    assert await send(ticket, pdf()) in {200, 204}
    await portal.ask(RegisterUpload(document_id=ticket.document_id), family.token)
    shown: list[Document] = []

    async def is_deposited() -> bool:
        question = ShowDocument(document_id=ticket.document_id)
        shown.append(await portal.ask(question, family.token))
        return shown[-1].state == "deposited"

    await eventually(is_deposited)
    return Given(school, family, shown[-1])


@pytest.mark.parametrize(("method", "path"), [*_FOR_STAFF, *_FOR_FAMILIES])
async def test_the_staff_of_another_site_finds_no_document(
    given: Given, method: str, path: str
) -> None:
    before = await given.view()
    status, text = await given.tries(new_id(), method, path)
    assert status == 404, text[:1000]
    assert await given.view() == before


@pytest.mark.parametrize(("method", "path"), _FOR_FAMILIES)
async def test_the_staff_of_the_site_does_nothing_in_a_family_s_place(
    given: Given, method: str, path: str
) -> None:
    before = await given.view()
    status, text = await given.tries(given.school.site_id, method, path)
    assert status == 404, text[:1000]
    assert await given.view() == before


@pytest.mark.parametrize(("method", "path"), _FOR_STAFF)
async def test_the_staff_of_the_site_reads_and_decides(
    given: Given, method: str, path: str
) -> None:
    """Without which "not found" would say nothing of whose they are."""
    status, text = await given.tries(given.school.site_id, method, path)
    assert status == 200, text[:1000]
