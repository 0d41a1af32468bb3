"""What each process is told, and how many of each run."""

from pathlib import Path

import pytest
from stack.errors import StackError
from stack.servers.antivirus import antivirus_configuration, signature_line
from stack.servers.balancer import backend
from stack.servers.object_store import Keys, keys_document
from stack.servers.rabbitmq import broker_configuration
from stack.topology import (
    PACKAGES,
    SERVICES,
    Surroundings,
    parse_port,
    parse_scale,
    replica_names,
    variables,
)

AROUND = Surroundings(
    public_url="http://127.0.0.1:8000",
    database_url=lambda database: f"postgresql://{database}@server/{database}",
    broker_url="amqp://broker",
    store_url="http://store",
    store_public_url="https://store.example",
    store_access_key="key",
    store_secret_key="secret",
    clamd_url="tcp://antivirus",
    smtp_url="smtp://mail:25",
    token_private_key=Path("/keys/private.pem"),
    token_public_key=Path("/keys/public.pem"),
    cookie_secret="cookie",
    receipt_secret="receipt",
    services={package: [f"http://{package}-1", f"http://{package}-2"] for package in PACKAGES},
)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_its_own_database_and_the_broker(service: str) -> None:
    told = variables(service, AROUND)

    assert told["RENTREE_DATABASE_URL"] == f"postgresql://{service}@server/{service}"
    assert told["RENTREE_BROKER_URL"] == "amqp://broker"


def test_the_gateway_knows_every_replica_of_every_service_and_no_database() -> None:
    told = variables("gateway", AROUND)

    for service in SERVICES:
        replicas = told[f"RENTREE_SERVICES__{service.upper()}"]
        assert replicas == f"http://{service}-1,http://{service}-2"
    assert told["RENTREE_BROKER_URL"] == "amqp://broker"
    assert "RENTREE_DATABASE_URL" not in told


@pytest.mark.parametrize("package", PACKAGES)
def test_only_identity_is_given_the_key_that_signs(package: str) -> None:
    told = variables(package, AROUND)

    assert told["RENTREE_TOKEN_PUBLIC_KEY_FILE"] == "/keys/public.pem"
    assert ("RENTREE_TOKEN_PRIVATE_KEY_FILE" in told) == (package == "identity")


def test_cookies_are_only_left_insecure_on_plain_http() -> None:
    https = Surroundings(**{**vars(AROUND), "public_url": "https://rentree.example"})

    assert variables("gateway", AROUND)["RENTREE_COOKIE_SECURE"] == "false"
    assert variables("gateway", https)["RENTREE_COOKIE_SECURE"] == "true"


def test_a_scale_is_read_word_by_word() -> None:
    assert parse_scale("courses=2 gateway=3") == {"courses": 2, "gateway": 3}
    assert parse_scale("") == {}


@pytest.mark.parametrize(
    "text", ["course=2", "courses", "courses=0", "courses=two", "postgresql=2"]
)
def test_a_scale_that_means_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(StackError, match="courses=2 gateway=2"):
        parse_scale(text)


@pytest.mark.parametrize("text", ["0", "65536", "99999", "-1", "http", ""])
def test_a_port_that_cannot_be_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(StackError, match="PORT=8000"):
        parse_port(text)


def test_a_port_is_read_up_to_the_last() -> None:
    assert (parse_port("1"), parse_port("65535")) == (1, 65_535)


def test_replicas_are_numbered_from_one() -> None:
    assert replica_names("courses", {"courses": 2}) == ["courses-1", "courses-2"]
    assert replica_names("identity", {"courses": 2}) == ["identity-1"]


def test_the_balancer_checks_each_replica_of_the_gateway() -> None:
    assert backend(["http://127.0.0.1:20001", "http://127.0.0.1:20002"]) == (
        "backend gateway\n"
        "    server gateway-1 127.0.0.1:20001 check\n"
        "    server gateway-2 127.0.0.1:20002 check\n"
    )


def test_the_broker_listens_on_this_machine_alone_with_a_password_of_ours() -> None:
    lines = broker_configuration(20003, "secret").splitlines()

    assert "listeners.tcp.1 = 127.0.0.1:20003" in lines
    assert "default_pass = secret" in lines
    assert [line for line in lines if "guest" in line] == []


def test_the_antivirus_listens_on_this_machine_alone_and_has_no_database_but_ours() -> None:
    lines = antivirus_configuration(Path("/run/signatures"), 20004).splitlines()

    assert {"TCPAddr 127.0.0.1", "TCPSocket 20004", "DatabaseDirectory /run/signatures"} <= set(
        lines
    )
    assert signature_line().startswith("Rentree.Test.Eicar:0:*:58354f21")


def test_the_store_limits_the_keys_of_documents_to_its_bucket() -> None:
    identities = keys_document("pieces", Keys("key", "secret"), Keys("admin", "other"))

    assert identities["identities"] == [
        {
            "name": "key",
            "credentials": [{"accessKey": "key", "secretKey": "secret"}],
            "actions": [
                *("Admin:pieces", "Read:pieces", "Write:pieces", "List:pieces", "Tagging:pieces")
            ],
        },
        {
            "name": "admin",
            "credentials": [{"accessKey": "admin", "secretKey": "other"}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
    ]


def test_only_documents_is_told_of_the_store_s_keys_and_of_the_antivirus() -> None:
    for package in PACKAGES:
        told = variables(package, AROUND)
        secret = {"RENTREE_STORE_SECRET_KEY", "RENTREE_CLAMD_URL"} & told.keys()
        assert bool(secret) == (package == "documents")
