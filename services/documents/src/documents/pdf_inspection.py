"""PDF documents: opened as a reader would, then looked through for what no paper contains."""

import io
import math
from collections.abc import Iterator
from itertools import islice

import pikepdf
from pikepdf import Array, Dictionary, Object, Pdf, Stream, StreamDecodeLevel
from pikepdf.settings import qpdf_limit_errors, set_qpdf_limits

from documents.findings import Unfit, too_demanding
from documents.foreign_files import refuse_foreign_files

MAX_PAGES = 50

_MAX_OBJECTS = 100_000
_MAX_VALUES = 500_000
_MAX_DECODED_BYTES = 128 * 1024**2
_MAX_NESTING = 100
_MAX_FILTERS = 4
_MAX_IMAGE_PIXELS = 150_000_000
"""An A4 page at 1,200 dots per inch has 140 million."""

_DECODED_HERE = frozenset(
    {
        "/FlateDecode",
        "/Fl",
        "/LZWDecode",
        "/LZW",
        "/RunLengthDecode",
        "/RL",
        "/ASCIIHexDecode",
        "/AHx",
        "/ASCII85Decode",
        "/A85",
    }
)
_ACTIVE_KEYS = frozenset({"/JavaScript", "/JS", "/XFA", "/RichMediaContent", "/RichMediaSettings"})
_ACTIVE_ACTIONS = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/Rendition",
        "/RichMediaExecute",
    }
)
_ACTIVE_ANNOTATIONS = frozenset({"/RichMedia", "/3D", "/Movie", "/Sound", "/Screen"})
_FILE_KEYS = frozenset({"/EF", "/EmbeddedFiles", "/Collection"})
_QUIET_ACTIONS = frozenset({"/GoTo", "/Named"})
"""What a document may do by itself: go to one of its pages, or open a menu of its reader's."""

_UNREADABLE = (
    pikepdf.PdfError,
    pikepdf.PikepdfError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What comes of bytes that are no document, or only the beginning of one."""
_BROKEN = (
    "Ce document PDF est incomplet ou abîmé et ne peut pas être ouvert. "
    "Enregistrez-le ou numérisez-le de nouveau, puis déposez-le."
)
_ENCRYPTED = (
    "Ce document PDF est protégé par un mot de passe ou par des restrictions. Imprimez-le au "
    "format PDF pour en obtenir une copie sans protection, ou photographiez-le, puis déposez-le."
)
_ACTIVE = (
    "Ce document PDF contient un programme, un formulaire actif ou un élément multimédia : par "
    "sécurité, il n'est pas accepté. Imprimez-le au format PDF, puis déposez cette copie."
)
_ENCLOSING = (
    "Ce document PDF contient un fichier joint : par sécurité, il n'est pas accepté. "
    "Imprimez-le au format PDF, puis déposez cette copie."
)
_TOO_LONG = (
    f"Ce document PDF compte plus de {MAX_PAGES} pages. "
    "Gardez les seules pages demandées, puis déposez-le de nouveau."
)
_WITHOUT_PAGE = (
    "Ce document PDF ne contient aucune page. "
    "Enregistrez-le ou numérisez-le de nouveau, puis déposez-le."
)


def inspect_pdf(content: bytes) -> bytes:
    """Give the document back, unchanged; raises Unfit where it is not to be kept."""
    before, end, _ = content.rpartition(b"%%EOF")
    refuse_foreign_files(content, len(before) + len(end) if end else len(content))
    set_qpdf_limits(
        parser_max_nesting=_MAX_NESTING,
        parser_max_container_size=_MAX_VALUES,
        max_stream_filters=_MAX_FILTERS,
        flate_max_memory=_MAX_DECODED_BYTES,
        run_length_max_memory=_MAX_DECODED_BYTES,
    )
    limits_met = qpdf_limit_errors()
    try:
        _check_document(content)
    except pikepdf.PasswordError as error:
        raise Unfit(_ENCRYPTED) from error
    except _UNREADABLE as error:
        exceeded = isinstance(error, MemoryError) or "limit exceeded" in str(error)
        if exceeded or qpdf_limit_errors() > limits_met:
            raise too_demanding("Ce document PDF") from error
        # one protected in a way that nobody knows how to open says so in its trailer
        raise Unfit(_ENCRYPTED if b"/Encrypt" in content else _BROKEN) from error
    if qpdf_limit_errors() > limits_met:
        raise too_demanding("Ce document PDF")
    if not end:
        raise Unfit(_BROKEN)
    return content


def _check_document(content: bytes) -> None:
    with Pdf.open(io.BytesIO(content), attempt_recovery=False, suppress_warnings=True) as document:
        if document.is_encrypted:
            raise Unfit(_ENCRYPTED)
        _check_objects(document)
        _check_pages(document)


def _check_pages(document: Pdf) -> None:
    count = sum(1 for _ in islice(_pages(document), MAX_PAGES + 1))
    if count > MAX_PAGES:
        raise Unfit(_TOO_LONG)
    if not count:
        raise Unfit(_WITHOUT_PAGE)


def _pages(document: Pdf) -> Iterator[Object]:
    """Go through the tree of pages; one that comes back on itself is broken."""
    met: set[tuple[int, int]] = set()
    waiting = [document.Root.Pages]
    while waiting:
        node = waiting.pop()
        if "/Kids" not in node:
            yield node
            continue
        if node.objgen in met:
            raise Unfit(_BROKEN)
        met.add(node.objgen)
        waiting.extend(node.Kids)


def _check_objects(document: Pdf) -> None:
    """Look at every value of every object, those in object streams too."""
    objects = document.objects
    if len(objects) > _MAX_OBJECTS:
        raise too_demanding("Ce document PDF")
    decoded = 0
    values = 0
    waiting: list[Object] = list(objects)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Stream):
            decoded += _decoded_bytes(value)
        if isinstance(value, Stream | Dictionary):
            _check_dictionary(value)
            within = [one for _, one in value.items()]
        elif isinstance(value, Array):
            within = list(value)
        else:
            continue
        values += len(within)
        if values > _MAX_VALUES or decoded > _MAX_DECODED_BYTES:
            raise too_demanding("Ce document PDF")
        waiting.extend(one for one in within if _is_direct_container(one))


def _is_direct_container(value: object) -> bool:
    return isinstance(value, Array | Dictionary) and not value.is_indirect


def _check_dictionary(value: Stream | Dictionary) -> None:
    """Raise Unfit for a dictionary that acts, encloses a file or holds a giant image."""
    keys = set(value.keys())
    kind, subtype, action = (_name(value, key) for key in ("/Type", "/Subtype", "/S"))
    if keys & _FILE_KEYS or kind == "/EmbeddedFile" or subtype == "/FileAttachment":
        raise Unfit(_ENCLOSING)
    if action == "/GoToE":
        raise Unfit(_ENCLOSING)
    if keys & _ACTIVE_KEYS or action in _ACTIVE_ACTIONS or subtype in _ACTIVE_ANNOTATIONS:
        raise Unfit(_ACTIVE)
    if not all(_is_quiet(one) for one in _automatic_actions(value)):
        raise Unfit(_ACTIVE)
    if subtype == "/Image" and _pixels(value) > _MAX_IMAGE_PIXELS:
        raise too_demanding("Ce document PDF")


def _automatic_actions(value: Stream | Dictionary) -> Iterator[object]:
    """Give what a dictionary has done when something happens, without anybody's click."""
    if "/OpenAction" in value:
        yield value.OpenAction
    triggers = value.get("/AA")
    if isinstance(triggers, Dictionary):
        yield from (action for _, action in triggers.items())


def _is_quiet(action: object) -> bool:
    """Tell whether an action does no more than a document may by itself."""
    if not isinstance(action, Dictionary):
        return True  # a destination
    return _name(action, "/S") in _QUIET_ACTIONS and "/Next" not in action


def _name(value: Stream | Dictionary, key: str) -> str:
    named = value.get(key)
    return str(named) if isinstance(named, pikepdf.Name) else ""


def _pixels(image: Stream | Dictionary) -> int:
    sides: tuple[object, ...] = (image.get("/Width"), image.get("/Height"))
    return math.prod(side if isinstance(side, int) else 0 for side in sides)


def _decoded_bytes(stream: Stream) -> int:
    """Measure what a stream takes once decoded; an image's size is told by its sides."""
    if _name(stream, "/Subtype") == "/Image":
        return 0
    named = stream.get("/Filter")
    filters = list(named) if isinstance(named, Array) else [named]
    if not all(str(one) in _DECODED_HERE for one in filters):
        return 0
    return len(memoryview(stream.get_stream_buffer(StreamDecodeLevel.generalized)))
