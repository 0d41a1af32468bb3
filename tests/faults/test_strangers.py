"""Nobody reads or changes another family's data, by any identifier in any URL or form (S97)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import aiohttp
import pytest
from litestar.routes import HTTPRoute
from shared.contracts.enrolment import Application
from shared.identifiers import imported_id, new_id

from tests.portal import Portal
from tests.system import Household, School, System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers

_OF_NOBODY = ("/assets/", "/api/{path")
_PARAMETER = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")


def _routes() -> list[tuple[str, str]]:
    """Every (method, path) of the pages and of the API that names something of a family's."""
    with TemporaryDirectory() as folder:
        app = Portal(Path(folder)).app
    return sorted(
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        and _PARAMETER.search(route.path_format)
        and not route.path_format.startswith(_OF_NOBODY)
        for method in route.methods - {"OPTIONS", "HEAD"}
    )


@dataclass(frozen=True, slots=True)
class Two:
    """A family with an application under way, and a stranger of the same site."""

    school: School
    owner: Household
    application: Application
    stranger: Household
    visitor: Visitor
    program: aiohttp.ClientSession

    def owned(self) -> dict[str, str]:
        """The owner's identifiers, by the name that a URL or a form gives them."""
        (choice,) = self.application.choices
        family = self.owner.code
        return {
            "student_id": str(self.owner.student_id),
            "application_id": str(self.application.id),
            "document_id": str(new_id()),
            "guardian_id": str(imported_id("guardian", f"{family}-R1")),
            "hold_id": str(choice.hold_id),
            "campaign_id": str(self.school.campaign_id),
            "type_code": "domicile",
            "step": "1",
        }


@pytest.fixture(scope="module")
async def two(portal: System) -> AsyncIterator[Two]:
    school = await portal.school(families=2)
    owner, stranger = school.families
    application = await school.prepare(owner)
    async with AsyncExitStack() as stack:
        visitor = await stack.enter_async_context(
            Visitor.signed_in(portal.stack.public_url, school, stranger)
        )
        program = await stack.enter_async_context(
            aiohttp.ClientSession(
                portal.stack.public_url, headers={"authorization": f"Bearer {stranger.token}"}
            )
        )
        yield Two(school, owner, application, stranger, visitor, program)


def _body(path: str) -> dict[str, object]:
    """A valid body for an API operation, naming what is the owner's."""
    choice = {"follow_id": str(new_id()), "re_enrol": True, "label": "x"}
    details: dict[str, object] = {
        "civility": "Madame",
        "last_name": "X",
        "first_name": "Y",
        "birth_on": "2015-01-01",
        "address": "1 rue",
        "postcode": "92000",
        "city": "Z",
        "mobile": "06 39 98 00 01",
        "email": "x@familles.example",
    }
    by_part: dict[str, dict[str, object]] = {
        "/guardians/": details,
        "/students/": details,
        "/authorisations": {"image_rights": True, "leaves_alone": True, "text_version": "x"},
        "/choices": {"choices": [choice], "remarks": ""},
        "/submission": {"accepted_text_version": "x", "remarks": ""},
    }
    return next((body for part, body in by_part.items() if part in path), {})


@pytest.mark.parametrize(("method", "path"), _routes())
async def test_another_familys_identifiers_answer_not_found(
    two: Two, method: str, path: str
) -> None:
    owned = two.owned()
    url = _PARAMETER.sub(lambda match: owned[match.group(1)], path)
    if path.startswith("/api/"):
        query = {"campaign_id": owned["campaign_id"]} if method == "GET" else None
        body = _body(url) if method in ("POST", "PUT") else None
        async with two.program.request(method, url, params=query, json=body) as response:
            status, text = response.status, await response.text()
    elif method == "GET":
        answer = await two.visitor.get(f"{url}?campagne={owned['campaign_id']}")
        status, text = answer.status, answer.text
    elif path.endswith(("/ticket", "/depose")):
        announced = {"document_id": owned["document_id"], "filename": "a.pdf", "size": 100}
        wanted = announced if path.endswith("/ticket") else {"document_id": owned["document_id"]}
        answer = await two.visitor.post_json(url, wanted)
        status, text = answer.status, answer.text
    else:
        answer = await two.visitor.post(url, {**owned, "direction": "suite"})
        status, text = answer.status, answer.text
    assert status == 404, text[:1000]


async def test_what_was_tried_changed_nothing(two: Two) -> None:
    (row,) = await two.school.rows(two.owner)
    assert row.hold is not None
    assert row.hold.id == two.application.choices[0].hold_id


@pytest.mark.parametrize("name", ["application_id", "hold_id"])
async def test_another_familys_identifier_in_a_form_takes_nothing(two: Two, name: str) -> None:
    """The stranger acts on its own student, and slips in an identifier that is the owner's."""
    owned, school = two.owned(), two.school
    own = {"campaign_id": str(school.campaign_id), "student_id": str(two.stranger.student_id)}
    bodies: dict[str, tuple[str, dict[str, object]]] = {
        "application_id": ("/api/v1/applications", {**own, name: owned[name]}),
        "hold_id": (
            "/api/v1/holds",
            {
                "campaign_id": own["campaign_id"],
                "requests": [
                    {
                        "hold_id": owned[name],
                        "student_id": own["student_id"],
                        "follow_id": str(school.follow_id(two.stranger)),
                        "course_ids": [str(school.course_id())],
                    }
                ],
            },
        ),
    }
    path, body = bodies[name]
    async with two.program.post(path, json=body) as response:
        assert response.status == 404, await response.text()


async def test_no_one_reads_a_page_without_signing_in(portal: System, two: Two) -> None:
    owned = two.owned()
    async with aiohttp.ClientSession(portal.stack.public_url) as nobody:
        for method, path in _routes():
            url = _PARAMETER.sub(lambda match: owned[match.group(1)], path)
            async with nobody.request(method, url, allow_redirects=False) as response:
                assert response.status in {303, 401, 403}, (method, path)
                assert UUID(owned["student_id"]).hex not in await response.text()
