import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from shared.contract import Rejection
from shared.contracts.documents import (
    Missing,
    MissingPiece,
    MissingPieces,
    OpenDocument,
    RemoveDocument,
)
from shared.contracts.enrolment import ApplicationState
from shared.contracts.files import Document, DocumentLink

from tests.deposits import a_document, a_piece
from tests.forms import filled_in, words
from tests.portal import Portal
from tests.wizard import Household, household

PIECE = "documents/domicile"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(3)
        yield seated


def row_of(page: str, name: str = "Justificatif de domicile") -> str:
    """The words of a piece's row."""
    rows = (words(row) for row in page.split('<tr class="govuk-table__row"'))
    return next(row for row in rows if name in row)


def given(family: Household, **changes: Any) -> Document:
    """Have the piece be given already, and be one that may be taken back."""
    document = a_document()
    (piece,) = family.pieces.family
    piece = piece.model_copy(update={"document": document, "may_remove": True, **changes})
    family.pieces = family.pieces.model_copy(update={"family": (piece,)})
    return document


def test_a_document_is_read_by_a_short_link(family: Household) -> None:
    document = given(family)
    link = DocumentLink(url="http://store.example/a?signed", expires_at=datetime.now(UTC))
    family.answer({OpenDocument: link})
    assert family.is_led(family.at(f"{PIECE}/consulter")) == link.url
    assert family.asked(OpenDocument) == [OpenDocument(document_id=document.id)]


def test_a_document_is_taken_back_once_confirmed(family: Household) -> None:
    document = given(family)
    family.answer({RemoveDocument: None})
    path = family.at(f"{PIECE}/supprimer")
    page = family.reads(path)
    assert "quittance.pdf" in words(page)
    assert family.goes_on(path, filled_in(page, path)) == family.at("documents")
    assert family.asked(RemoveDocument) == [RemoveDocument(document_id=document.id)]


def test_a_file_that_replaces_another_lets_it_count_meanwhile(family: Household) -> None:
    given(family, attempt=a_document("photo.pdf", "analysing"))
    page = family.reads(family.at("documents"))
    row = row_of(page)
    assert "Déposée" in row
    assert re.search(r"Nouveau fichier, photo.pdf : Analyse en cours", row)
    assert "Le fichier précédent reste déposé" in row
    assert "Remplacer" in row
    assert "Consulter" in row
    assert 'data-state="analysing"' in page
    assert "Actualiser" in words(page)


@pytest.mark.parametrize("path", [PIECE, f"{PIECE}/supprimer"])
def test_the_students_tabs_stay_visible_on_a_pieces_pages(family: Household, path: str) -> None:
    given(family)
    page = family.reads(family.at(path))
    assert f'href="/eleves/{family.student.id}/cours"' in page
    assert page.count("<h1") == 1


def test_what_is_analysed_cannot_be_read_yet(family: Household) -> None:
    given(family, document=None, attempt=a_document("photo.pdf", "analysing"))
    row = row_of(family.reads(family.at("documents")))
    assert "photo.pdf" in row
    assert "Analyse en cours" in row
    assert "Consulter" not in row
    assert "Supprimer" in row
    assert "Page introuvable" in family.reads(family.at(f"{PIECE}/consulter"), status=404)


@pytest.mark.parametrize("kind", ["document", "attempt"])
def test_a_refused_file_says_why_and_what_to_do(family: Household, kind: str) -> None:
    refused = a_document("flou.pdf", "refused", "Le document est illisible.")
    given(family, **{"document": None, kind: refused})
    for path in ("documents", PIECE):
        page = words(family.reads(family.at(path)))
        assert "Refusée" in page
        assert "Motif : Le document est illisible." in page
        assert "Importez un autre fichier" not in page
        assert "reste déposé" not in page


def test_an_accepted_file_can_neither_be_replaced_nor_taken_back(family: Household) -> None:
    accepted = a_document(state="accepted")
    given(family, document=accepted, may_send=False, may_remove=False)
    row = row_of(family.reads(family.at("documents")))
    assert "Validée" in row
    assert not re.search("Importer|Remplacer|Supprimer", row)
    page = family.reads(family.at(PIECE))
    assert "a été validée par le conservatoire" in words(page)
    assert "<form" not in page.partition("<main")[2]
    assert family.is_led(family.at(f"{PIECE}/supprimer")) == family.at("documents")


def test_a_piece_whose_deadline_has_passed_says_so_with_the_hour(family: Household) -> None:
    due_at = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
    closed = [piece.model_copy(update={"may_send": False}) for piece in family.pieces.family]
    update = {"family": tuple(closed), "due_at": due_at}
    family.pieces = family.pieces.model_copy(update=update)
    page = words(family.reads(family.at(PIECE)))
    assert "Le délai de dépôt est passé depuis le 01/09/2026 à 12:00" in page
    assert "ne peut plus être envoyée" in page


def test_the_last_file_sent_is_the_one_taken_back(family: Household) -> None:
    attempt = a_document("photo.pdf", "analysing")
    given(family, attempt=attempt)
    page = family.reads(family.at(f"{PIECE}/supprimer"))
    assert "Le précédent, quittance.pdf , est gardé" in words(page)
    assert dict(filled_in(page, family.at(f"{PIECE}/supprimer"))) == {
        "document_id": str(attempt.id)
    }


def test_a_page_that_waits_is_told_where_the_last_files_stand(family: Household) -> None:
    path = "/famille/documents/etats"
    assert family.client.get(path).json() == {}
    given(family)
    assert family.client.get(path).json() == {"domicile": "deposited"}
    given(family, attempt=a_document("photo.pdf", "refused", "Vide."))
    assert family.client.get(path).json() == {"domicile": "refused"}


@pytest.mark.parametrize("search", ["piece", "IDENTITE", "hebergeant identité", "passeport"])
def test_a_search_keeps_the_pieces_and_files_that_have_its_words(
    family: Household, search: str
) -> None:
    identity = a_piece("identite", "Pièce d'identité hébergeant").model_copy(
        update={"document": a_document("Passeport.pdf")}
    )
    family.pieces = family.pieces.model_copy(update={"family": (a_piece(), identity)})
    for path in (family.at("documents"), f"/eleves/{family.student.id}/documents", "/famille"):
        page = words(family.reads(f"{path}?q={search}"))
        assert "Pièce d'identité hébergeant" in page
        assert "Justificatif de domicile" not in page
        assert "Voir toutes les pièces" in page


def test_a_search_that_finds_nothing_says_so(family: Household) -> None:
    page = family.reads(f"{family.at('documents')}?q=xyz")
    assert "data-pieces-none>Aucune pièce ne correspond" in page
    assert "data-pieces-none hidden" in family.reads(family.at("documents"))


# What is missing


@pytest.mark.parametrize(
    ("step", "state", "path"),
    [(5, "draft", "recapitulatif"), (6, "submitted", "/eleves/{id}/reinscription")],
)
def test_what_is_missing_is_said_before_and_after_the_request_is_sent(
    family: Household, step: int, state: ApplicationState, path: str
) -> None:
    family.stands_at(step, state=state)
    due_at = datetime(2099, 9, 1, 10, 0, tzinfo=UTC)
    home = MissingPiece(type_code="domicile", name="Justificatif de domicile", owner="family")
    family.answer({MissingPieces: Missing(due_at=due_at, pieces=(home,))})
    address = path.format(id=family.student.id) if path.startswith("/") else family.at(path)
    page = words(family.reads(address))
    assert "Il manque une pièce. À déposer jusqu'au 01/09/2099 à 12:00" in page
    family.answer({MissingPieces: Missing(due_at=due_at, pieces=())})
    page = words(family.reads(address))
    assert "Aucune pièce obligatoire ne manque" in page
    assert "remplacer des pièces jusqu'au 01/09/2099 à 12:00" in page
    asked, *_ = family.asked(MissingPieces)
    assert asked.student_id == family.student.id
    family.answer({MissingPieces: Rejection.not_found()})
    assert "Aucune pièce obligatoire" not in words(family.reads(address))


@pytest.mark.parametrize("path", ["documents", "/famille", "/eleves/{id}/documents"])
def test_wherever_pieces_are_given_the_cost_of_none_is_said(family: Household, path: str) -> None:
    address = path.format(id=family.student.id) if path.startswith("/") else family.at(path)
    page = words(family.reads(address))
    assert "Sans les justificatifs demandés, le tarif plafond est appliqué" in page
    assert "Aucune pièce n'est acceptée par e-mail" in page


def test_step_3_promises_no_later_deposit_once_the_delay_has_passed(family: Household) -> None:
    due_at = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
    family.pieces = family.pieces.model_copy(update={"due_at": due_at})
    page = words(family.reads(family.at("documents")))
    assert "Le délai de dépôt est passé depuis le 01/09/2026 à 12:00" in page
    assert "plus tard" not in page


def test_the_recap_says_where_each_file_stands(family: Household) -> None:
    given(family, attempt=a_document("photo.pdf", "refused", "Illisible."))
    family.stands_at(5)
    page = words(family.reads(family.at("recapitulatif")))
    assert "Déposée (quittance.pdf) ; nouveau fichier : Refusée (photo.pdf)" in page
