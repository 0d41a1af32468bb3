"""Style sheets, scripts and the logo: read and compressed once, cached by browsers for ever.

Their URL carries a fingerprint of all of them together, so that a module may import its neighbour
by a relative path. A page made by another version of the gateway, during a deployment, asks with
another fingerprint: it gets our version, not to be kept.
"""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from litestar import HttpMethod, Request, Router, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from gateway.compression import accepts_gzip
from gateway.theme import Theme

OWN_FOLDER: Final = Path(__file__).parent / "static"
PACKAGES_FOLDER: Final = Path(__file__).parents[2] / "node_modules"
PACKAGE_FILES: Final = (
    "govuk-frontend/dist/govuk/govuk-frontend.min.css",
    "govuk-frontend/dist/govuk/govuk-frontend.min.js",
    "@cantoo/pdf-lib/dist/pdf-lib.esm.min.js",
)
"""All that we serve of the packages: GOV.UK's fonts and images are the British government's own,
and the PDF library is loaded by whoever joins photos.
"""

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".png": "image/png",
}

FOR_EVER: Final = "public, max-age=31536000, immutable"
NOT_KEPT: Final = "no-cache"

BareRequest = Request[None, None, State]


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in memory, as it is and compressed."""

    body: bytes
    compressed: bytes
    content_type: str
    etag: str


class Assets:
    """The files that pages refer to, by name; the theme's two are called theme.css and logo."""

    def __init__(self, theme: Theme, packages_folder: Path = PACKAGES_FOLDER) -> None:
        packaged = [packages_folder / name for name in PACKAGE_FILES]
        for path in packaged:
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing: run `npm ci` in the gateway's folder")
        self.theme = theme
        contents = {path.name: path.read_bytes() for path in (*OWN_FOLDER.iterdir(), *packaged)}
        contents["theme.css"] = theme.css().encode()
        contents[theme.logo_name] = theme.logo.read_bytes()
        self._files = {name: _asset(name, body) for name, body in contents.items()}
        everything = "".join(f"{name}:{file.etag}" for name, file in sorted(self._files.items()))
        self._fingerprint = _digest(everything.encode())

    def url(self, name: str) -> str:
        """Return the address of a file; a name that does not exist is a mistake in a template."""
        if name not in self._files:
            raise LookupError(f"no asset is called {name!r}")
        return f"/assets/{self._fingerprint}/{name}"

    def router(self) -> Router:
        """Return the routes that serve the files, without a session nor a schema."""

        @route(
            "/{fingerprint:str}/{name:str}",
            http_method=[HttpMethod.GET, HttpMethod.HEAD],
            sync_to_thread=False,
        )
        def serve_asset(
            fingerprint: FromPath[str], name: FromPath[str], request: BareRequest
        ) -> ASGIResponse:
            return self._answer(fingerprint, name, request)

        return Router("/assets", route_handlers=[serve_asset], include_in_schema=False)

    def _answer(self, fingerprint: str, name: str, request: BareRequest) -> ASGIResponse:
        asset = self._files.get(name)
        if asset is None:
            raise NotFoundException
        headers = {
            "cache-control": FOR_EVER if fingerprint == self._fingerprint else NOT_KEPT,
            # One weak tag for both encodings: they hold the same text.
            "etag": asset.etag,
            "vary": "accept-encoding",
        }
        if _matches(request.headers.get("if-none-match", ""), asset.etag):
            return ASGIResponse(status_code=304, headers=headers)
        body = asset.body
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            headers["content-encoding"] = "gzip"
            body = asset.compressed
        # Litestar leaves these two out of an answer to HEAD.
        headers |= {"content-type": asset.content_type, "content-length": str(len(body))}
        bare = request.method == "HEAD"
        return ASGIResponse(body=b"" if bare else body, headers=headers, is_head_response=bare)


def _asset(name: str, body: bytes) -> Asset:
    return Asset(
        body=body,
        compressed=gzip.compress(body, mtime=0),
        content_type=CONTENT_TYPES[Path(name).suffix],
        etag=f'W/"{_digest(body)}"',
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _matches(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags
