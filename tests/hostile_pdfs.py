"""PDF documents that are broken, enormous, active, or hold more than pages."""

import io
import struct
import zlib

import pikepdf
from pikepdf import Pdf

from tests.document_files import one_page_pdf, pages, pdf, raw_pdf, rewritten, scan, stream
from tests.hostile_parts import (
    ACTIVE,
    BROKEN,
    ENCLOSING,
    ENCRYPTED,
    EXE,
    TOO_DEMANDING,
    Hostile,
    nested_archive,
    zeros,
    zipped,
)


def garbled_pdf() -> bytes:
    """A document whose table leads elsewhere than to its objects."""
    whole = one_page_pdf()
    return whole.replace(b"0000000009 00000 n", b"0000000002 00000 n")


def looping_pages() -> bytes:
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
    )


def multiplying_pages() -> bytes:
    """Thirty levels, each of which holds the next one twice: a thousand million pages."""
    levels = [b"<< /Type /Pages /Count 2 /Kids [%d 0 R %d 0 R] >>" % (n, n) for n in range(3, 33)]
    return raw_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", *levels, b"<< /Type /Page >>")


def looping_table() -> bytes:
    whole = one_page_pdf()
    start = whole[whole.rindex(b"startxref") :].split()[1]
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %b" % start)


BROKEN_PDFS = (
    *(
        Hostile(f"a PDF cut at {share}%", "avis.pdf", cut, BROKEN)
        for share, cut in (
            (5, lambda: scan()[: len(scan()) // 20]),
            (50, lambda: scan()[: len(scan()) // 2]),
            (99, lambda: scan()[: len(scan()) - 200]),
        )
    ),
    Hostile("the first line of a PDF", "avis.pdf", lambda: b"%PDF-1.7\n", BROKEN),
    Hostile("a PDF without its last line", "avis.pdf", lambda: pdf()[:-20], BROKEN),
    Hostile(
        "a table beyond the end", "avis.pdf", lambda: b"%PDF-1.7\nstartxref\n9999\n%%EOF\n", BROKEN
    ),
    Hostile("a table that leads elsewhere", "avis.pdf", garbled_pdf, BROKEN),
    Hostile("a table that follows itself", "avis.pdf", looping_table, BROKEN),
    Hostile("pages that hold each other", "avis.pdf", looping_pages, BROKEN),
    Hostile("pages that multiply", "avis.pdf", multiplying_pages, BROKEN),
    Hostile("a PDF without pages", "avis.pdf", lambda: pages(0), "aucune page"),
    Hostile("a PDF without contents", "avis.pdf", lambda: raw_pdf(b"<< /Type /Catalog >>"), BROKEN),
    Hostile("51 pages", "acte.pdf", lambda: pages(51), "plus de 50 pages"),
    Hostile(
        "51 pages that say to be one",
        "acte.pdf",
        lambda: pages(51).replace(b"/Count 51", b"/Count 1 "),
        "plus de 50 pages",
    ),
)


def drawing_pdf(content: bytes, filters: bytes) -> bytes:
    return one_page_pdf(stream(content, b"/Filter " + filters), page=b"/Contents 4 0 R")


def image_pdf(width: int, height: int) -> bytes:
    entries = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8"
    sides = b" /Width %d /Height %d /Filter /FlateDecode" % (width, height)
    return one_page_pdf(
        stream(zlib.compress(b"\0" * 100), entries + sides),
        page=b"/Resources << /XObject << /Im1 4 0 R >> >>",
    )


def object_stream_pdf(packed: bytes, count: int, first: int) -> bytes:
    """A document whose table and object 4 are streams, as programs of today write them."""
    body = b"%PDF-1.7\n"
    offsets = []
    for number, content in (
        (1, b"<< /Type /Catalog /Pages 2 0 R /Other 6 0 R >>"),
        (2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
        (3, b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"),
        (
            4,
            stream(packed, b"/Type /ObjStm /N %d /First %d /Filter /FlateDecode" % (count, first)),
        ),
    ):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = [(0, 0, 65535), *((1, offset, 0) for offset in offsets), (1, len(body), 0), (2, 4, 0)]
    table = b"".join(struct.pack(">BIH", *row) for row in rows)
    entries = b"/Type /XRef /Size 7 /W [1 4 2] /Root 1 0 R"
    return body + b"5 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        stream(table, entries),
        len(body),
    )


def object_bomb() -> bytes:
    """An object that unpacks to a text of hundreds of megabytes."""
    packer = zlib.compressobj(9)
    block = b" " * 1_000_000
    packed = packer.compress(b"6 0 ") + b"".join(packer.compress(block) for _ in range(300))
    return object_stream_pdf(packed + packer.compress(b"null") + packer.flush(), 1, 4)


def crowded_pdf() -> bytes:
    """Values by the hundred thousand, once unpacked."""
    values = b"6 0 [" + b"[]" * 600_000 + b"]"
    return object_stream_pdf(zlib.compress(values), 1, 4)


BOMBS = (
    Hostile(
        "a page of 300 megabytes",
        "a.pdf",
        lambda: drawing_pdf(zeros(300_000_000), b"/FlateDecode"),
        TOO_DEMANDING,
    ),
    Hostile(
        "a page compressed twice",
        "a.pdf",
        lambda: drawing_pdf(zlib.compress(zeros(300_000_000)), b"[/FlateDecode /FlateDecode]"),
        TOO_DEMANDING,
    ),
    Hostile(
        "a page compressed forty times",
        "a.pdf",
        lambda: drawing_pdf(b"x", b"[" + b"/FlateDecode " * 40 + b"]"),
        TOO_DEMANDING,
    ),
    Hostile("an object of 300 megabytes", "a.pdf", object_bomb, TOO_DEMANDING),
    Hostile("six hundred thousand values", "a.pdf", crowded_pdf, TOO_DEMANDING),
    Hostile(
        "lists in lists, endlessly",
        "a.pdf",
        lambda: one_page_pdf(b"[" * 50_000 + b"]" * 50_000),
        TOO_DEMANDING,
    ),
    Hostile(
        "an image of a PDF, gigantic", "a.pdf", lambda: image_pdf(60_000, 60_000), TOO_DEMANDING
    ),
)


def script(entries: bytes = b"") -> bytes:
    return b"<< /S /JavaScript /JS (app.alert\\(1\\)) %b >>" % entries


def annotated(annotation: bytes, *others: bytes) -> bytes:
    return one_page_pdf(b"<< /Type /Annot %b >>" % annotation, *others, page=b"/Annots [4 0 R]")


def packed_pdf(content: bytes) -> bytes:
    """A document whose objects, but for its streams, are all in one compressed stream."""
    return rewritten(content, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def opening(action: bytes) -> bytes:
    return one_page_pdf(catalog=b"/OpenAction %b" % action)


def deep_script() -> bytes:
    catalog = b"/PieceInfo << /A [ [ << /B [ << /C %b >> ] >> ] ] >>" % script()
    return one_page_pdf(catalog=catalog)


ACTIVE_FILES = (
    Hostile("a script at opening", "a.pdf", lambda: opening(script()), ACTIVE),
    Hostile("a script in a stream", "a.pdf", lambda: packed_pdf(opening(script())), ACTIVE),
    Hostile(
        "a script whose name is escaped",
        "a.pdf",
        lambda: opening(b"<< /S /J#61vaScript /#4aS (1) >>"),
        ACTIVE,
    ),
    Hostile(
        "a script by its name",
        "a.pdf",
        lambda: one_page_pdf(catalog=b"/Names << /JavaScript << /Names [(a) %b] >> >>" % script()),
        ACTIVE,
    ),
    Hostile(
        "a script when a page is shown",
        "a.pdf",
        lambda: one_page_pdf(script(), page=b"/AA << /O 4 0 R >>"),
        ACTIVE,
    ),
    Hostile(
        "a script at printing",
        "a.pdf",
        lambda: one_page_pdf(script(), catalog=b"/AA << /WP 4 0 R >>"),
        ACTIVE,
    ),
    Hostile(
        "a script in a field",
        "a.pdf",
        lambda: annotated(b"/Subtype /Widget /FT /Tx /T (a) /AA << /K 5 0 R >>", script()),
        ACTIVE,
    ),
    Hostile("a script that nothing leads to", "a.pdf", lambda: one_page_pdf(script()), ACTIVE),
    Hostile("a script deep inside", "a.pdf", deep_script, ACTIVE),
    Hostile(
        "a script after a page",
        "a.pdf",
        lambda: opening(b"<< /S /GoTo /D [3 0 R /Fit] /Next << /S /Thread >> >>"),
        ACTIVE,
    ),
    Hostile(
        "a site at opening", "a.pdf", lambda: opening(b"<< /S /URI /URI (http://a) >>"), ACTIVE
    ),
    Hostile("a program at opening", "a.pdf", lambda: opening(b"<< /S /Launch /F (cmd) >>"), ACTIVE),
    Hostile(
        "a program behind a link",
        "a.pdf",
        lambda: annotated(b"/Subtype /Link /A << /S /Launch /F (calc.exe) >>"),
        ACTIVE,
    ),
    Hostile(
        "a program behind a link in a stream",
        "a.pdf",
        lambda: packed_pdf(annotated(b"/Subtype /Link /A << /S /Launch /F (calc.exe) >>")),
        ACTIVE,
    ),
    Hostile(
        "a form that sends itself",
        "a.pdf",
        lambda: annotated(b"/Subtype /Widget /A << /S /SubmitForm /F (http://a) >>"),
        ACTIVE,
    ),
    Hostile(
        "a form that reads files",
        "a.pdf",
        lambda: annotated(b"/Subtype /Widget /A << /S /ImportData /F (a.fdf) >>"),
        ACTIVE,
    ),
    Hostile(
        "a form of another kind",
        "a.pdf",
        lambda: one_page_pdf(
            stream(b"<xdp:xdp/>"), catalog=b"/AcroForm << /Fields [] /XFA 4 0 R >>"
        ),
        ACTIVE,
    ),
    Hostile("a rich medium", "a.pdf", lambda: annotated(b"/Subtype /RichMedia"), ACTIVE),
    Hostile("a film", "a.pdf", lambda: annotated(b"/Subtype /Movie"), ACTIVE),
    Hostile(
        "a film behind a link",
        "a.pdf",
        lambda: annotated(b"/Subtype /Link /A << /S /Rendition >>"),
        ACTIVE,
    ),
)


def enclosing(content: bytes) -> bytes:
    written = io.BytesIO()
    with Pdf.new() as document:
        document.add_blank_page()
        document.attachments["joint.zip"] = content
        document.save(written)
    return written.getvalue()


ENCLOSED = b"<< /Type /Filespec /F (a.zip) /EF << /F 5 0 R >> >>"

ENCLOSING_FILES = (
    Hostile("an archive attached", "a.pdf", lambda: enclosing(zipped()), ENCLOSING),
    Hostile(
        "archives in archives attached", "a.pdf", lambda: enclosing(nested_archive()), ENCLOSING
    ),
    Hostile("a file attached in a stream", "a.pdf", lambda: packed_pdf(enclosing(EXE)), ENCLOSING),
    Hostile(
        "a file pinned to a page",
        "a.pdf",
        lambda: annotated(b"/Subtype /FileAttachment /FS 5 0 R", b"<< /Type /Filespec /F (a) >>"),
        ENCLOSING,
    ),
    Hostile(
        "a file that nothing leads to",
        "a.pdf",
        lambda: one_page_pdf(ENCLOSED, stream(EXE, b"/Type /EmbeddedFile")),
        ENCLOSING,
    ),
    Hostile(
        "a portfolio",
        "a.pdf",
        lambda: one_page_pdf(catalog=b"/Collection << /View /T >>"),
        ENCLOSING,
    ),
    Hostile(
        "a link into a file inside",
        "a.pdf",
        lambda: annotated(b"/Subtype /Link /A << /S /GoToE /D [0 /Fit] >>"),
        ENCLOSING,
    ),
)


def encrypted(user: str = "", owner: str = "", revision: int = 6) -> bytes:
    return rewritten(
        one_page_pdf(),
        encryption=pikepdf.Encryption(user=user, owner=owner, R=revision),  # type: ignore[arg-type]
    )


ENCRYPTED_FILES = (
    Hostile("a password to open", "a.pdf", lambda: encrypted("secret", "secret"), ENCRYPTED),
    Hostile("a password to print", "a.pdf", lambda: encrypted(owner="secret"), ENCRYPTED),
    Hostile("an old password", "a.pdf", lambda: encrypted("secret", revision=4), ENCRYPTED),
    Hostile(
        "a protection of its own",
        "a.pdf",
        lambda: raw_pdf(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [] /Count 0 >>",
            trailer=b"/Root 1 0 R /ID [(a) (a)] /Encrypt << /Filter /Maison /V 9 >>",
        ),
        ENCRYPTED,
    ),
)

HOSTILE_PDFS = (*BROKEN_PDFS, *BOMBS, *ACTIVE_FILES, *ENCLOSING_FILES, *ENCRYPTED_FILES)
