"""documents: the pieces that families provide, from the upload to the store (SPEC, step 3)."""

from pathlib import Path

from pydantic import SecretStr
from shared.handlers import Resources
from shared.service import Chore, Service
from shared.settings import ServiceSettings

from documents.commands import open_upload, register_upload, remove_document
from documents.erasure import sweep_uploads
from documents.imports import import_pieces
from documents.queries import list_pieces, open_document
from documents.reactions import remember_campaign, remember_disciplines, remember_families
from documents.store import ObjectStore


class DocumentsSettings(ServiceSettings):
    """What documents needs besides: the store, as it reaches it and as browsers do."""

    store_url: str
    store_public_url: str
    store_access_key: str
    store_secret_key: SecretStr
    store_bucket: str = "rentree-documents"
    store_region: str = "eu-west-3"


service = Service(
    name="documents",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        list_pieces,
        open_upload,
        register_upload,
        remove_document,
        open_document,
        import_pieces,
    ],
    reactions=[remember_campaign, remember_disciplines, remember_families],
    chores=[Chore(sweep_uploads, 600)],
)


def resources(settings: DocumentsSettings) -> Resources:
    """Give what handlers ask for besides the database."""
    store = ObjectStore(
        url=settings.store_url,
        public_url=settings.store_public_url,
        access_key=settings.store_access_key,
        secret_key=settings.store_secret_key.get_secret_value(),
        bucket=settings.store_bucket,
        region=settings.store_region,
    )
    return {ObjectStore: store}


def main() -> None:
    """Run one replica, configured by the environment."""
    settings = DocumentsSettings()
    service.run(settings, resources(settings))
