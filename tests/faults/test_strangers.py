"""Nobody reads or changes another family's data, by any identifier in any URL or form (S97)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from litestar.routes import HTTPRoute
from shared.contracts.courses import (
    JoinWaitingList,
    MyWaitingPlaces,
    ReleaseSeat,
    WaitingPlace,
)
from shared.contracts.documents import ListPieces, OpenUpload, RegisterUpload, ShowDocument
from shared.contracts.enrolment import Application, ShowApplication
from shared.contracts.files import Document
from shared.contracts.identity import MyFamily
from shared.identifiers import new_id

from tests.document_files import pdf
from tests.document_households import send
from tests.faults.bodies import Identifiers, body_of
from tests.harness import eventually
from tests.portal import Portal
from tests.system import Household, School, System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers

_PUBLIC = re.compile(
    r"/|/langue/\{name\}|/accessibilite|/mentions-legales|/connexion(/reprise)?|/deconnexion"
    r"|/metrics"
    r"|/(assets|health)/.*|/places(/flux)?|/verification|/rappels"
    r"|/api(/openapi\.json|/\{path\})?|/api/v1/(session(/refresh)?|sites)"
    r"|/api/v1/receipts/\{receipt_number\}/verification"
    r"|/mot-de-passe/(oublie(/demande)?|nouveau(/enregistre)?|email/confirmer)"
    r"|/api/v1/(password-reset(-request)?|email-confirmation)"
)
_PARAMETER = re.compile(r"\{([a-z_]+)(?::[a-z]+)?\}")
_PIECE = "domicile"
_FULL = 1
"""The group whose one seat is offered to the owner."""


def _routes() -> list[tuple[str, str]]:
    """Every (method, path) of the pages and of the API that is not for everyone."""
    with TemporaryDirectory() as folder:
        app = Portal(Path(folder)).app
    return sorted(
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute) and not _PUBLIC.fullmatch(route.path_format)
        for method in route.methods - {"OPTIONS", "HEAD"}
    )


_TO_REVIEW = "/api/v1/campaigns/{campaign_id}/documents-to-review"
_READ_BY_THE_STAFF = {
    _TO_REVIEW,
    "/api/v1/campaigns/{campaign_id}/reminders",
    "/api/v1/sites/{site_id}/mail-failures",
    "/api/v1/sites/{site_id}/wordings",
    "/api/v1/webhooks/{webhook_id}/deliveries",
}

# a type of piece is everybody's; whose receipts are read is seen in test_notifications_receipts
_NAMING_SOMETHING = [
    each for each in _routes() if set(_PARAMETER.findall(each[1])) - {"type_code", "receipt_number"}
]
_READING_SOMETHING = [
    (method, path)
    for method, path in _NAMING_SOMETHING
    if method == "GET" and path not in _READ_BY_THE_STAFF
]


@dataclass(frozen=True, slots=True)
class Resident:
    """A family with its browser, its program, and what it has begun, if anything."""

    school: School
    family: Household
    visitor: Visitor
    program: aiohttp.ClientSession
    application: Application | None = None
    place: WaitingPlace | None = None

    def own(self) -> dict[str, str]:
        """Its identifiers, and new ones for what it has not begun."""
        choices = self.application.choices if self.application else ()
        return {
            "student_id": str(self.family.student_id),
            "family_id": str(self.family.family_id),
            "guardian_id": str(self.family.guardian_id),
            "follow_id": str(self.school.follow_id(self.family)),
            "campaign_id": str(self.school.campaign_id),
            "course_id": str(self.school.course_id()),
            "full_course_id": str(self.school.course_id(_FULL)),
            "place_id": str(self.place.id if self.place else new_id()),
            "application_id": str(self.application.id if self.application else new_id()),
            "hold_id": str(choices[0].hold_id if choices else new_id()),
            "document_id": str(new_id()),
            "type_code": _PIECE,
            "receipt_number": "ESS-2027-000000-0",
            "session_id": self.visitor.session_id,
            "step": "1",
            "site_id": str(self.school.site_id),
            "kind": "draft_reminder",
            "language": "fr",
            "webhook_id": str(new_id()),
        }

    async def tries(self, method: str, path: str, ids: Identifiers) -> tuple[int, str]:
        """Use a page or an operation with these identifiers; give the status and the text."""
        url = path.format_map(ids)
        if path.startswith("/api/"):
            asks_of = method == "GET" or path.endswith("/decline")
            query = {"campaign_id": ids["campaign_id"]} if asks_of else None
            body = body_of(path, ids) if method in ("POST", "PUT") else None
            async with self.program.request(method, url, params=query, json=body) as response:
                return response.status, await response.text()
        if method == "GET":
            answer = await self.visitor.get(url)
        elif path.endswith("/ticket"):
            answer = await self.visitor.post_json(url, {"filename": "a.pdf", "size": 100})
        elif path == "/places/prolonger":
            answer = await self.visitor.post_json(url, {"hold_ids": [ids["hold_id"]]})
        elif path.endswith("/depose"):
            answer = await self.visitor.post_json(url, {"document_id": ids["document_id"]})
        elif path.endswith("/documents/{type_code}"):
            answer = await self.visitor.post_file(url, {"document_id": ids["document_id"]}, pdf())
        else:
            answer = await self.visitor.post(url, {**ids, "direction": "suite"})
        return answer.status, answer.text


@dataclass(frozen=True, slots=True)
class Street:
    """Families of one site: the owner has all that can be had, the others are after it."""

    owner: Resident
    document: Document
    stranger: Resident
    """Has begun nothing."""
    neighbour: Resident
    """Has an application of its own."""
    newcomer: Resident
    """Is after nothing: it does with its own what the stranger tries with the owner's."""

    def theirs(self) -> dict[str, str]:
        """The owner's identifiers."""
        return {**self.owner.own(), "document_id": str(self.document.id)}

    async def owners_view(self) -> tuple[object, ...]:
        """All that another could have changed, as the owner sees it."""
        school, family = self.owner.school, self.owner.family
        shown = {"campaign_id": school.campaign_id, "student_id": family.student_id}
        (row,) = await school.rows(family)
        ask, token = school.system.ask, family.token
        return (
            await ask(MyFamily(), token),
            await ask(ShowApplication(application_id=self.owner_application.id), token),
            row.hold,
            row.waiting,
            await ask(ListPieces.model_validate(shown), token),
        )

    @property
    def owner_application(self) -> Application:
        assert self.owner.application
        return self.owner.application

    def secrets(self, url: str) -> list[str]:
        """What no one else may read in the answer to this URL, but for what they wrote in it."""
        named = [value for name, value in self.theirs().items() if name.endswith("_id")]
        private = {self.owner.family.email, *named} - {
            str(self.owner.school.campaign_id),
            str(self.owner.school.course_id()),
            str(self.owner.school.course_id(_FULL)),
        }
        return [secret for secret in private if secret not in url]


@pytest.fixture(scope="module")
async def street(portal: System) -> AsyncIterator[Street]:
    school = await portal.school(families=5, seats=(20, 1))
    async with AsyncExitStack() as stack:

        async def move_in(
            family: Household, *, begins: bool, place: WaitingPlace | None = None
        ) -> Resident:
            visitor = Visitor.signed_in(portal.stack.public_url, school, family)
            program = aiohttp.ClientSession(
                portal.stack.public_url, headers={"authorization": f"Bearer {family.token}"}
            )
            return Resident(
                school,
                family,
                await stack.enter_async_context(visitor),
                await stack.enter_async_context(program),
                await school.prepare(family) if begins else None,
                place,
            )

        owner, stranger, neighbour, newcomer, leaver = school.families
        yield Street(
            owner=await move_in(owner, begins=True, place=await _is_offered(school, owner, leaver)),
            document=await _deposit(school, owner),
            stranger=await move_in(stranger, begins=False),
            neighbour=await move_in(neighbour, begins=True),
            newcomer=await move_in(newcomer, begins=False),
        )


async def _is_offered(school: School, family: Household, leaver: Household) -> WaitingPlace:
    """Have a family wait for the one seat of a group, and be offered it."""
    ask = school.system.ask
    taken = await school.hold(leaver, _FULL)
    joining = JoinWaitingList(
        place_id=new_id(),
        campaign_id=school.campaign_id,
        student_id=family.student_id,
        follow_id=school.follow_id(family),
        course_id=school.course_id(_FULL),
    )
    await ask(joining, family.token)
    await ask(ReleaseSeat(hold_id=taken.id), leaver.token)
    (place,) = await ask(MyWaitingPlaces(), family.token)
    assert place.state == "offered"
    return place


async def _deposit(school: School, family: Household) -> Document:
    content = pdf()
    opening = OpenUpload(
        document_id=new_id(),
        campaign_id=school.campaign_id,
        student_id=family.student_id,
        type_code=_PIECE,
        filename="justificatif.pdf",
        size=len(content),
    )
    ticket = await school.system.ask(opening, family.token)
    assert await send(ticket, content) in {200, 204}
    ask = school.system.ask
    await ask(RegisterUpload(document_id=ticket.document_id), family.token)
    shown: list[Document] = []

    async def is_deposited() -> bool:
        question = ShowDocument(document_id=ticket.document_id)
        shown.append(await ask(question, family.token))
        return shown[-1].state == "deposited"

    await eventually(is_deposited)
    return shown[-1]


@pytest.fixture
async def untouched(street: Street) -> AsyncIterator[None]:
    """Whatever the test tries, the owner finds everything as it was."""
    before = await street.owners_view()
    yield
    assert await street.owners_view() == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("method", "path"), _NAMING_SOMETHING)
async def test_another_familys_identifiers_answer_not_found(
    street: Street, method: str, path: str
) -> None:
    status, text = await street.stranger.tries(method, path, street.theirs())
    assert status == 404, text[:1000]
    assert street.owner.family.email not in text


@pytest.mark.parametrize(("method", "path"), _READING_SOMETHING)
async def test_their_own_family_reads_them(street: Street, method: str, path: str) -> None:
    """Without which "not found" would say nothing of whose they are."""
    status, text = await street.owner.tries(method, path, street.theirs())
    assert status == 200, text[:1000]


_SLIPS = {
    "/api/v1/applications": ("application_id", "student_id"),
    "/api/v1/declines": ("application_id", "student_id"),
    "/api/v1/holds": ("hold_id", "student_id", "follow_id"),
    "/api/v1/uploads": ("document_id", "student_id"),
    "/api/v1/waiting-places": ("place_id", "student_id", "follow_id"),
    "/reinscription/{student_id}/souhaite": ("application_id",),
    "/reinscription/{student_id}/ne-souhaite-pas": ("application_id",),
}
"""What a form or a body names beside its URL."""

_LATER_SLIPS = {
    "/api/v1/applications/{application_id}/choices": ("PUT", "hold_id"),
    "/api/v1/holds/renewal": ("POST", "hold_id"),
    "/places/prolonger": ("POST", "hold_id"),
    **{
        f"{folder}/documents/{{type_code}}{act}": ("POST", "document_id")
        for folder in ("/dossiers/{application_id}", "/eleves/{student_id}", "/famille")
        for act in ("", "/depose", "/supprimer")
    },
    "/eleves/{student_id}/publications/{document_id}": ("GET", "document_id"),
}
"""The same, for a family that has an application of its own."""


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, names in _SLIPS.items() for name in names]
)
async def test_one_identifier_of_anothers_among_ones_own_takes_nothing(
    street: Street, path: str, name: str
) -> None:
    ids = street.stranger.own() | {name: street.theirs()[name]}
    status, text = await street.stranger.tries("POST", path, ids)
    assert status == 404, text[:1000]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("path", _LATER_SLIPS)
async def test_nor_does_it_in_ones_own_application(street: Street, path: str) -> None:
    method, name = _LATER_SLIPS[path]
    ids = street.neighbour.own() | {name: street.theirs()[name]}
    status, text = await street.neighbour.tries(method, path, ids)
    assert status == 404, text[:1000]


@pytest.mark.parametrize("path", _SLIPS)
async def test_ones_own_identifiers_are_taken(street: Street, path: str) -> None:
    status, text = await street.newcomer.tries("POST", path, street.newcomer.own())
    assert status == 200, text[:1000]


@pytest.mark.usefixtures("untouched")
async def test_anothers_hold_is_not_given_back_with_ones_own(street: Street) -> None:
    own = street.neighbour.own()
    body = {**body_of("/api/v1/holds", own), "give_back": [street.theirs()["hold_id"]]}
    async with street.neighbour.program.post("/api/v1/holds", json=body) as response:
        assert response.status == 404, await response.text()


@pytest.mark.usefixtures("untouched")
async def test_courses_are_not_chosen_together_with_anothers_child(street: Street) -> None:
    visitor, theirs = street.neighbour.visitor, street.theirs()
    step = "/dossiers/{application_id}/cours".format_map(street.neighbour.own())
    answers = [await visitor.get(f"{step}?avec={theirs['application_id']}")]
    answers += [
        await visitor.post(step, {name: theirs["application_id"], "direction": "suite"})
        for name in ("avec", "ajouter")
    ]
    pressed = {
        "prolonger": theirs["hold_id"],
        "rejoindre": f"{theirs['follow_id']}.{theirs['full_course_id']}",
    }
    answers += [await visitor.post(step, {name: value}) for name, value in pressed.items()]
    assert [answer.status for answer in answers] == [404] * len(answers)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("whose", ["neighbour", "owner"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/holds/{hold_id}/confirmation"),
        ("POST", "/api/v1/placements"),
        ("PUT", "/api/v1/documents/{document_id}/acceptance"),
        ("PUT", "/api/v1/documents/{document_id}/refusal"),
        ("POST", "/api/v1/publications"),
        *(("GET", path) for path in sorted(_READ_BY_THE_STAFF)),
        ("POST", "/api/v1/campaigns/{campaign_id}/reminders/{kind}/launches"),
    ],
)
async def test_what_the_staff_decide_is_for_no_family(
    street: Street, method: str, path: str, whose: str
) -> None:
    ids = street.theirs() if whose == "owner" else street.neighbour.own()
    status, text = await street.neighbour.tries(method, path, ids)
    assert status == 404, text[:1000]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("method", "path"), _routes())
async def test_nothing_is_for_someone_who_did_not_sign_in(
    portal: System, street: Street, method: str, path: str
) -> None:
    url = path.format_map(street.theirs())
    async with Visitor.at_the_door(portal.stack.public_url) as nobody:
        answer = await nobody.try_to(method, url)
    is_page_read = method == "GET" and not path.startswith("/api/")
    assert answer.status == (303 if is_page_read else 401), answer.text[:1000]
    assert not [secret for secret in street.secrets(url) if secret in answer.text]
