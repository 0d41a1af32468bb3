"""Files hidden in others: what an unzipper, a browser or a system would make of the same bytes."""

import io
import re
import zipfile

from documents.findings import Unfit

_HEAD_BYTES = 1024
"""How far from the start readers of PDF and browsers look for what they know."""
_MARKUP = re.compile(rb"<!doctype html|<html|<script|<svg|<\?php", re.IGNORECASE)
_STARTS = (
    b"MZ",
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"#!",
    b"PK\x03\x04",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\x00",
)
"""What programs, scripts and archives begin with."""


def refuse_foreign_files(content: bytes, end: int) -> None:
    """Raise Unfit where another file lies in this one, whose own content stops at ``end``."""
    head, tail = content[:_HEAD_BYTES], content[end:].lstrip(b"\0\t\n\f\r ")
    if _MARKUP.search(head) or _MARKUP.search(tail):
        raise _hidden("une page web ou un programme")
    if b"%PDF-" in head[1:] or b"%PDF-" in tail:
        raise _hidden("un autre document PDF")
    if tail.startswith(_STARTS) or zipfile.is_zipfile(io.BytesIO(content)):
        raise _hidden("un programme ou une archive")


def _hidden(what: str) -> Unfit:
    return Unfit(
        f"Ce fichier en cache un autre : {what}. Par sécurité, il n'est pas accepté. "
        "Numérisez ou photographiez de nouveau le papier, puis déposez ce nouveau fichier."
    )
