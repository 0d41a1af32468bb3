"""A piece to provide, a file given for it, and where to send one."""

from datetime import UTC, datetime, timedelta

from shared.contracts.documents import Owner, Piece
from shared.contracts.files import Document, DocumentState, UploadTicket
from shared.identifiers import new_id


def a_piece(
    code: str = "domicile", name: str = "Justificatif de domicile", owner: Owner = "family"
) -> Piece:
    """A piece that was not given yet."""
    return Piece(
        type_code=code,
        name=name,
        owner=owner,
        requirement="required",
        help="Au nom de l'élève.",
        may_send=True,
    )


def a_document(
    filename: str = "quittance.pdf", state: DocumentState = "deposited", refusal: str = ""
) -> Document:
    """A file that was sent."""
    return Document(
        id=new_id(),
        filename=filename,
        content_type="application/pdf",
        size=1000,
        state=state,
        deposited_at=datetime.now(UTC),
        refusal=refusal,
        is_readable=state in {"deposited", "accepted"},
    )


def a_ticket(url: str = "http://store.example/rentree") -> UploadTicket:
    """Where to send a file."""
    return UploadTicket(
        document_id=new_id(),
        url=url,
        fields={"key": "incoming/1", "Content-Type": "application/pdf"},
        expires_at=datetime.now(UTC) + timedelta(minutes=10),
    )
