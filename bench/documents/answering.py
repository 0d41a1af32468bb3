"""A replica of documents that answers and does all its chores but one: it verifies nothing."""

from dataclasses import replace

from documents.app import DocumentsSettings, resources, service
from documents.verification import verify_uploads


def main() -> None:
    """Run it as ``python -m documents`` would, configured by the environment."""
    settings = DocumentsSettings()
    chores = [chore for chore in service.chores if chore.function is not verify_uploads]
    replace(service, chores=chores).run(settings, resources(settings))


if __name__ == "__main__":
    main()
