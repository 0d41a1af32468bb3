"""The native servers do what the services expect of them, and come back with their data."""

import asyncio
import io
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import aio_pika
import aiohttp
import aiosmtplib
import asyncpg
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractConnection
from minio import Minio
from minio.datatypes import PostPolicy
from pamqp.common import FieldTable
from stack.accounts import FALLBACK
from stack.errors import StackError
from stack.running import Stack
from stack.servers.antivirus import HARMLESS_TEST_FILE, SIGNATURE
from stack.servers.object_store import Keys
from stack.smtp_sink import NO_MAILBOXES
from stack.topology import BUCKET, REGION, SERVICES
from yarl import URL

pytestmark = pytest.mark.servers

LIMIT = 2 * 1024 * 1024


@pytest_asyncio.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Servers of this file's own, since it kills them, in a folder closed to other users."""
    closed = Path(tempfile.mkdtemp(prefix="rentree-servers-"))
    stack = Stack(closed / "run")
    try:
        async with stack:
            await stack.start_servers()
            yield stack
    finally:
        stack.remove()
        shutil.rmtree(closed)


async def test_each_service_has_a_database_that_it_owns(stack: Stack) -> None:
    for service in SERVICES:
        connection = await asyncpg.connect(stack.postgresql.url(service))
        await connection.execute("CREATE TABLE written (by text)")
        await connection.execute("INSERT INTO written VALUES ($1)", service)
        assert await connection.fetchval("SELECT by FROM written") == service
        version = await connection.fetchval("SHOW server_version")
        await connection.close()
        assert version.startswith("18.")


async def test_a_service_cannot_open_the_database_of_another(stack: Stack) -> None:
    of_identity = URL(stack.postgresql.url("identity")).with_path("/courses")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(str(of_identity))


async def test_data_live_elsewhere_when_their_user_cannot_reach_the_run_folder(
    stack: Stack,
) -> None:
    home = stack.run_folder / "postgresql"
    assert home.is_symlink() == (home.resolve().parent == FALLBACK)
    assert (home / "data" / "PG_VERSION").exists()


async def test_providing_the_databases_again_changes_nothing(stack: Stack) -> None:
    await stack.postgresql.provide(SERVICES)
    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    await connection.close()


async def test_postgresql_comes_back_with_its_data_after_a_kill(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    await connection.execute("CREATE TABLE kept (seats int)")
    await connection.execute("INSERT INTO kept VALUES (15)")
    connection.terminate()
    postgresql = stack.process("postgresql")
    before = postgresql.pid

    await postgresql.kill()
    await stack.wait_ready()

    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    assert await connection.fetchval("SELECT seats FROM kept") == 15
    await connection.close()
    assert postgresql.pid != before


async def test_a_stopped_server_stays_down_until_it_is_started(stack: Stack) -> None:
    postgresql = stack.process("postgresql")
    await postgresql.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(stack.postgresql.url("courses"))
    with pytest.raises(StackError, match="postgresql is stopped"):
        await postgresql.wait_ready()

    postgresql.start()
    await postgresql.wait_ready()

    connection = await asyncpg.connect(stack.postgresql.url("courses"))
    await connection.close()


async def test_the_broker_keeps_its_queues_through_a_restart_and_its_messages_through_a_kill(
    stack: Stack,
) -> None:
    arguments: FieldTable = {"x-queue-type": "quorum"}
    link = await connect(stack)
    await (await link.channel()).declare_queue("kept", durable=True, arguments=arguments)
    await link.close()

    # A queue younger than half a second is not yet on the broker's disk: restart first, then kill.
    await stack.process("rabbitmq").restart()

    link = await connect(stack)
    channel = await link.channel(publisher_confirms=True, on_return_raises=True)
    for number in range(20):
        message = aio_pika.Message(str(number).encode(), delivery_mode=2)
        await channel.default_exchange.publish(message, "kept", mandatory=True)
    await link.close()

    await stack.process("rabbitmq").kill()
    await stack.wait_ready()

    link = await connect(stack)
    channel = await link.channel()
    queue = await channel.declare_queue("kept", durable=True, arguments=arguments)
    received = [await queue.get(no_ack=True, timeout=10) for _ in range(20)]
    await link.close()
    assert [int(message.body) for message in received] == list(range(20))


async def test_a_virtual_host_can_be_added_and_added_again(stack: Stack) -> None:
    await stack.rabbitmq.provide(["apart"])
    await stack.rabbitmq.provide(["apart"])

    link = await aio_pika.connect(str(URL(stack.rabbitmq.url).with_path("/apart")))
    await link.close()


async def test_the_store_takes_a_presigned_upload_of_the_agreed_type_and_size(
    stack: Stack,
) -> None:
    url, fields = await upload_form(stack, "pieces/domicile.pdf")

    assert await upload(url, fields, b"%PDF-1.7" + bytes(1000)) in {200, 204}
    url, fields = await upload_form(stack, "pieces/page.pdf")
    as_a_page = fields | {"Content-Type": "text/html"}
    assert await upload(url, as_a_page, b"<html>") in {400, 403}
    url, fields = await upload_form(stack, "pieces/trop-grand.pdf")
    assert await upload(url, fields, bytes(LIMIT + 1)) in {400, 403, 413}
    stored = [found.object_name for found in store(stack).list_objects(BUCKET, recursive=True)]
    assert stored == ["pieces/domicile.pdf"]


async def test_the_store_keeps_an_object_through_a_kill(stack: Stack) -> None:
    content = b"%PDF-1.7 kept"
    client = store(stack, stack.store.administrator)
    client.make_bucket("keep")
    client.put_object("keep", "kept.pdf", io.BytesIO(content), len(content))

    await stack.process("store").kill()
    await stack.wait_ready()

    assert client.get_object("keep", "kept.pdf").read() == content


async def test_the_scripts_of_any_page_may_send_to_the_store(stack: Stack) -> None:
    asked = {"Origin": "http://127.0.0.1:8000", "Access-Control-Request-Method": "POST"}
    async with (
        aiohttp.ClientSession() as session,
        session.options(f"{stack.store.url}/{BUCKET}", headers=asked) as answer,
    ):
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", asked["Origin"]}


async def test_the_antivirus_knows_the_harmless_test_file_wherever_it_is(stack: Stack) -> None:
    found = f"stream: {SIGNATURE}.UNOFFICIAL FOUND"
    assert await scan(stack, HARMLESS_TEST_FILE) == found
    assert await scan(stack, b"%PDF-1.7 " + HARMLESS_TEST_FILE + b" %%EOF") == found
    assert await scan(stack, b"%PDF-1.7 a tax notice") == "stream: OK"


async def test_the_antivirus_comes_back_after_a_kill(stack: Stack) -> None:
    await stack.process("antivirus").kill()
    await stack.wait_ready()

    assert await scan(stack, b"a tax notice") == "stream: OK"


async def test_an_accepted_mail_is_stored_with_its_envelope(stack: Stack) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "site@rentree.example", "nicole.test@example.org"
    mail["Subject"] = "Accusé de réception"
    mail.set_content("Votre demande de réinscription a bien été prise en compte.")

    await aiosmtplib.send(mail, hostname="127.0.0.1", port=stack.mailbox.port)

    received = stack.mailbox.messages()[-1]
    assert received["Subject"] == "Accusé de réception"
    assert received["X-Envelope-To"] == "nicole.test@example.org"
    assert "prise en compte" in received.get_content()


async def test_a_domain_without_mailboxes_has_its_mails_refused(stack: Stack) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "site@rentree.example", f"nicole.test@{NO_MAILBOXES}"
    before = stack.mailbox.messages()

    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=stack.mailbox.port)

    assert len(stack.mailbox.messages()) == len(before)


async def test_a_second_stack_cannot_use_the_same_folder(stack: Stack) -> None:
    with pytest.raises(StackError, match="already runs"):
        Stack(stack.run_folder)


async def connect(stack: Stack) -> AbstractConnection:
    return await aio_pika.connect(stack.rabbitmq.url, timeout=5)


async def scan(stack: Stack, content: bytes) -> str:
    """Have the antivirus scan a file, as its protocol says; give its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.antivirus.port)
    ended = struct.pack("!L", 0)
    writer.write(b"zINSTREAM\0" + struct.pack("!L", len(content)) + content + ended)
    answer = await asyncio.wait_for(reader.readuntil(b"\0"), timeout=10)
    writer.close()
    return answer.rstrip(b"\0").decode()


def store(stack: Stack, keys: Keys | None = None) -> Minio:
    """Reach the store with the keys of documents, or others."""
    keys = keys or stack.store.keys
    return Minio(
        stack.store.url.removeprefix("http://"),
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        secure=False,
        region=REGION,
    )


async def upload_form(stack: Stack, name: str) -> tuple[str, dict[str, str]]:
    client = store(stack)
    if not client.bucket_exists(BUCKET):
        client.make_bucket(BUCKET)
    policy = PostPolicy(BUCKET, datetime.now(UTC) + timedelta(minutes=5))
    policy.add_equals_condition("key", name)
    policy.add_equals_condition("Content-Type", "application/pdf")
    policy.add_content_length_range_condition(1, LIMIT)
    fields = client.presigned_post_policy(policy)
    return f"{stack.store.url}/{BUCKET}", fields | {"key": name, "Content-Type": "application/pdf"}


async def upload(url: str, fields: dict[str, str], content: bytes) -> int:
    form = aiohttp.FormData(fields)
    form.add_field("file", content, filename="piece.pdf", content_type="application/pdf")
    async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
        return answer.status
