"""Files as families send them: phones' photographs, scans, forms, papers of administrations."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from random import Random

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import ExifTags, Image, ImageDraw
from pypdf import PdfWriter
from shared.contracts.files import MAX_DOCUMENT_BYTES

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def pdf(side: int = 200) -> bytes:
    """A document of one blank page; ``side`` tells one from another."""
    written = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(side, side)
    writer.write(written)
    return written.getvalue()


def png() -> bytes:
    """An image of one pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", zlib.compress(b"\x00\x00")), (b"IEND", b""))


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """An image made of the chunks given, whatever they say."""
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def saved(image: Image.Image, format_: str, **settings: object) -> bytes:
    written = io.BytesIO()
    image.save(written, format_, **settings)
    return written.getvalue()


def paper(width: int = 600, height: int = 800, mode: str = "RGB") -> Image.Image:
    """A sheet with lines of writing, and the grain of a photograph."""
    image = Image.effect_noise((width, height), 24).point(lambda level: 128 + level // 3)
    drawn = ImageDraw.Draw(image)
    for line in range(20, height, 40):
        drawn.text((width // 12, line), f"Avis d'imposition, ligne {line}", fill=0)
    return image.convert(mode)


JPEG = saved(paper(60, 80), "JPEG")


def photograph(width: int = 1200, height: int = 900, **settings: object) -> bytes:
    """A phone's photograph: held upright, and telling where it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Téléphone"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (48.0, 48.0, 40.0)
    place[ExifTags.GPS.GPSLongitudeRef] = "E"
    place[ExifTags.GPS.GPSLongitude] = (2.0, 14.0, 5.0)
    return saved(paper(width, height), "JPEG", exif=exif, comment=b"chez nous", **settings)


def raw_pdf(*objects: bytes, trailer: bytes = b"/Root 1 0 R", before: bytes = b"") -> bytes:
    """A document of the numbered objects given, written as they are, with their right table."""
    written = b"%PDF-1.7\n" + before
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d %b >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, trailer, len(written))
    )


def one_page_pdf(*others: bytes, catalog: bytes = b"", page: bytes = b"") -> bytes:
    """A document of one page, of which objects 4 and following are given, and what leads there."""
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalog,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] %b >>" % page,
        *others,
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


def scan(weight: int | None = None) -> bytes:
    """A scanned page: an image that fills it; of exactly that many bytes where told."""
    image = saved(paper(1240, 1754, "L"), "JPEG", quality=60)
    entries = b"/Type /XObject /Subtype /Image /Width 1240 /Height 1754 /ColorSpace /DeviceGray"
    image_stream = stream(image, entries + b" /BitsPerComponent 8 /Filter /DCTDecode")
    drawn = stream(b"q 595 0 0 842 0 0 cm /Im1 Do Q")
    page = b"/Resources << /XObject << /Im1 4 0 R >> >> /Contents 5 0 R"
    if weight is None:
        return one_page_pdf(image_stream, drawn, page=page)
    # what is added to a stream adds its length, whose own digits are then the same
    grain = Random(4)
    filling = weight - 60_000
    for _ in range(4):
        written = one_page_pdf(image_stream, drawn, stream(grain.randbytes(filling)), page=page)
        if len(written) == weight:
            return written
        filling += weight - len(written)
    raise AssertionError(weight)


def rewritten(content: bytes, **settings: object) -> bytes:
    """A document as another program would save it."""
    written = io.BytesIO()
    with Pdf.open(io.BytesIO(content)) as document:
        document.save(written, **settings)  # type: ignore[arg-type]
    return written.getvalue()


def corrected(content: bytes) -> bytes:
    """A document with a later version of itself written after it."""
    start = len(content)
    former = content[content.rindex(b"startxref") :].split()[1]
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] >>"
    added = b"3 0 obj\n%b\nendobj\n" % page
    return (
        content
        + added
        + (
            b"xref\n3 1\n%010d 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R /Prev %b >>\n"
            b"startxref\n%d\n%%%%EOF\n" % (start, former, start + len(added))
        )
    )


def form() -> bytes:
    """A form to fill in, that opens on its page, with a link, bookmarks and its description."""
    written = io.BytesIO()
    with Pdf.new() as document:
        page = document.add_blank_page(page_size=(595, 842))
        field = document.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T="nom",
                V="TEST (/JavaScript /Launch)",
                Rect=[50, 700, 300, 720],
            )
        )
        link = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Link,
            Rect=[50, 600, 300, 620],
            A=Dictionary(S=Name.URI, URI="https://www.service-public.fr/"),
        )
        page.obj.Annots = Array([field, document.make_indirect(link)])
        document.Root.AcroForm = Dictionary(Fields=Array([field]), NeedAppearances=True)
        document.Root.OpenAction = Array([page.obj, Name.Fit])
        with document.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Demande", 0))
        with document.open_metadata() as description:
            description["dc:title"] = "Demande d'attestation"
        document.save(written)
    return written.getvalue()


def animation() -> bytes:
    frames = [paper(60, 80), paper(60, 80).rotate(180)]
    return saved(frames[0], "PNG", save_all=True, append_images=frames[1:])


def sixteen_bits() -> bytes:
    return saved(paper(mode="I").point(lambda level: level * 257).convert("I;16"), "PNG")


def translucent() -> bytes:
    image = paper(300, 400, "RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return saved(image, "PNG")


LEGITIMATE: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "a phone's photograph": ("IMG_2041.JPG", cache(photograph)),
    "a photograph with bytes after it": ("IMG_2042.jpg", lambda: photograph() + b"SEFT\0\1" * 9),
    "a progressive photograph": ("photo.jpeg", lambda: photograph(progressive=True)),
    "a grey scan": ("scan.jpg", lambda: saved(paper(mode="L"), "JPEG")),
    "a scan in four colours": ("scan.jpg", lambda: saved(paper(mode="CMYK"), "JPEG")),
    "an image with a palette": ("ecran.png", lambda: saved(paper(mode="P"), "PNG")),
    "a translucent image": ("ecran.png", translucent),
    "a black and white fax": ("fax.png", lambda: saved(paper(mode="1"), "PNG")),
    "sixteen bits a pixel": ("scan.png", sixteen_bits),
    "an animated image": ("ecran.png", animation),
    "one pixel": ("point.png", png),
    "a scanned document": ("scan.pdf", scan),
    "a document of exactly the limit": ("scan.pdf", lambda: scan(MAX_DOCUMENT_BYTES)),
    "a linearised document": ("avis.pdf", lambda: rewritten(scan(), linearize=True)),
    "a document with object streams": (
        "avis.pdf",
        lambda: rewritten(form(), object_stream_mode=pikepdf.ObjectStreamMode.generate),
    ),
    "a document corrected once": ("avis.pdf", lambda: corrected(one_page_pdf())),
    "a document corrected twice": ("avis.pdf", lambda: corrected(corrected(one_page_pdf()))),
    "a form to fill in": ("cerfa.pdf", form),
    "a document of fifty pages": ("acte.pdf", lambda: pages(50)),
    "a document with blanks after it": ("avis.pdf", lambda: one_page_pdf() + b"\r\n\0\0\n"),
}
"""What families send, by what it is: its name and its content. All of it is kept."""


def pages(count: int) -> bytes:
    written = io.BytesIO()
    with Pdf.new() as document:
        for _ in range(count):
            document.add_blank_page()
        document.save(written)
    return written.getvalue()
