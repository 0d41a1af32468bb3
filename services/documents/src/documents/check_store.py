"""The store and the records compared, by hand, in the environment of a replica of documents.

``python -m documents check-store`` names the objects that no document explains and the documents
whose file is not there; with ``--mend``, the former are removed, however many they are.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.db import Database

from documents.app import DocumentsSettings, object_store
from documents.orphans import SETTLED_AFTER, compare, remove_strays
from documents.store import ObjectStore


async def run(
    database: Database, store: ObjectStore, words: Sequence[str], stored_before: datetime
) -> int:
    """Do what the command line says; gives the exit code: 0 where all is right."""
    parser = argparse.ArgumentParser(prog="documents check-store", description=__doc__)
    parser.add_argument("--mend", action="store_true", help="remove what no document explains")
    options = parser.parse_args(words)
    found = await compare(database, store, stored_before)
    for name in found.strays:
        sys.stdout.write(f"{name}: no document explains it\n")
    for document_id in found.missing:
        sys.stdout.write(f"{document_id}: its file is missing\n")
    wrong = len(found.missing)
    if options.mend:
        await remove_strays(store, found.strays)
        sys.stdout.write(f"{len(found.strays)} object(s) removed\n")
    else:
        wrong += len(found.strays)
    sys.stdout.write(f"{found.objects} object(s), {wrong or 'nothing'} wrong\n")
    return 1 if wrong else 0


def check_store(words: Sequence[str]) -> int:
    """Compare what the environment names; gives the exit code."""
    settings = DocumentsSettings()

    async def check() -> int:
        database = Database(settings.database_url, name="documents-check-store", connections=1)
        try:
            stored_before = datetime.now(UTC) - SETTLED_AFTER
            return await run(database, object_store(settings), words, stored_before)
        finally:
            await database.close()

    return asyncio.run(check())
