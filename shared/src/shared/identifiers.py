"""Identifiers: minted in time order, or derived from a code that other systems already use."""

from uuid import NAMESPACE_URL, UUID, uuid5

import uuid_utils.compat

_IMPORTED = uuid5(NAMESPACE_URL, "https://rentree.example/imported")


def new_id() -> UUID:
    """Mint an identifier (UUIDv7): unique anywhere, and in time order for the indexes."""
    return uuid_utils.compat.uuid7()


def imported_id(kind: str, code: str) -> UUID:
    """Give the identifier of an imported record (UUIDv5 of its kind and stable code).

    The same code gives the same identifier in every service, so that an import is repeatable and
    one file may refer to another's records without asking their owner.
    """
    return uuid5(_IMPORTED, f"{kind}:{code}")
