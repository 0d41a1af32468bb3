"""Identity, wired: what it answers, what comes round, and what its handlers need."""

from pathlib import Path

from shared.callers import TokenSigner
from shared.handlers import Resources
from shared.service import Chore, Service

from identity import commands, forgetting, imports, queries
from identity.passwords import Passwords
from identity.settings import IdentitySettings

service = Service(
    name="identity",
    migrations=Path(__file__).parents[2] / "migrations",
    public_asks=[
        queries.list_sites,
        commands.sign_in,
        commands.refresh_session,
    ],
    asks=[
        queries.my_family,
        commands.sign_out,
        commands.update_guardian,
        commands.update_student,
        imports.import_sites,
        imports.import_families,
        imports.import_guardians,
        imports.import_students,
    ],
    chores=[
        Chore(forgetting.forget_attempts, seconds=600),
        Chore(forgetting.forget_sessions, seconds=3600),
    ],
)


def resources(settings: IdentitySettings) -> Resources:
    """Make what the handlers ask for beside the database."""
    return {
        IdentitySettings: settings,
        TokenSigner: TokenSigner.from_file(settings.token_private_key_file),
        Passwords: Passwords(),
    }


def main() -> None:
    """Run one replica."""
    settings = IdentitySettings()
    service.run(settings, resources(settings))
