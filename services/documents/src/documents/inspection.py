"""What a file really is: its content against what its name announces, then from the inside (S51).

It runs in a process apart, which a file may bring down (``inspectors``).
"""

from collections.abc import Callable, Mapping
from functools import partial

from shared.contracts.files import MAX_DOCUMENT_BYTES, ContentType

from documents.findings import Finding, Unfit
from documents.image_inspection import inspect_image
from documents.pdf_inspection import inspect_pdf

_NAMES: Mapping[ContentType, str] = {
    "application/pdf": "un document PDF",
    "image/jpeg": "une image JPEG",
    "image/png": "une image PNG",
}
_SIGNATURES: Mapping[ContentType, bytes] = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
}
_INSPECTIONS: Mapping[ContentType, Callable[[bytes], bytes]] = {
    "application/pdf": inspect_pdf,
    "image/jpeg": partial(inspect_image, announced="JPEG"),
    "image/png": partial(inspect_image, announced="PNG"),
}


def inspect(content: bytes, announced: ContentType) -> Finding:
    """Open a file: tell its family what is wrong with it, or give the bytes to keep of it."""
    try:
        _check_size(content)
        _check_signature(content, announced)
        return Finding(content=_INSPECTIONS[announced](content))
    except Unfit as refusal:
        return Finding(objection=str(refusal))


def _check_size(content: bytes) -> None:
    if not content:
        raise Unfit("Ce fichier est vide. Vérifiez-le, puis choisissez-le de nouveau.")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise Unfit(
            f"Ce fichier dépasse {MAX_DOCUMENT_BYTES // 1024**2} Mo. Réduisez-le ou numérisez-le "
            "avec une qualité plus basse, puis déposez-le de nouveau."
        )


def _check_signature(content: bytes, announced: ContentType) -> None:
    if content.startswith(_SIGNATURES[announced]):
        return
    actual = [name for kind, name in _NAMES.items() if content.startswith(_SIGNATURES[kind])]
    truth = f" : c'est {actual[0]}" if actual else ""
    raise Unfit(
        f"Ce fichier n'est pas {_NAMES[announced]}, contrairement à ce qu'indique son nom{truth}. "
        "Enregistrez-le au format PDF, JPEG ou PNG, puis déposez-le de nouveau."
    )
