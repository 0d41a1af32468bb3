"""A family gives its pieces in a real browser, on the real system (S18, S50 to S54)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import UUID

import aiohttp
import pytest
from PIL import Image
from playwright.async_api import Browser, Download, expect
from pypdf import PdfReader
from shared.contracts.documents import (
    ListPieces,
    OpenDocument,
    OpenPublication,
    PublishedDocuments,
    RegisterUpload,
)
from shared.contracts.files import MAX_DOCUMENT_BYTES, Document
from shared.identifiers import new_id
from stack.demonstration import PASSWORD

from tests.document_files import pdf
from tests.document_households import send
from tests.harness import eventually
from tests.journeys.family import Parent
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_DOMICILE: Final = "Justificatif de domicile de moins de 3 mois"
_SIZES = pytest.mark.parametrize(
    ("script", "width"),
    [(True, 1280), (True, 320), (False, 320)],
    ids=["script", "script, 320 px", "no script, 320 px"],
)


@asynccontextmanager
async def at_the_familys_documents(
    browser: Browser,
    school: School,
    family: Household,
    *,
    script: bool = True,
    width: int = 1280,
) -> AsyncIterator[Parent]:
    """Open Famille, outside any application; what is left open fits the screen's width."""
    async with Parent.of(browser, school, family, script=script, width=width) as parent:
        await parent.page.goto(f"{parent.url}/famille")
        yield parent
        widest = await parent.page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width


def a_photo(path: Path, *, side: int = 4032, quality: int = 85, grain: float = 40) -> Path:
    """A photograph as a phone takes it: millions of pixels, none like its neighbour."""
    size = (side, side * 3 // 4)
    light, noise = Image.linear_gradient("L").resize(size), Image.effect_noise(size, grain)
    mixed = Image.blend(light, noise, 0.5), Image.blend(light, noise, 0.6), noise
    Image.merge("RGB", mixed).save(path, "JPEG", quality=quality)
    return path


def a_pdf(path: Path) -> Path:
    """A sound document."""
    path.write_bytes(pdf())
    return path


async def given(school: School, family: Household) -> Document:
    """The family's proof of address, which has been deposited."""
    ask = ListPieces(campaign_id=school.campaign_id)
    pieces = await school.system.ask(ask, family.token)
    (document,) = [piece.document for piece in pieces.family if piece.name == _DOMICILE]
    assert document is not None
    return document


async def stored(school: School, family: Household, document_id: UUID) -> bytes:
    """What the store keeps of a document."""
    link = await school.system.ask(OpenDocument(document_id=document_id), family.token)
    async with aiohttp.ClientSession() as client, client.get(link.url) as answer:
        assert answer.status == 200
        return await answer.read()


async def says_at_last(parent: Parent, text: str) -> None:
    """Wait for what a photo's preparation comes to: millions of pixels take a while."""
    status = parent.page.locator("[data-upload-status]")
    await expect(status).to_contain_text(text, timeout=30_000)


async def downloaded(download: Download) -> bytes:
    """What the browser saved."""
    return await asyncio.to_thread(Path(await download.path()).read_bytes)


@pytest.mark.spec("S16", "S50", "S53", "S54")
@_SIZES
async def test_a_late_document_is_analysed_refused_replaced_and_taken_back(
    portal: System, browser: Browser, tmp_path: Path, script: bool, width: int
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    disguised = tmp_path / "disguised.pdf"
    disguised.write_text("Ceci n'est pas un PDF.")
    proof = a_pdf(tmp_path / "justificatif.pdf")
    opened = at_the_familys_documents(browser, school, family, script=script, width=width)
    async with opened as parent:
        row = parent.row(_DOMICILE)
        await parent.stands(_DOMICILE, "À fournir")
        await parent.sends(_DOMICILE, disguised)
        await parent.sees("Famille")
        await parent.stands(_DOMICILE, "Refusée")
        await expect(row).to_contain_text("Motif :")
        await expect(row.get_by_role("link", name="Consulter")).to_have_count(0)

        await parent.sends(_DOMICILE, proof)
        await parent.stands(_DOMICILE, "Déposée")
        await expect(row).to_contain_text("justificatif.pdf")
        await expect(row).not_to_contain_text("Motif :")
        async with parent.page.expect_download() as started:
            await row.get_by_role("link", name="Consulter").click()
        assert await downloaded(await started.value) == pdf()

        await parent.sends(_DOMICILE, disguised)
        await expect(row).to_contain_text("Le fichier précédent reste déposé.")
        await parent.stands(_DOMICILE, "Refusée")
        await row.get_by_role("link", name="Supprimer").click()
        await parent.press("Supprimer")
        await parent.stands(_DOMICILE, "Déposée")
        await expect(row).not_to_contain_text("Nouveau fichier")
        await row.get_by_role("link", name="Supprimer").click()
        await parent.press("Supprimer")
        await parent.stands(_DOMICILE, "À fournir")


async def test_what_is_missing_is_told_anew_once_a_file_was_analysed(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    disguised = tmp_path / "disguised.pdf"
    disguised.write_text("Ceci n'est pas un PDF.")
    async with at_the_familys_documents(browser, school, family) as parent:
        await parent.follow("Mes Documents de")
        await parent.sends(_DOMICILE, disguised)
        missing = parent.page.locator("[data-pieces-missing]")
        await expect(missing).to_contain_text(f"{_DOMICILE} : refusée.")


@pytest.mark.spec("S51")
@pytest.mark.parametrize("width", [1280, 320])
async def test_a_photo_over_the_limit_is_shrunk_to_a_legible_one(
    portal: System, browser: Browser, tmp_path: Path, width: int
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    photo = a_photo(tmp_path / "avis.jpg")
    assert photo.stat().st_size > 5_000_000
    async with at_the_familys_documents(browser, school, family, width=width) as parent:
        await parent.chooses_files(_DOMICILE, photo)
        await says_at_last(parent, "La photo a été réduite de")
        await parent.press("Importer")
        await parent.stands(_DOMICILE, "Déposée")
        document = await given(school, family)
        content = await stored(school, family, document.id)
    assert (document.filename, document.content_type) == ("avis.jpg", "image/jpeg")
    assert len(content) <= MAX_DOCUMENT_BYTES
    assert max(Image.open(BytesIO(content)).size) >= 2000


async def test_three_photos_become_one_pdf_of_three_pages(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    photos = [a_photo(tmp_path / f"page {number}.jpg") for number in (1, 2, 3)]
    async with at_the_familys_documents(browser, school, family, width=320) as parent:
        loaded: list[str] = []
        parent.page.on("request", lambda request: loaded.append(request.url.split("/")[-1]))
        await parent.chooses_files(_DOMICILE, *photos, a_pdf(tmp_path / "quatre.pdf"))
        await parent.reads("Seules des photos peuvent être réunies en un fichier")
        chooser = parent.page.get_by_role("button", name="Votre fichier")
        described = re.compile("Formats acceptés.+Seules des photos", re.DOTALL)
        await expect(chooser).to_be_focused()
        await expect(chooser).to_have_accessible_description(described)
        assert "pdf-lib.esm.min.js" not in loaded
        await parent.chooses_files(_DOMICILE, *photos)
        await says_at_last(parent, "Les 3 photos sont réunies en un PDF")
        assert "pdf-lib.esm.min.js" in loaded
        await parent.press("Importer")
        await parent.stands(_DOMICILE, "Déposée")
        document = await given(school, family)
        content = await stored(school, family, document.id)
    assert document.filename == "page 1.pdf"
    assert len(content) <= MAX_DOCUMENT_BYTES
    pages = PdfReader(BytesIO(content)).pages
    assert [len(page.images) for page in pages] == [1, 1, 1]
    assert all(max(page.images[0].image.size) >= 1600 for page in pages if page.images[0].image)


async def test_a_cut_network_is_waited_for_and_the_file_sent_again(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with at_the_familys_documents(browser, school, family) as parent:
        await parent.chooses_files(_DOMICILE, a_pdf(tmp_path / "justificatif.pdf"))
        await parent.page.context.set_offline(True)
        await parent.press("Importer")
        await parent.reads("nouvel essai dans un instant (1 sur 4)")
        await parent.page.context.set_offline(False)
        await parent.stands(_DOMICILE, "Déposée")


async def test_a_network_that_does_not_come_back_leaves_a_button_to_try_again(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with at_the_familys_documents(browser, school, family) as parent:
        await parent.chooses_files(_DOMICILE, a_pdf(tmp_path / "justificatif.pdf"))
        store = f"{portal.stack.store.url}/**"
        await parent.page.route(store, lambda route: route.abort())
        await parent.page.clock.install()
        await parent.press("Importer")
        for count in (1, 2, 3, 4):
            await parent.reads(f"nouvel essai dans un instant ({count} sur 4)")
            await parent.page.clock.fast_forward(20_000)
        await parent.reads("L'envoi a été interrompu")
        await parent.page.unroute(store)
        await parent.press("Réessayer l'envoi")
        await parent.page.clock.resume()
        await parent.stands(_DOMICILE, "Déposée")


@pytest.mark.spec("S6")
async def test_a_session_that_ended_keeps_the_file_that_was_chosen(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with at_the_familys_documents(browser, school, family, width=320) as parent:
        await parent.chooses_files(_DOMICILE, a_pdf(tmp_path / "justificatif.pdf"))
        await parent.page.context.clear_cookies(name=re.compile("rentree_(access|refresh)"))
        await parent.press("Importer")
        await parent.reads("Votre session a expiré")
        async with parent.page.expect_popup() as opened:
            await parent.follow("Me reconnecter")
        tab = await opened.value
        await Parent(tab, parent.url).sign_in(school.name, family.username, PASSWORD)
        await parent.press("Réessayer l'envoi")
        await parent.stands(_DOMICILE, "Déposée")


@pytest.mark.spec("S50", "S52")
async def test_the_list_is_filtered_as_one_types(portal: System, browser: Browser) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with at_the_familys_documents(browser, school, family, width=320) as parent:
        search = parent.page.get_by_role("searchbox", name="Rechercher une pièce")
        await search.fill("prelevement")
        rows = parent.page.locator("tbody tr:visible")
        await expect(rows).to_have_count(2)
        await expect(parent.page.locator("[data-pieces-voice]")).to_have_text("2 pièces")
        await search.fill("xyz")
        await parent.reads("Aucune pièce ne correspond")
        await expect(rows).to_have_count(0)
        await search.fill("")
        await expect(parent.row(_DOMICILE)).to_be_visible()


@pytest.mark.spec("S18")
async def test_a_document_published_by_the_site_is_downloaded(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    content = pdf(300)
    opening = OpenPublication(
        document_id=new_id(),
        student_id=family.student_id,
        title="Bulletin du 1er semestre",
        school_year="2026-2027",
        filename="bulletin.pdf",
        size=len(content),
    )
    ticket = await portal.ask(opening, portal.operator)
    assert await send(ticket, content) in {200, 204}
    await portal.ask(RegisterUpload(document_id=ticket.document_id), portal.operator)
    listed = PublishedDocuments(student_id=family.student_id)

    async def is_published() -> bool:
        publications = await portal.ask(listed, family.token)
        return bool(publications)

    await eventually(is_published)
    async with at_the_familys_documents(browser, school, family, width=320) as parent:
        await parent.follow("Mes Documents de")
        row = parent.row("Bulletin du 1er semestre")
        await expect(row).to_contain_text(f"{datetime.now(UTC):%Y}")
        async with parent.page.expect_download() as started:
            await row.get_by_role("link", name="Télécharger").click()
        download = await started.value
        assert download.suggested_filename == "bulletin.pdf"
        assert await downloaded(download) == content
