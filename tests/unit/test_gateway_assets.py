import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway.assets import OWN_FOLDER, PACKAGE_FILES, Assets
from gateway.theme import DEFAULT_THEME, load_theme
from litestar import Litestar
from litestar.testing import TestClient

GOVUK = "govuk-frontend/dist/govuk"
THEME = load_theme(DEFAULT_THEME)


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    for name in PACKAGE_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("export {}")
    (tmp_path / GOVUK / "govuk-frontend.min.css").write_text("body { color: black }" * 50)
    (tmp_path / GOVUK / "govuk-crest.svg").write_text("<svg/>")
    return Assets(THEME, tmp_path)


@pytest.fixture
def client(assets: Assets) -> Iterator[TestClient[Litestar]]:
    with TestClient(Litestar([assets.router()])) as client:
        yield client


def test_an_asset_is_served_compressed_and_kept_for_ever(
    assets: Assets, client: TestClient[Litestar]
) -> None:
    response = client.get(assets.url("govuk-frontend.min.css"))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/css; charset=utf-8"
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.text.startswith("body { color: black }")
    assert int(response.headers["content-length"]) < len(response.content)


def test_a_client_that_cannot_decompress_gets_the_file_as_it_is(
    assets: Assets, client: TestClient[Litestar]
) -> None:
    for refusal in ("identity", "gzip;q=0"):
        response = client.get(assets.url("app.js"), headers={"accept-encoding": refusal})
        assert "content-encoding" not in response.headers
        assert response.text == (OWN_FOLDER / "app.js").read_text()


def test_a_file_already_held_is_not_sent_again(
    assets: Assets, client: TestClient[Litestar]
) -> None:
    url = assets.url("theme.css")
    etag = client.get(url).headers["etag"]
    again = client.get(url, headers={"if-none-match": f'"other", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert client.get(url, headers={"if-none-match": '"other"'}).status_code == 200


def test_head_answers_as_get_without_the_body(assets: Assets, client: TestClient[Litestar]) -> None:
    url = assets.url("theme.css")
    response = client.head(url)
    assert response.content == b""
    for header in ("content-length", "content-type", "etag", "cache-control"):
        assert response.headers[header] == client.get(url).headers[header]


@pytest.mark.parametrize("name", ["nothing.css", "govuk-crest.svg", "..%2Fassets.py", "%00"])
def test_what_is_not_an_asset_is_not_found(
    name: str, assets: Assets, client: TestClient[Litestar]
) -> None:
    folder = assets.url("app.js").removesuffix("app.js")
    assert client.get(folder + name).status_code == 404


def test_a_page_of_another_version_gets_ours_but_does_not_keep_it(
    client: TestClient[Litestar],
) -> None:
    response = client.get("/assets/0123456789abcdef/app.js")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-cache"


def test_a_changed_file_changes_every_address(assets: Assets, tmp_path: Path) -> None:
    before = assets.url("app.js")
    (tmp_path / GOVUK / "govuk-frontend.min.js").write_text("export { changed }")
    assert Assets(THEME, tmp_path).url("app.js") != before


def test_a_template_cannot_name_a_file_that_does_not_exist(assets: Assets) -> None:
    with pytest.raises(LookupError, match="typo"):
        assets.url("typo.css")


def test_missing_web_assets_are_said_with_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="npm ci"):
        Assets(THEME, tmp_path / "absent")


def test_our_scripts_import_only_files_that_are_served(assets: Assets) -> None:
    for script in OWN_FOLDER.glob("*.js"):
        for imported in re.findall(r'(?:from |import\()"\./([^"]+)"', script.read_text()):
            assets.url(imported)
