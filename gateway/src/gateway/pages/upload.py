"""One piece to provide: send its file, read it, take it back (S50 to S54).

With a script the file goes straight to the store: a ticket, the sending, then word that it has
arrived. Without one the same form is posted here, and the same three steps are taken. The pages
are the same wherever the family gives its pieces.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Router, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.documents import (
    DeclinePiece,
    ListPieces,
    OpenDocument,
    OpenUpload,
    Piece,
    Pieces,
    RegisterUpload,
    RemoveDocument,
    TakeBackPieceDecline,
)
from shared.contracts.files import MAX_DOCUMENT_BYTES, Filename, UploadTicket
from shared.identifiers import new_id

from gateway.formats import file_size
from gateway.forms import Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.file_limit import FORM_MAX_BYTES, TOO_LARGE, FileLimit
from gateway.pages.folders import (
    FAMILY_PATH,
    Folder,
    application_folder,
    family_folder,
    student_folder,
)
from gateway.pages.rendered import absence_page, page, refusal_text
from gateway.pages.wizard.frame import typed
from gateway.people import HttpRequest, Person
from gateway.rendering import last_file
from gateway.store import StoreDoor

_REFUSALS: Final = {
    TOO_LARGE: marked(
        "Le fichier est trop lourd : %(limit)s au plus. Réduisez-le ou numérisez-le avec une "
        "qualité plus basse, puis recommencez."
    ),
}
_ONE_FILE: Final = marked("Choisissez un seul fichier")
_NO_FILE: Final = marked("Choisissez un fichier")
_NAME_REFUSED: Final = marked(
    "Le nom du fichier est trop long : renommez le fichier, puis recommencez"
)
_NOT_RECORDED: Final = marked(
    "Le dépôt des pièces est momentanément indisponible : votre fichier n'a pas été enregistré. "
    "Vous pouvez continuer votre réinscription et le déposer plus tard."
)
_MAYBE_RECORDED: Final = marked(
    "Le dépôt des pièces est momentanément indisponible : votre fichier a peut-être été "
    "enregistré. "
    "Vérifiez-le dans la liste des pièces avant de l'envoyer de nouveau."
)


class FileForm(BaseModel):
    """The one field of a piece's page."""

    file: str = Field("", title=marked("le fichier"))


class Announcement(BaseModel):
    """What is known of a file before it is sent."""

    filename: Filename
    size: int = Field(ge=0)


class DocumentNamed(BaseModel):
    """A document by its identifier: one that has arrived, or one to take back."""

    document_id: UUID


class NextPage(BaseModel):
    """Where the script leads the person once the document is registered."""

    next: str


@dataclass(frozen=True, slots=True)
class Place:
    """A piece in a folder: what its page is about."""

    folder: Folder
    piece: Piece
    due_at: datetime

    @property
    def path(self) -> str:
        """The address of the piece's page."""
        return f"{self.folder.path}/{self.piece.type_code}"


@get("/{type_code:str}")
async def show(
    request: HttpRequest,
    person: NamedDependency[Person],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],
    refusal: Annotated[str, QueryParameter(name="refus")] = "",
) -> Template:
    """Ask for the file of one piece."""
    place = await _find(person, folder, type_code)
    text = _REFUSALS.get(refusal)
    return _ask(request, place, _(text, limit=file_size(MAX_DOCUMENT_BYTES)) if text else "")


def unavailable(request: HttpRequest, error: ServiceUnavailable) -> Template:
    """Say what became of the file: no page can give it back."""
    text = _MAYBE_RECORDED if error.maybe_recorded else _NOT_RECORDED
    return absence_page(request, error, _(text))


@post(
    "/{type_code:str}",
    middleware=[FileLimit],
    request_max_body_size=FORM_MAX_BYTES,
    exception_handlers={ServiceUnavailable: unavailable},
)
async def send(
    request: HttpRequest,
    person: NamedDependency[Person],
    store: NamedDependency[StoreDoor],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],
) -> Template | Redirect:
    """Take a file that was posted without script to the store."""
    place = await _find(person, folder, type_code)
    posted = await request.form()
    files = [file for file in posted.getall("file", []) if isinstance(file, UploadFile)]
    if len(files) != 1:
        return _ask(request, place, _(_ONE_FILE if files else _NO_FILE))
    (file,) = files
    announced = _announcement(file)
    if announced is None:
        return _ask(request, place, _(_NAME_REFUSED))
    try:
        opening = _opening(_document_id(posted), folder, type_code, announced)
        ticket = await person.ask(opening)
        await store.send(ticket, announced.filename, file.file)
        await person.ask(RegisterUpload(document_id=ticket.document_id))
    except Rejection as refused:
        if refused.status == 404:
            raise
        return _ask(request, place, refusal_text(refused))
    return Redirect(folder.list_path, status_code=303)


@post("/{type_code:str}/ticket", status_code=200)
async def open_ticket(
    person: NamedDependency[Person],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],
    data: JSONBody[Announcement],
) -> UploadTicket:
    """Tell the script where to send the file: a new document at each attempt."""
    return await person.ask(_opening(new_id(), folder, type_code, data))


@post("/{type_code:str}/depose", status_code=200)
async def register(
    person: NamedDependency[Person],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],  # noqa: ARG001 - the document knows its piece
    data: JSONBody[DocumentNamed],
) -> NextPage:
    """Have the file that the script sent analysed."""
    await person.ask(RegisterUpload(document_id=data.document_id))
    return NextPage(next=folder.list_path)


@get("/{type_code:str}/consulter")
async def read(
    person: NamedDependency[Person], folder: NamedDependency[Folder], type_code: FromPath[str]
) -> Redirect:
    """Lead to the file, by a link that lives a moment."""
    place = await _find(person, folder, type_code)
    if place.piece.document is None:
        raise Rejection.not_found()
    link = await person.ask(OpenDocument(document_id=place.piece.document.id))
    return Redirect(link.url, status_code=303)


@get("/{type_code:str}/supprimer")
async def confirm_removal(
    request: HttpRequest,
    person: NamedDependency[Person],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],
) -> Template | Redirect:
    """Ask to confirm before the last file sent goes."""
    place = await _find(person, folder, type_code)
    last = last_file(place.piece)
    if last is None or not place.piece.may_remove:
        return Redirect(folder.list_path, status_code=303)
    return page(request, "pieces/supprimer.html", {"place": place, "last": last})


@post("/{type_code:str}/supprimer")
async def remove(
    request: HttpRequest,
    person: NamedDependency[Person],
    folder: NamedDependency[Folder],
    type_code: FromPath[str],  # noqa: ARG001 - the document knows its piece
) -> Redirect:
    """Take the document back."""
    named = Form.read(DocumentNamed, typed(request)).value
    if named is None:
        raise Rejection.not_found()
    await person.ask(RemoveDocument(document_id=named.document_id))
    return Redirect(folder.list_path, status_code=303)


@post("/{type_code:str}/non-remise")
async def decline(
    person: NamedDependency[Person], folder: NamedDependency[Folder], type_code: FromPath[str]
) -> Redirect:
    """Declare that the family does not give the piece (S55)."""
    await person.ask(
        DeclinePiece(
            campaign_id=folder.campaign_id, student_id=folder.student_id, type_code=type_code
        )
    )
    return Redirect(folder.list_path, status_code=303)


@post("/{type_code:str}/non-remise/annuler")
async def take_back_decline(
    person: NamedDependency[Person], folder: NamedDependency[Folder], type_code: FromPath[str]
) -> Redirect:
    """Take that back: the piece is asked for again, on its page."""
    await person.ask(
        TakeBackPieceDecline(
            campaign_id=folder.campaign_id, student_id=folder.student_id, type_code=type_code
        )
    )
    return Redirect(f"{folder.path}/{type_code}", status_code=303)


@get("/etats")
async def states(
    person: NamedDependency[Person], folder: NamedDependency[Folder]
) -> dict[str, str]:
    """Say where the last file of each piece stands, to a page that waits for an analysis."""
    pieces = await _ask_pieces(person, folder)
    last = {piece.type_code: last_file(piece) for piece in (*pieces.family, *pieces.student)}
    return {code: document.state for code, document in last.items() if document}


async def _ask_pieces(person: Person, folder: Folder) -> Pieces:
    return await person.ask(
        ListPieces(campaign_id=folder.campaign_id, student_id=folder.student_id)
    )


async def _find(person: Person, folder: Folder, type_code: str) -> Place:
    """Find a piece of the caller's family."""
    pieces = await _ask_pieces(person, folder)
    for piece in (*pieces.family, *pieces.student):
        if piece.type_code == type_code:
            return Place(folder, piece, pieces.due_at)
    raise Rejection.not_found()


def _opening(
    document_id: UUID, folder: Folder, type_code: str, announced: Announcement
) -> OpenUpload:
    return OpenUpload(
        document_id=document_id,
        campaign_id=folder.campaign_id,
        student_id=folder.student_id,
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


def _announcement(file: UploadFile) -> Announcement | None:
    """Say what is sent; nothing where no computer gives a file such a name."""
    size = file.file.seek(0, 2)
    file.file.seek(0)
    said = [("filename", file.filename), ("size", str(size))]
    return Form.read(Announcement, said).value


def _ask(request: HttpRequest, place: Place, refusal: str) -> Template:
    form = Form(FileForm)
    if refusal:
        form = form.refuse("file", refusal)
    context = {
        "place": place,
        "form": form,
        "document_id": new_id(),
        "max_bytes": MAX_DOCUMENT_BYTES,
        "now": datetime.now(UTC),
    }
    return page(request, "pieces/piece.html", context, forms=[form])


_HANDLERS: Final = [
    show,
    send,
    open_ticket,
    register,
    read,
    confirm_removal,
    remove,
    decline,
    take_back_decline,
    states,
]

ROUTES = [
    Router(path, route_handlers=_HANDLERS, dependencies={"folder": Provide(folder)})
    for path, folder in (
        ("/dossiers/{application_id:uuid}/documents", application_folder),
        ("/eleves/{student_id:uuid}/documents", student_folder),
        (FAMILY_PATH, family_folder),
    )
]
