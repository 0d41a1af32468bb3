"""The whole system in one place: who runs, how many times, and what each one is told.

PostgreSQL, RabbitMQ, the store, the antivirus and the mail server stand beside the processes; the
services depend on servers alone, the gateway on the services and the broker, the balancer on the
gateway. docker-compose.yml says the same for containers, and a test keeps the two alike.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

SERVICES = ("identity", "enrolment", "documents", "courses", "notifications")
GATEWAY = "gateway"
PACKAGES = (*SERVICES, GATEWAY)

READY_PATH = "/health/ready"
BUCKET = "rentree-documents"
REGION = "eu-west-3"
LAST_PORT = 65_535
MAIL_FROM = "Rentrée <ne-pas-repondre@rentree.example>"

type ServiceUrls = Mapping[str, Sequence[str]]
"""The base URLs of each service's replicas, by service."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the processes need to know of the servers and of each other."""

    public_url: str
    database_url: Callable[[str], str]
    broker_url: str
    store_url: str
    store_public_url: str
    store_access_key: str
    store_secret_key: str
    clamd_url: str
    smtp_url: str
    token_private_key: Path
    token_public_key: Path
    cookie_secret: str
    receipt_secret: str
    services: ServiceUrls


def variables(package: str, around: Surroundings) -> dict[str, str]:
    """Everything that a process of this package is told, besides where it listens."""
    verifier = {"RENTREE_TOKEN_PUBLIC_KEY_FILE": str(around.token_public_key)}
    if package == GATEWAY:
        return (
            verifier
            | {
                "RENTREE_BROKER_URL": around.broker_url,
                "RENTREE_PUBLIC_URL": around.public_url,
                "RENTREE_COOKIE_SECRET": around.cookie_secret,
                "RENTREE_COOKIE_SECURE": str(around.public_url.startswith("https:")).lower(),
                "RENTREE_STORE_URL": around.store_url,
                "RENTREE_STORE_PUBLIC_URL": around.store_public_url,
            }
            | {
                f"RENTREE_SERVICES__{service.upper()}": ",".join(around.services[service])
                for service in SERVICES
            }
        )
    service = verifier | {
        "RENTREE_DATABASE_URL": around.database_url(package),
        "RENTREE_BROKER_URL": around.broker_url,
    }
    own = {
        "identity": {
            "RENTREE_TOKEN_PRIVATE_KEY_FILE": str(around.token_private_key),
            "RENTREE_DEMONSTRATION": "true",
        },
        "documents": {
            "RENTREE_STORE_URL": around.store_url,
            "RENTREE_STORE_PUBLIC_URL": around.store_public_url,
            "RENTREE_STORE_ACCESS_KEY": around.store_access_key,
            "RENTREE_STORE_SECRET_KEY": around.store_secret_key,
            "RENTREE_STORE_BUCKET": BUCKET,
            "RENTREE_STORE_REGION": REGION,
            "RENTREE_CLAMD_URL": around.clamd_url,
        },
        "notifications": {
            "RENTREE_SMTP_URL": around.smtp_url,
            "RENTREE_MAIL_FROM": MAIL_FROM,
            "RENTREE_PUBLIC_URL": around.public_url,
            "RENTREE_RECEIPT_SECRET": around.receipt_secret,
        },
    }
    return service | own.get(package, {})


def parse_scale(text: str) -> dict[str, int]:
    """Read `courses=2 gateway=2`."""
    scale: dict[str, int] = {}
    for word in text.split():
        package, _, count = word.partition("=")
        if package not in PACKAGES or not count.isdecimal() or int(count) < 1:
            raise StackError(
                f"{word!r} in the scale is not understood: write for instance"
                f' "courses=2 gateway=2", with names among {", ".join(PACKAGES)}.'
            )
        scale[package] = int(count)
    return scale


def parse_port(text: str) -> int:
    """Read a port to listen on."""
    if not text.isdecimal() or not 1 <= int(text) <= LAST_PORT:
        raise StackError(f"{text!r} is no port: write a number from 1 to {LAST_PORT}, as PORT=8000")
    return int(text)


def replica_names(package: str, scale: Mapping[str, int]) -> list[str]:
    """Name the replicas of a package: courses-1, courses-2."""
    return [f"{package}-{number}" for number in range(1, scale.get(package, 1) + 1)]
