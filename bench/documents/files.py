"""Files such as families send, each unlike any other and as heavy as a phone or a scanner makes it.

The picture is made once and a few bytes tell one file from another: what a file costs to send, to
scan and to open does not depend on them.
"""

import io
import struct
import zlib
from functools import cache
from hashlib import sha512
from random import Random

import pikepdf
from PIL import Image, ImageFilter

_A4 = 595, 842
_SCAN = 800, 830
_PHOTO = 4000, 3000
_SCANNED_PAGE = 1654, 2339
_SHADES_OF_PAPER = 11
_JPEG_HEADER, _PNG_HEADER = 20, 33
"""How many bytes of such a file come before what may be added."""


def scanned_pdf(name: str) -> bytes:
    """Give a page whose picture is 1.9 Mo of noise, uncompressed."""
    before, noise, after = _scan()
    told = sha512(name.encode()).digest()
    return b"".join((before, told, noise[len(told) :], after))


def photo_jpeg(name: str) -> bytes:
    """Give a photograph of 12 megapixels, of some 1.9 Mo."""
    photo = _photo()
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(name)) + name.encode()
    return photo[:_JPEG_HEADER] + comment + photo[_JPEG_HEADER:]


def scanned_png(name: str) -> bytes:
    """Give an A4 page scanned in grey at 200 dots an inch, of some 1.9 Mo."""
    scan = _page()
    words = b"tEXtComment\0" + name.encode()
    chunk = struct.pack(">I", len(words) - 4) + words + struct.pack(">I", zlib.crc32(words))
    return scan[:_PNG_HEADER] + chunk + scan[_PNG_HEADER:]


@cache
def _scan() -> tuple[bytes, memoryview, bytes]:
    """Give the noise, with what comes before and after it."""
    width, height = _SCAN
    noise = Random(width).randbytes(3 * width * height)
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=_A4)
        picture = pikepdf.Stream(
            pdf,
            noise,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=width,
            Height=height,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
        )
        page.add_resource(picture, pikepdf.Name.XObject, pikepdf.Name.Scan)
        page.contents_add(b"q 595 0 0 842 0 0 cm /Scan Do Q")
        pdf.save(written, compress_streams=False)
    before, after = written.getvalue().split(noise)
    return before, memoryview(noise), after


@cache
def _photo() -> bytes:
    """Make a picture with the detail of a photograph: soft, with some grain."""
    chance = Random(_PHOTO[0])
    width, height = _PHOTO
    coarse = Image.frombytes("RGB", (250, 188), chance.randbytes(3 * 250 * 188))
    soft = coarse.resize(_PHOTO, Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", _PHOTO, chance.randbytes(width * height))
    grained = Image.blend(soft, Image.merge("RGB", (grain,) * 3), 0.05)
    written = io.BytesIO()
    grained.filter(ImageFilter.GaussianBlur(0.8)).save(written, "JPEG", quality=82)
    return written.getvalue()


@cache
def _page() -> bytes:
    chance = Random(_SCANNED_PAGE[0])
    width, height = _SCANNED_PAGE
    grain = Image.frombytes("L", _SCANNED_PAGE, chance.randbytes(width * height))
    written = io.BytesIO()
    grain.point([255 - shade * _SHADES_OF_PAPER // 256 for shade in range(256)]).save(
        written, "PNG"
    )
    return written.getvalue()
