"""documents: the pieces that families provide, from the upload to the store (SPEC, step 3)."""

from pathlib import Path

from pydantic import Field, SecretStr
from shared.handlers import Resources
from shared.service import Chore, Service
from shared.settings import ServiceSettings

from documents import (
    commands,
    declining,
    history,
    imports,
    publications,
    queries,
    reactions,
    review,
)
from documents.erasure import sweep_uploads
from documents.forgetting import finish_erasures
from documents.inspectors import Inspectors
from documents.orphans import sweep_orphans
from documents.reckoning import tell_missing_pieces
from documents.retention import purge_old_documents
from documents.scanner import Scanner
from documents.store import ObjectStore, set_up_store
from documents.verification import verify_uploads


class DocumentsSettings(ServiceSettings):
    """What documents needs besides: the store, as it reaches it and as browsers do, and the
    antivirus.
    """

    store_url: str
    store_public_url: str
    store_access_key: str
    store_secret_key: SecretStr
    store_bucket: str = "rentree-documents"
    store_region: str = "eu-west-3"
    clamd_url: str = ""
    """``tcp://host:3310`` or ``unix:///path``; empty, files are kept without a scan."""
    verifications_at_once: int = Field(default=2, ge=1)
    """Files that one replica opens at the same time, each in a process of its own."""


service = Service(
    name="documents",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        queries.list_pieces,
        queries.missing_pieces,
        queries.show_document,
        queries.open_document,
        history.document_history,
        commands.open_upload,
        commands.register_upload,
        commands.remove_document,
        declining.decline_piece,
        declining.take_back_piece_decline,
        review.review_queue,
        review.accept_document,
        review.refuse_document,
        publications.open_publication,
        publications.published_documents,
        imports.import_pieces,
    ],
    reactions=[
        reactions.erase_family,
        reactions.remember_campaign,
        reactions.remember_disciplines,
        reactions.remember_families,
    ],
    chores=[
        Chore(verify_uploads, 0.5),
        Chore(set_up_store, 3600),
        Chore(sweep_uploads, 600),
        Chore(purge_old_documents, 6 * 3600),
        Chore(sweep_orphans, 6 * 3600),
        Chore(finish_erasures, 60),
        Chore(tell_missing_pieces, 60),
    ],
)


def resources(settings: DocumentsSettings) -> Resources:
    """Give what handlers and chores ask for besides the database."""
    return {
        ObjectStore: object_store(settings),
        Scanner: Scanner(settings.clamd_url or None),
        Inspectors: Inspectors(settings.verifications_at_once),
    }


def object_store(settings: DocumentsSettings) -> ObjectStore:
    """Give the store, which nothing asks anything yet."""
    return ObjectStore(
        url=settings.store_url,
        public_url=settings.store_public_url,
        access_key=settings.store_access_key,
        secret_key=settings.store_secret_key.get_secret_value(),
        bucket=settings.store_bucket,
        region=settings.store_region,
    )


def main() -> None:
    """Run one replica, configured by the environment."""
    settings = DocumentsSettings()
    service.run(settings, resources(settings))
