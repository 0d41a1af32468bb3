"""What the documentation says of names, addresses and settings is what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents.app import DocumentsSettings
from gateway.settings import GatewaySettings
from identity.settings import IdentitySettings
from notifications.app import NotificationsSettings
from pydantic import BaseModel
from pydantic_settings import BaseSettings
from shared.contracts.reactions import EVENTS
from shared.settings import ServiceSettings
from stack.topology import PACKAGES, SERVICES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SETTINGS: dict[str, type[BaseSettings]] = {
    "identity": IdentitySettings,
    "enrolment": ServiceSettings,
    "documents": DocumentsSettings,
    "courses": ServiceSettings,
    "notifications": NotificationsSettings,
    "gateway": GatewaySettings,
}

type Variables = dict[str, bool]
"""Each variable's name, and whether it is required."""


def rows(page: str) -> Iterator[list[str]]:
    """Give the cells of every line of a page's tables."""
    for line in (ROOT / page).read_text().splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def variables(settings: type[BaseModel], prefix: str = "RENTREE_") -> Variables:
    """Give what a settings class reads from the environment, nested ones by their own names."""
    found: Variables = {}
    for name, field in settings.model_fields.items():
        variable, kind = f"{prefix}{name.upper()}", field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= variables(kind, f"{variable}__")
        else:
            found[variable] = field.is_required()
    return found


def test_operations_names_the_variables_that_each_process_reads() -> None:
    groups = {"all": PACKAGES, "services": SERVICES}
    told: dict[str, Variables] = {package: {} for package in PACKAGES}
    for cells in rows("docs/operations.md"):
        if cells[0].startswith("`RENTREE_"):
            for name in cells[1].split(", "):
                for package in groups.get(name, (name,)):
                    told[package][cells[0].strip("`")] = cells[2] == "required"
    assert told == {package: variables(settings) for package, settings in SETTINGS.items()}


def test_the_page_of_events_describes_every_contract() -> None:
    told = {
        cells[0].strip("`"): (cells[2], cells[3])
        for cells in rows("docs/events.md")
        if re.fullmatch(r"`\w+\.\w+\.v\d+`", cells[0])
    }
    assert told == {
        event.type: (
            ", ".join(
                f"**{name}**" if name == event.about else name for name in event.model_fields
            ),
            "yes" if event.personal else "no",
        )
        for event in EVENTS
    }


def test_the_readme_names_the_folders_that_there_are() -> None:
    told = {match[1] for cells in rows("README.md") if (match := re.match(r"\[(\w+)/\]", cells[0]))}
    assert told
    assert {name for name in told if not (ROOT / name).is_dir()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in links if ":" not in link and not (page.parent / link).exists()] == []
