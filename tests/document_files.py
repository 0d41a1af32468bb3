"""Small real files of each accepted format."""

import io
import struct
import zlib

from pypdf import PdfWriter

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 64 + b"\xff\xd9"


def pdf(side: int = 200) -> bytes:
    """A document of one blank page; ``side`` tells one from another."""
    written = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(side, side)
    writer.write(written)
    return written.getvalue()


def png() -> bytes:
    """An image of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + header + pixel + chunk(b"IEND", b"")
