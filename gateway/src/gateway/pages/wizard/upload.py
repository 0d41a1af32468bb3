"""One piece to provide: send its file, read it, take it back (S50 to S53).

With a script the file goes straight to the store: a ticket, the sending, then word that it has
arrived. Without one the same form is posted here, and the same three steps are taken.
"""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from litestar import get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.documents import (
    MAX_DOCUMENT_BYTES,
    ListPieces,
    OpenDocument,
    OpenUpload,
    Piece,
    RegisterUpload,
    RemoveDocument,
    UploadTicket,
)
from shared.contracts.enrolment import Application, ShowApplication
from shared.identifiers import new_id

from gateway.forms import Form
from gateway.pages.rendered import absence_page, page
from gateway.pages.wizard.file_limit import FORM_MAX_BYTES, TOO_LARGE, FileLimit
from gateway.pages.wizard.frame import DOCUMENTS, Elsewhere, step_path, typed
from gateway.people import HttpRequest, Person
from gateway.store import StoreDoor

PIECE_PATH: Final = "/dossiers/{application_id:uuid}/documents/{type_code:str}"

_FILENAME_LENGTH: Final = 255
_REFUSALS: Final = {
    TOO_LARGE: "Le fichier est trop lourd : 2 Mo au plus. Réduisez-le ou numérisez-le avec une "
    "qualité plus basse, puis recommencez.",
}
_UNAVAILABLE: Final = "Le dépôt des pièces est momentanément indisponible"
_NOT_RECORDED: Final = (
    f"{_UNAVAILABLE} : votre fichier n'a pas été enregistré. "
    "Vous pouvez continuer votre réinscription et le déposer plus tard."
)
_MAYBE_RECORDED: Final = (
    f"{_UNAVAILABLE} : votre fichier a peut-être été enregistré. "
    "Vérifiez-le dans la liste des pièces avant de l'envoyer de nouveau."
)


class FileForm(BaseModel):
    """The one field of a piece's page."""

    file: str = Field("", title="le fichier")


class Announcement(BaseModel):
    """What is known of a file before it is sent."""

    filename: str = Field(min_length=1, max_length=_FILENAME_LENGTH)
    size: int = Field(ge=0)


class DocumentNamed(BaseModel):
    """A document by its identifier: one that has arrived, or one to take back."""

    document_id: UUID


class NextPage(BaseModel):
    """Where the script leads the person once the document is registered."""

    next: str


@dataclass(frozen=True, slots=True)
class Place:
    """A piece in an application: what its page is about."""

    application: Application
    piece: Piece


@get(PIECE_PATH)
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    type_code: FromPath[str],
    refusal: Annotated[str, QueryParameter(name="refus")] = "",
) -> Template:
    """Ask for the file of one piece."""
    place = await _find(person, application_id, type_code)
    return _ask(request, place, _REFUSALS.get(refusal, ""))


def unavailable(request: HttpRequest, error: ServiceUnavailable) -> Template:
    """Say what became of the file: no page can give it back."""
    text = _MAYBE_RECORDED if error.maybe_recorded else _NOT_RECORDED
    return absence_page(request, error, text)


@post(
    PIECE_PATH,
    middleware=[FileLimit],
    request_max_body_size=FORM_MAX_BYTES,
    exception_handlers={ServiceUnavailable: unavailable},
)
async def send(
    request: HttpRequest,
    person: NamedDependency[Person],
    store: NamedDependency[StoreDoor],
    application_id: FromPath[UUID],
    type_code: FromPath[str],
) -> Template | Redirect:
    """Take a file that was posted without script to the store."""
    place = await _find(person, application_id, type_code)
    posted = await request.form()
    file = posted.get("file")
    if not isinstance(file, UploadFile):
        return _ask(request, place, "Choisissez un fichier")
    content = await file.read()
    filename = file.filename[-_FILENAME_LENGTH:]
    announced = Announcement(filename=filename, size=len(content))
    opening = _opening(_document_id(posted), place.application, type_code, announced)
    try:
        ticket = await person.ask(opening)
        await store.send(ticket, filename, content)
        await person.ask(RegisterUpload(document_id=ticket.document_id))
    except Rejection as refused:
        if refused.status == 404:
            raise
        return _ask(request, place, refused.detail)
    return Redirect(_list_path(place.application), status_code=303)


@post(f"{PIECE_PATH}/ticket", status_code=200)
async def open_ticket(
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    type_code: FromPath[str],
    data: JSONBody[Announcement],
) -> UploadTicket:
    """Tell the script where to send the file: a new document at each attempt."""
    application = await person.ask(ShowApplication(application_id=application_id))
    return await person.ask(_opening(new_id(), application, type_code, data))


@post(f"{PIECE_PATH}/depose", status_code=200)
async def register(
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    type_code: FromPath[str],  # noqa: ARG001 - the document knows its piece
    data: JSONBody[DocumentNamed],
) -> NextPage:
    """Have the file that the script sent checked and attached."""
    application = await person.ask(ShowApplication(application_id=application_id))
    await person.ask(RegisterUpload(document_id=data.document_id))
    return NextPage(next=_list_path(application))


@get(f"{PIECE_PATH}/consulter")
async def read(
    person: NamedDependency[Person], application_id: FromPath[UUID], type_code: FromPath[str]
) -> Redirect:
    """Lead to the file, by a link that lives two minutes."""
    place = await _find(person, application_id, type_code)
    if place.piece.document is None:
        raise Rejection.not_found()
    link = await person.ask(OpenDocument(document_id=place.piece.document.id))
    return Redirect(link.url, status_code=303)


@get(f"{PIECE_PATH}/supprimer")
async def confirm_removal(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    type_code: FromPath[str],
) -> Template:
    """Ask to confirm before a document goes."""
    place = await _find(person, application_id, type_code)
    if place.piece.document is None:
        raise Elsewhere(_list_path(place.application))
    return page(request, "wizard/supprimer.html", _context(place))


@post(f"{PIECE_PATH}/supprimer")
async def remove(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    type_code: FromPath[str],  # noqa: ARG001 - the document knows its piece
) -> Redirect:
    """Take the document back."""
    application = await person.ask(ShowApplication(application_id=application_id))
    named = Form.read(DocumentNamed, typed(request)).value
    if named is None:
        raise Rejection.not_found()
    await person.ask(RemoveDocument(document_id=named.document_id))
    return Redirect(_list_path(application), status_code=303)


async def _find(person: Person, application_id: UUID, type_code: str) -> Place:
    """Find a piece of the caller's family, whatever the state of the application (S54)."""
    application = await person.ask(ShowApplication(application_id=application_id))
    pieces = await person.ask(
        ListPieces(campaign_id=application.campaign.id, student_id=application.student_id)
    )
    for piece in (*pieces.family, *pieces.student):
        if piece.type_code == type_code:
            return Place(application, piece)
    raise Rejection.not_found()


def _opening(
    document_id: UUID, application: Application, type_code: str, announced: Announcement
) -> OpenUpload:
    return OpenUpload(
        document_id=document_id,
        campaign_id=application.campaign.id,
        student_id=application.student_id,
        type_code=type_code,
        filename=announced.filename,
        size=announced.size,
    )


def _document_id(posted: FormMultiDict) -> UUID:
    texts = [(name, text) for name, text in posted.multi_items() if isinstance(text, str)]
    named = Form.read(DocumentNamed, texts).value
    if named is None:
        raise Rejection.not_found()
    return named.document_id


def _ask(request: HttpRequest, place: Place, refusal: str) -> Template:
    form = Form(FileForm)
    if refusal:
        form = form.refuse("file", refusal)
    context = {
        "form": form,
        "document_id": new_id(),
        "max_bytes": MAX_DOCUMENT_BYTES,
    }
    return page(request, "wizard/piece.html", {**_context(place), **context}, forms=[form])


def _context(place: Place) -> dict[str, object]:
    back_path = _list_path(place.application)
    path = f"{step_path(place.application.id, DOCUMENTS)}/{place.piece.type_code}"
    return {"piece": place.piece, "piece_path": path, "back_path": back_path}


def _list_path(application: Application) -> str:
    """Give the list a person came from: the wizard's, or the student's once it is submitted."""
    if application.state == "draft" and application.step_reached >= DOCUMENTS:
        return step_path(application.id, DOCUMENTS)
    return f"/eleves/{application.student_id}/documents"


ROUTES = [show, send, open_ticket, register, read, confirm_removal, remove]
