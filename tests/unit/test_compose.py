"""Containers and native processes are one system: same names, same variables, same health."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from gateway.assets import PACKAGE_FILES
from stack.servers.antivirus import SCANNING
from stack.topology import BUCKET, GATEWAY, PACKAGES, READY_PATH, SERVICES, Surroundings, variables

ROOT = Path(__file__).parents[2]
ONE_SHOTS = {"keys", "demonstration", "store-account"}
SERVERS = {"postgresql", "rabbitmq", "minio", "clamav", "mailpit", "balancer"}

type Service = dict[str, object]

IN_CONTAINERS = Surroundings(
    public_url="http://127.0.0.1:8000",
    database_url=lambda service: f"postgresql://{service}:rentree@postgresql:5432/{service}",
    broker_url="amqp://rentree:rentree@rabbitmq:5672/rentree",
    store_url="http://minio:9000",
    store_public_url="http://127.0.0.1:9000",
    store_access_key="documents",
    store_secret_key="rentree-documents",
    clamd_url="tcp://clamav:3310",
    smtp_url="smtp://mailpit:1025",
    token_private_key=Path("/keys/private/token.pem"),
    token_public_key=Path("/keys/public/token.pem"),
    cookie_secret="rentree-demonstration",
    receipt_secret="rentree-demonstration",
    services={service: [f"http://{service}:8000"] for service in SERVICES},
)


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    """Read docker-compose.yml as it is when no variable is set: `${PORT:-8000}` is 8000."""
    text = (ROOT / "docker-compose.yml").read_text()
    defaults = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    read: dict[str, Service] = yaml.safe_load(defaults)["services"]
    return read


def environment(service: Service) -> dict[str, str]:
    given = service["environment"]
    assert isinstance(given, dict)
    return given


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_compose_follows_the_published_schema() -> None:
    done = subprocess.run(
        [
            tool("check-jsonschema"),
            *("--builtin-schema", "vendor.compose-spec"),
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_has_nothing_to_be_said_against() -> None:
    done = subprocess.run(
        [tool("hadolint"), "--no-color", str(ROOT / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_gateways_image_has_the_browser_assets_that_it_serves_and_no_other() -> None:
    copied = re.findall(r"/app/gateway/node_modules/(\S+)", (ROOT / "Dockerfile").read_text())
    assert copied == list(PACKAGE_FILES)


def test_compose_runs_every_package_and_every_server(services: dict[str, Service]) -> None:
    assert services.keys() == set(PACKAGES) | SERVERS | ONE_SHOTS


@pytest.mark.parametrize("package", PACKAGES)
def test_a_container_is_told_what_a_native_process_is(
    services: dict[str, Service], package: str
) -> None:
    assert services[package]["environment"] == variables(package, IN_CONTAINERS)


def test_only_who_signs_is_shown_the_key_that_signs(services: dict[str, Service]) -> None:
    shown = {
        name: {volume for volume in volumes if "keys" in volume}
        for name, service in services.items()
        if isinstance(volumes := service.get("volumes"), list)
    }
    public, private = "public-key:/keys/public:ro", "private-key:/keys/private:ro"
    assert {name: volumes for name, volumes in shown.items() if volumes} == {
        **{package: {public} for package in PACKAGES},
        "identity": {public, private},
        "demonstration": {private},
        "keys": {"public-key:/keys/public", "private-key:/keys/private"},
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_built_from_the_one_dockerfile(
    services: dict[str, Service], package: str
) -> None:
    assert services[package]["build"] == {
        "context": ".",
        "target": GATEWAY if package == GATEWAY else "service",
        "args": {"PACKAGE": package},
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_container_is_healthy_when_the_native_process_is_ready(
    services: dict[str, Service], package: str
) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    probed = f"http://127.0.0.1:8000{READY_PATH}'"

    assert probed in str(services[package]["healthcheck"])
    assert probed in dockerfile
    assert "EXPOSE 8000" in dockerfile


def test_everything_that_goes_on_running_has_a_health_check(
    services: dict[str, Service],
) -> None:
    unchecked = {
        name
        for name, service in services.items()
        if not isinstance(check := service.get("healthcheck"), dict) or check.get("disable")
    }
    assert unchecked == ONE_SHOTS


def test_something_waits_for_each_one_shot_so_that_wait_does_not_fail(
    services: dict[str, Service],
) -> None:
    waited = {
        name
        for service in services.values()
        if isinstance(needs := service.get("depends_on"), dict)
        for name, need in needs.items()
        if need["condition"] == "service_completed_successfully"
    }
    assert waited == ONE_SHOTS


def test_only_this_machine_reaches_what_is_published(services: dict[str, Service]) -> None:
    published = {
        name: ports
        for name, service in services.items()
        if isinstance(ports := service.get("ports"), list)
    }
    assert published.keys() == {"balancer", "minio", "mailpit"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_documents_reaches_its_own_bucket_alone_and_never_as_root(
    services: dict[str, Service],
) -> None:
    policy = json.loads((ROOT / "deploy/store/policy.json").read_text())
    allowed = {resource for each in policy["Statement"] for resource in each["Resource"]}
    assert allowed == {f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"}
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}
    account, documents = services["store-account"], services["documents"]
    assert account["image"] == services["minio"]["image"]
    assert environment(account)["ROOT_PASSWORD"] not in environment(documents).values()
    assert (
        environment(account)["DOCUMENTS_PASSWORD"]
        == environment(documents)["RENTREE_STORE_SECRET_KEY"]
    )


def test_the_antivirus_scans_as_the_native_one_and_nothing_waits_for_it_to_start(
    services: dict[str, Service],
) -> None:
    told = environment(services["clamav"])
    assert {name: told[f"CLAMD_CONF_{name}"] for name in SCANNING} == SCANNING
    waited = {
        name
        for service in services.values()
        if isinstance(needs := service.get("depends_on"), dict)
        for name in needs
    }
    assert "clamav" not in waited


def test_every_service_gets_its_database(services: dict[str, Service]) -> None:
    script = (ROOT / "deploy/postgresql/create-databases.sh").read_text()

    assert f"for service in {' '.join(SERVICES)}; do" in script
    assert "./deploy/postgresql:/docker-entrypoint-initdb.d:ro" in str(services["postgresql"])


def test_every_image_is_pinned(services: dict[str, Service]) -> None:
    for service in services.values():
        image = str(service.get("image", "built:here"))
        assert not image.endswith(":latest")
        assert ":" in image
