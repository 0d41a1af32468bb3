"""Files that nobody must ever read, and a word of what their families are told."""

import gzip
import struct
import zlib
from random import Random

from stack.servers.antivirus import HARMLESS_TEST_FILE

from tests.document_files import (
    JPEG,
    one_page_pdf,
    paper,
    pdf,
    photograph,
    png,
    png_of,
    raw_pdf,
    saved,
    stream,
)
from tests.hostile_parts import (
    BROKEN,
    ELF,
    EXE,
    GIF,
    HIDING,
    HTML,
    INFECTED,
    OTHER_THAN_ITS_NAME,
    PHP,
    SHELL,
    SVG,
    TOO_DEMANDING,
    Hostile,
    nested_archive,
    tarred,
    zeros,
    zipped,
)
from tests.hostile_pdfs import HOSTILE_PDFS, drawing_pdf


def png_cut(share: float) -> bytes:
    whole = saved(paper(), "PNG")
    return whole[: int(len(whole) * share)]


def png_damaged() -> bytes:
    whole = bytearray(saved(paper(), "PNG"))
    middle = len(whole) // 2
    whole[middle : middle + 400] = Random(1).randbytes(400)
    return bytes(whole)


def png_announcing(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))


def png_bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", zeros(300_000_000)), (b"IEND", b""))


def png_text_bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    text = b"Comment\0\0" + zeros(300_000_000)
    pixel = (b"IDAT", zlib.compress(b"\0\0"))
    return png_of((b"IHDR", header), (b"zTXt", text), pixel, (b"IEND", b""))


def jpeg_announcing(width: int, height: int) -> bytes:
    whole = saved(paper(60, 80), "JPEG")
    place = whole.index(b"\xff\xc0") + 5
    return whole[:place] + struct.pack(">HH", height, width) + whole[place + 4 :]


def jpeg_of_many_scans() -> bytes:
    whole = saved(paper(400, 400, "L"), "JPEG", progressive=True)
    first = whole.index(b"\xff\xda")
    return whole[:first] + b"\xff\xda\0\x08\1\1\0\1\1\0\0" * 500 + whole[first:]


BROKEN_IMAGES = (
    Hostile("the first bytes of a photograph", "photo.jpg", lambda: b"\xff\xd8\xff\xd9", BROKEN),
    Hostile("half a photograph", "photo.jpg", lambda: photograph()[:70_000], BROKEN),
    Hostile("the beginning of a photograph", "photo.jpg", lambda: photograph()[:700], BROKEN),
    Hostile("half an image", "ecran.png", lambda: png_cut(0.5), BROKEN),
    Hostile("the beginning of an image", "ecran.png", lambda: png()[:40], BROKEN),
    Hostile("a damaged image", "ecran.png", png_damaged, BROKEN),
    Hostile("a signature alone", "ecran.png", lambda: png()[:8], BROKEN),
)


BOMBS = (
    Hostile(
        "an image of 2,500 megapixels",
        "a.png",
        lambda: png_announcing(50_000, 50_000),
        TOO_DEMANDING,
    ),
    Hostile(
        "an image of one line, endless",
        "a.png",
        lambda: png_announcing(2**31 - 1, 1),
        TOO_DEMANDING,
    ),
    Hostile("an image of 400 megabytes", "a.png", png_bomb, TOO_DEMANDING),
    Hostile("a comment of 300 megabytes", "a.png", png_text_bomb, BROKEN),
    Hostile(
        "a photograph of 4,000 megapixels",
        "a.jpg",
        lambda: jpeg_announcing(65_000, 65_000),
        TOO_DEMANDING,
    ),
    Hostile("a photograph drawn 500 times", "a.jpg", jpeg_of_many_scans, TOO_DEMANDING),
)


IMPOSTORS = (
    Hostile("a text", "avis.pdf", lambda: b"Avis d'imposition 2026\n" * 40, OTHER_THAN_ITS_NAME),
    Hostile("a web page", "avis.pdf", lambda: HTML, OTHER_THAN_ITS_NAME),
    Hostile("a drawing with a script", "plan.png", lambda: SVG, OTHER_THAN_ITS_NAME),
    Hostile("a Windows program", "avis.pdf", lambda: EXE, OTHER_THAN_ITS_NAME),
    Hostile("a Linux program", "photo.jpg", lambda: ELF, OTHER_THAN_ITS_NAME),
    Hostile("a shell script", "photo.jpeg", lambda: SHELL, OTHER_THAN_ITS_NAME),
    Hostile("a PHP script", "ecran.png", lambda: PHP, OTHER_THAN_ITS_NAME),
    Hostile("an archive", "avis.pdf", zipped, OTHER_THAN_ITS_NAME),
    Hostile("archives in archives", "avis.pdf", nested_archive, OTHER_THAN_ITS_NAME),
    Hostile("a compressed archive", "photo.jpg", tarred, OTHER_THAN_ITS_NAME),
    Hostile(
        "a Word document",
        "avis.pdf",
        lambda: zipped("[Content_Types].xml", b"<Types/>"),
        OTHER_THAN_ITS_NAME,
    ),
    Hostile("an image", "avis.pdf", png, "c'est une image PNG"),
    Hostile("a photograph", "ecran.png", lambda: JPEG, "c'est une image JPEG"),
    Hostile("a PDF", "photo.jpg", pdf, "c'est un document PDF"),
    Hostile("an animation", "ecran.png", lambda: GIF, OTHER_THAN_ITS_NAME),
    Hostile("a bitmap", "photo.jpg", lambda: saved(paper(9, 9), "BMP"), OTHER_THAN_ITS_NAME),
    Hostile("PostScript", "avis.pdf", lambda: b"%!PS-Adobe-3.0\n", OTHER_THAN_ITS_NAME),
    Hostile("one byte", "avis.pdf", lambda: b"%", OTHER_THAN_ITS_NAME),
    Hostile("a PDF after a web page", "avis.pdf", lambda: HTML + pdf(), OTHER_THAN_ITS_NAME),
    Hostile("a PDF after an archive", "avis.pdf", lambda: zipped() + pdf(), OTHER_THAN_ITS_NAME),
)


def jpeg_with(segment: int, content: bytes) -> bytes:
    length = struct.pack(">H", len(content) + 2)
    return JPEG[:2] + bytes((0xFF, segment)) + length + content + JPEG[2:]


def png_with(kind: bytes, content: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = (b"IDAT", zlib.compress(b"\0\0"))
    return png_of((b"IHDR", header), (kind, content), pixel, (b"IEND", b""))


POLYGLOTS = (
    Hostile("a PDF before an archive", "a.pdf", lambda: pdf() + zipped(), HIDING),
    Hostile("a PDF around an archive", "a.pdf", lambda: pdf() + zipped() + b"\n%%EOF\n", HIDING),
    Hostile("a PDF before archives in archives", "a.pdf", lambda: pdf() + nested_archive(), HIDING),
    Hostile("a PDF before a web page", "a.pdf", lambda: pdf() + HTML, HIDING),
    Hostile("a PDF before a program", "a.pdf", lambda: pdf() + EXE, HIDING),
    Hostile("a PDF before a shell script", "a.pdf", lambda: pdf() + SHELL, HIDING),
    Hostile("a PDF before a PHP script", "a.pdf", lambda: pdf() + b"\n\n" + PHP, HIDING),
    Hostile("a PDF before another", "a.pdf", lambda: pdf() + pdf()[:-9], HIDING),
    Hostile(
        "a PDF around a web page", "a.pdf", lambda: raw_pdf(before=b"%" + HTML + b"\n"), HIDING
    ),
    Hostile("a photograph before an archive", "a.jpg", lambda: photograph() + zipped(), HIDING),
    Hostile("a photograph before a PDF", "a.jpg", lambda: photograph() + pdf(), HIDING),
    Hostile("a photograph before a web page", "a.jpg", lambda: photograph() + HTML, HIDING),
    Hostile("a photograph before a program", "a.jpg", lambda: photograph() + EXE, HIDING),
    Hostile(
        "a photograph before gzip", "a.jpg", lambda: photograph() + gzip.compress(b"a"), HIDING
    ),
    Hostile("a photograph around a PDF", "a.jpg", lambda: jpeg_with(0xFE, pdf()), HIDING),
    Hostile("an image before an archive", "a.png", lambda: png() + zipped(), HIDING),
    Hostile("an image before a Linux program", "a.png", lambda: png() + ELF, HIDING),
    Hostile("an image before a script", "a.png", lambda: png() + SHELL, HIDING),
    Hostile(
        "an image around a PHP script", "a.png", lambda: png_with(b"tEXt", b"a\0" + PHP), HIDING
    ),
)

NAMED = (
    Hostile("a way up", "../../../../etc/passwd.pdf", lambda: HTML, OTHER_THAN_ITS_NAME),
    Hostile("a way up in Windows", "..\\..\\autoexec.pdf", lambda: EXE, OTHER_THAN_ITS_NAME),
    Hostile("a name turned around", "avis\u202efdp.exe.pdf", lambda: EXE, OTHER_THAN_ITS_NAME),
    Hostile("a name of 300 letters", "é" * 296 + ".pdf", lambda: HTML, OTHER_THAN_ITS_NAME),
    Hostile("a name of two lines", "avis\r\nX-A: b.pdf", lambda: HTML, OTHER_THAN_ITS_NAME),
    Hostile("two endings", "avis.exe.pdf", lambda: EXE, OTHER_THAN_ITS_NAME),
)

INFECTED_FILES = (
    Hostile("a virus", "a.pdf", lambda: HARMLESS_TEST_FILE, INFECTED),
    Hostile(
        "a virus on a page",
        "a.pdf",
        lambda: one_page_pdf(stream(HARMLESS_TEST_FILE), page=b"/Contents 4 0 R"),
        INFECTED,
    ),
    Hostile(
        "a virus on a compressed page",
        "a.pdf",
        lambda: drawing_pdf(zlib.compress(HARMLESS_TEST_FILE * 3), b"/FlateDecode"),
        INFECTED,
    ),
    Hostile(
        "a virus after a photograph", "a.jpg", lambda: photograph() + HARMLESS_TEST_FILE, INFECTED
    ),
    Hostile(
        "a virus in a photograph", "a.jpg", lambda: jpeg_with(0xFE, HARMLESS_TEST_FILE), INFECTED
    ),
    Hostile(
        "a virus in an image",
        "a.png",
        lambda: png_with(b"tEXt", b"a\0" + HARMLESS_TEST_FILE),
        INFECTED,
    ),
    Hostile(
        "a virus in an archive", "a.pdf", lambda: zipped("a.com", HARMLESS_TEST_FILE), INFECTED
    ),
)
"""What the antivirus alone finds out, or finds out first."""

HOSTILE = (*IMPOSTORS, *POLYGLOTS, *NAMED, *BROKEN_IMAGES, *BOMBS, *HOSTILE_PDFS)
"""What is refused without an antivirus."""
