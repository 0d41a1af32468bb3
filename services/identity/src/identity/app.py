"""Identity, wired: what it answers, what comes round, and what its handlers need."""

from pathlib import Path

from shared.callers import TokenSigner
from shared.handlers import Resources
from shared.service import Chore, Service

from identity import (
    accounts,
    attempts,
    credentials,
    declarations,
    devices,
    email_changes,
    forgetting,
    imports,
    queries,
    signing_in,
)
from identity.passwords import Passwords
from identity.settings import IdentitySettings

service = Service(
    name="identity",
    migrations=Path(__file__).parents[2] / "migrations",
    public_asks=[
        queries.list_sites,
        signing_in.sign_in,
        signing_in.refresh_session,
        credentials.request_password_reset,
        credentials.read_reset_link,
        credentials.reset_password,
        email_changes.read_email_link,
        email_changes.confirm_email_change,
        devices.recently_ended_sessions,
    ],
    asks=[
        queries.my_family,
        accounts.my_account,
        signing_in.sign_out,
        devices.list_sessions,
        devices.end_session,
        devices.end_other_sessions,
        credentials.change_password,
        email_changes.request_email_change,
        declarations.update_guardian,
        declarations.update_student,
        imports.import_sites,
        imports.import_families,
        imports.import_guardians,
        imports.import_students,
    ],
    chores=[
        Chore(credentials.mail_reset_links, seconds=1),
        Chore(attempts.tell_locks, seconds=10),
        Chore(forgetting.forget_attempts, seconds=600),
        Chore(forgetting.forget_links, seconds=600),
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
