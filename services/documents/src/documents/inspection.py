"""What a file really is: its content against what its name announces (S51)."""

import re

import puremagic
from shared.contracts.documents import ContentType

_FORMATS: dict[ContentType, str] = {
    "application/pdf": "un document PDF",
    "image/jpeg": "une image JPEG",
    "image/png": "une image PNG",
}
_PDF_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF")
_PDF_TAIL_BYTES = 2048


def objection(content: bytes, announced: ContentType) -> str | None:
    """Say, to the family, what is wrong with a file; nothing where it is what it should be."""
    actual = _formats(content)
    if announced not in actual:
        truth = f" : c'est {_FORMATS[actual[0]]}" if actual else ""
        return (
            f"Ce fichier n'est pas {_FORMATS[announced]}, contrairement à ce qu'indique son nom"
            f"{truth}. Enregistrez-le au format PDF, JPEG ou PNG, puis déposez-le de nouveau."
        )
    if announced == "application/pdf" and not _ends_as_pdf(content):
        return (
            "Ce document PDF est incomplet et ne peut pas être ouvert. "
            "Enregistrez-le ou numérisez-le de nouveau, puis déposez-le."
        )
    return None


def _formats(content: bytes) -> list[ContentType]:
    """The accepted formats whose signature the content begins with."""
    # the file's name is not given: puremagic would look for a file of that name on our own disk
    found = puremagic.magic_string(content)
    signatures = {match.mime_type for match in found if match.offset == 0}
    return [content_type for content_type in _FORMATS if content_type in signatures]


def _ends_as_pdf(content: bytes) -> bool:
    """Tell whether a reader would find where to begin: the table's place, within the file."""
    ends = _PDF_END.findall(content[-_PDF_TAIL_BYTES:])
    return bool(ends) and int(ends[-1]) < len(content)
