"""One event sent to one receiver: what its address, its certificate and its answer may do to us."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from notifications.webhooks.addresses import AddressRule
from notifications.webhooks.courier import send, way_out
from notifications.webhooks.deliveries import Due, Outcome
from notifications.webhooks.signing import KeptEvent, new_secret
from shared.identifiers import new_id
from stack.remembered import free_port

from tests.receiver import Receiver

HERE = AddressRule((ip_network("127.0.0.0/8"), ip_network("::1/128")), allows_http=True)


def due_to(url: str) -> Due:
    event = KeptEvent(
        id=new_id(),
        type="courses.seats_released.v1",
        source="/courses",
        subject="",
        happened_at=datetime.now(UTC),
        correlation_id="",
        data="{}",
    )
    return Due(1, new_id(), 1, url, (new_secret(),), event)


async def sent_to(url: str, rule: AddressRule = HERE) -> Outcome:
    async with way_out(rule) as session:
        return await send(session, rule, due_to(url))


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver(free_port(()))
    await receiver.open()
    yield receiver
    await receiver.close()


@asynccontextmanager
async def answering(answer: web.Response | web.StreamResponse | None) -> AsyncIterator[str]:
    """A server that answers without end where no answer is given."""

    async def take(request: web.Request) -> web.StreamResponse:
        if answer is not None:
            return answer
        endless = web.StreamResponse()
        await endless.prepare(request)
        while True:
            await endless.write(b"x" * 65_536)

    app, port = web.Application(), free_port(())
    app.router.add_post("/", take)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"])
async def test_the_address_is_looked_at_when_it_is_connected_to(
    receiver: Receiver, host: str
) -> None:
    """Whatever its name led to when it was registered (DNS rebinding)."""
    outcome = await sent_to(f"http://{host}:{receiver.port}/hook", AddressRule(allows_http=True))
    assert not outcome.is_delivered
    assert "is not a public address" in outcome.failure
    assert receiver.calls == []


async def test_a_name_is_connected_to_where_its_address_is_allowed(receiver: Receiver) -> None:
    outcome = await sent_to(f"http://localhost:{receiver.port}/hook")
    assert (outcome.status, outcome.is_delivered, outcome.failure) == (204, True, "")


async def test_plain_http_is_not_sent_any_more_once_it_is_no_longer_allowed(
    receiver: Receiver,
) -> None:
    rule = AddressRule(HERE.allowed_networks)
    assert (await sent_to(receiver.url, rule)).failure == "not_https"
    assert receiver.calls == []


async def test_a_proxy_of_the_environment_is_ignored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Receiver(free_port(()))
    await proxy.open()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert (await sent_to(receiver.url)).is_delivered
    await proxy.close()
    assert proxy.calls == []


async def test_an_answer_without_end_is_read_no_further_than_what_is_kept() -> None:
    async with answering(None) as url:
        started = time.monotonic()
        outcome = await sent_to(url)
    assert (outcome.status, outcome.answer) == (200, "x" * 500)
    assert time.monotonic() - started < 5


async def test_an_answer_is_kept_as_it_came_and_not_unpacked() -> None:
    packed = web.Response(body=b"\x1f\x8b\x00not gzip", headers={"content-encoding": "gzip"})
    async with answering(packed) as url:
        outcome = await sent_to(url)
    assert (outcome.status, outcome.answer) == (200, "\x1f\ufffd\ufffdnot gzip")


async def test_a_cookie_is_not_given_back(receiver: Receiver) -> None:
    receiver.status = 200
    async with way_out(HERE) as session:
        for _ in range(2):
            assert (await send(session, HERE, due_to(receiver.url))).is_delivered
    assert all("cookie" not in call.headers for call in receiver.calls)


@pytest.mark.parametrize("url", ["http://nowhere.invalid/", "http://127.0.0.1:1/"])
async def test_nobody_at_the_other_end_is_a_failure_in_words(url: str) -> None:
    outcome = await sent_to(url)
    assert outcome.status is None
    assert outcome.failure


async def test_what_is_no_http_is_a_failure() -> None:
    async def mumble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\xff no http at all\r\n\r\n")
        writer.close()

    port = free_port(())
    async with await asyncio.start_server(mumble, "127.0.0.1", port):
        outcome = await sent_to(f"http://127.0.0.1:{port}/")
    assert outcome.status is None
    assert outcome.failure
    assert "\x00" not in outcome.failure


async def test_a_certificate_that_nobody_vouches_for_gets_no_event(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(self_signed(tmp_path))
    calls: list[str] = []

    async def take(request: web.Request) -> web.Response:
        calls.append(request.path)
        return web.Response()

    app, port = web.Application(), free_port(())
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    outcome = await sent_to(f"https://localhost:{port}/")
    await runner.cleanup()
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.failure
    assert calls == []


def self_signed(folder: Path) -> Path:
    """A certificate for localhost that only it itself vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
