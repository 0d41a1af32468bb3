from collections.abc import Iterator

import pytest
from gateway.security_headers import SecurityHeaders
from litestar import Litestar, Response, get
from litestar.testing import TestClient


@get("/", sync_to_thread=False)
def page() -> str:
    return "bonjour"


@get("/kept", sync_to_thread=False)
def kept() -> Response[str]:
    return Response("bonjour", headers={"cache-control": "public, max-age=60"})


@get("/broken", sync_to_thread=False)
def broken() -> str:
    raise RuntimeError


def served(*, secure: bool) -> Litestar:
    hook = SecurityHeaders(store_url="https://store.example:9000/bucket", secure=secure)
    return Litestar([page, kept, broken], before_send=[hook])


@pytest.fixture
def client() -> Iterator[TestClient[Litestar]]:
    with TestClient(served(secure=True), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/kept", 200), ("/nowhere", 404), ("/broken", 500)]
)
def test_every_response_carries_the_headers(
    client: TestClient[Litestar], path: str, status: int
) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert response.headers["strict-transport-security"].startswith("max-age=")
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == "'self' https://store.example:9000"


def test_nothing_is_kept_by_a_browser_unless_its_handler_says_so(
    client: TestClient[Litestar],
) -> None:
    assert client.get("/").headers["cache-control"] == "no-store"
    assert client.get("/kept").headers["cache-control"] == "public, max-age=60"


def test_plain_http_promises_no_https() -> None:
    with TestClient(served(secure=False)) as client:
        assert "strict-transport-security" not in client.get("/").headers


@pytest.mark.parametrize("url", ["", "store.example", "//store.example", "ftp://store.example"])
def test_a_store_address_that_no_browser_can_reach_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="not an absolute http address"):
        SecurityHeaders(store_url=url, secure=True)
