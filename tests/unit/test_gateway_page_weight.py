"""What a page weighs on a phone's network, and what it waits for before it is painted."""

import gzip
import re
from collections.abc import Iterator

import pytest
from gateway.assets import OWN_FOLDER
from gateway.theme import DEFAULT_THEME, load_theme

from tests.portal import Portal
from tests.showroom.exhibits import EXHIBITS
from tests.showroom.household import CALLER

MOST_BYTES = 60_000
"""Of HTML, styles and scripts together, compressed, beyond the toolkit's."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Give each page of the showroom that is read, not sent."""
    return dict(_read(Portal(tmp_path_factory.mktemp("keys"))))


def _read(portal: Portal) -> Iterator[tuple[str, bytes]]:
    with portal.browser() as visitor, portal.browser(CALLER) as family:
        for exhibit in filter(lambda each: not each.acts, EXHIBITS.values()):
            portal.reset(exhibit.answers())
            reader = family if exhibit.signed_in else visitor
            answer = reader.get(exhibit.path)
            assert answer.status_code == exhibit.status, exhibit.name
            assert answer.headers["content-encoding"] == "gzip", exhibit.name
            yield exhibit.name, answer.content


def compressed(content: bytes) -> int:
    return len(gzip.compress(content))


def our_styles_and_scripts() -> int:
    """Weigh all that is ours, though no page loads all of it."""
    own = sum(compressed(path.read_bytes()) for path in OWN_FOLDER.iterdir())
    return own + compressed(load_theme(DEFAULT_THEME).css().encode())


def test_a_page_weighs_less_than_sixty_kilobytes(pages: dict[str, bytes]) -> None:
    beside = our_styles_and_scripts()
    weights = {name: beside + compressed(content) for name, content in pages.items()}
    assert {name: weight for name, weight in weights.items() if weight >= MOST_BYTES} == {}


def test_a_page_is_painted_before_any_script_is_run(pages: dict[str, bytes]) -> None:
    for name, content in pages.items():
        scripts = re.findall(r"<script[^>]* src=[^>]*>", content.decode())
        assert scripts, name
        assert all('type="module"' in script for script in scripts), name


def test_paper_does_not_hold_up_the_screen(pages: dict[str, bytes]) -> None:
    for content in pages.values():
        head = content.decode().partition("</head>")[0]
        assert re.search(r'print\.css" media="print"', head)


def test_a_page_is_sent_as_it_is_to_who_reads_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    portal = Portal(tmp_path_factory.mktemp("keys"))
    with portal.browser() as visitor:
        answer = visitor.get("/mentions-legales", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["vary"]
    assert int(answer.headers["content-length"]) == len(answer.content)
