"""Photographs and scans: decoded whole, then written anew, with nothing but their pixels."""

import io
import math
import re
import struct
import warnings
import zlib
from collections.abc import Mapping
from typing import Literal

from PIL import Image, ImageOps
from shared.contracts.files import MAX_DOCUMENT_BYTES

from documents.findings import Unfit, too_demanding
from documents.foreign_files import refuse_foreign_files

type ImageFormat = Literal["JPEG", "PNG"]

MAX_PIXELS = 64_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

_SETTINGS: Mapping[ImageFormat, tuple[Mapping[str, int], ...]] = {
    # below this quality small letters blur sooner than in a smaller image
    "JPEG": ({"quality": 88}, {"quality": 78}, {"quality": 68}),
    "PNG": ({"compress_level": 6}, {"compress_level": 9}),
}
"""How an image is written, in turn, until it is within the limit."""
_AIMED_AT = 0.94
"""Of the side that the limit would leave: the weight does not quite follow the surface."""
_KEPT_MODES: Mapping[ImageFormat, frozenset[str]] = {
    "JPEG": frozenset({"L", "RGB"}),
    "PNG": frozenset({"1", "L", "LA", "P", "RGB", "RGBA"}),
}
_SIXTEEN_BITS = frozenset({"I", "I;16", "I;16B"})

_PNG_SIGNATURE_BYTES = 8
_PNG_CHUNK_BYTES = 12
"""Beside its data: their length, the chunk's kind, a checksum."""
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"
_MAX_SCANS = 100
"""A progressive JPEG has ten or so; each is one more pass over all its pixels."""

_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What decoders raise over bytes that are no image, or only the beginning of one."""
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError)
_BROKEN = (
    "Cette image est incomplète ou abîmée et ne peut pas être ouverte. "
    "Photographiez ou numérisez de nouveau le papier, puis déposez cette nouvelle image."
)


def inspect_image(content: bytes, announced: ImageFormat) -> bytes:
    """Give the image written anew, within the limit; raises Unfit where it is not to be kept."""
    end = _end_of_jpeg(content) if announced == "JPEG" else _end_of_png(content)
    refuse_foreign_files(content, end)
    try:
        return _fitted(_bare(_decoded(content, announced), announced), announced)
    except _TOO_LARGE as error:
        raise too_demanding("Cette image") from error
    except _UNREADABLE as error:
        raise Unfit(_BROKEN) from error


def _decoded(content: bytes, announced: ImageFormat) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(content), formats=[announced])
        image.load()
    return image


def _bare(image: Image.Image, announced: ImageFormat) -> Image.Image:
    """Turn an image upright, and leave nothing beside its pixels but which of them show through."""
    try:
        upright = ImageOps.exif_transpose(image)
    except _UNREADABLE:  # its metadata are broken, not the image
        upright = image.copy()
    if upright.mode in _SIXTEEN_BITS:
        upright = upright.point(lambda level: level * (1 / 256)).convert("L")
    elif upright.mode not in _KEPT_MODES[announced]:
        upright = upright.convert("RGB")
    upright.info = {
        name: value
        for name, value in upright.info.items()
        if (announced, name) == ("PNG", "transparency")
    }
    return upright


def _fitted(image: Image.Image, announced: ImageFormat) -> bytes:
    """Write an image within the limit: as well as possible, then smaller and smaller."""
    encoded = b""
    for settings in _SETTINGS[announced]:
        encoded = _encoded(image, announced, settings)
        if len(encoded) <= MAX_DOCUMENT_BYTES:
            return encoded
    image = _scalable(image)
    while len(encoded) > MAX_DOCUMENT_BYTES:
        scale = math.sqrt(MAX_DOCUMENT_BYTES / len(encoded)) * _AIMED_AT
        image = ImageOps.scale(image, scale, Image.Resampling.LANCZOS)
        encoded = _encoded(image, announced, _SETTINGS[announced][-1])
    return encoded


def _encoded(image: Image.Image, announced: ImageFormat, settings: Mapping[str, int]) -> bytes:
    written = io.BytesIO()
    image.save(written, announced, **settings)
    return written.getvalue()


def _scalable(image: Image.Image) -> Image.Image:
    """Give an image whose colours can be mixed."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image


def _end_of_jpeg(content: bytes) -> int:
    """Find where the first image ends; raises Unfit for one that would be gone over too often."""
    position = scans = 0
    while marker := _JPEG_MARKER.search(content, position + 2):
        if marker[1] == _END_OF_IMAGE:
            return marker.end()
        scans += marker[1] == _START_OF_SCAN
        if scans > _MAX_SCANS:
            raise too_demanding("Cette image")
        length = int.from_bytes(content[marker.end() : marker.end() + 2])
        position = marker.end() + max(length - 2, 0)
    return len(content)


def _end_of_png(content: bytes) -> int:
    position = _PNG_SIGNATURE_BYTES
    while position + _PNG_CHUNK_BYTES <= len(content):
        kind = content[position + 4 : position + 8]
        position += _PNG_CHUNK_BYTES + int.from_bytes(content[position : position + 4])
        if kind == b"IEND":
            return position
    return len(content)
