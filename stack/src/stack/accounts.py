"""The system user that runs what refuses to run as root, and the folders that it can reach."""

import hashlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

CANDIDATES = ("postgres", "nobody")
FALLBACK = Path("/var/lib/rentree")


@dataclass(frozen=True)
class Account:
    """A system user to become."""

    name: str
    uid: int
    gid: int

    @property
    def prefix(self) -> tuple[str, ...]:
        """The arguments of setpriv that make a program run as this user."""
        return (f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups")


def unprivileged_account(data: Path) -> Account | None:
    """Choose the user for these data: None (stay as we are) unless we are root.

    Data that exist keep their owner, whatever users were installed since.
    """
    if os.geteuid() != 0:
        return None
    if data.exists():
        owner = pwd.getpwuid(data.stat().st_uid)
        return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StackError(
        f"PostgreSQL cannot run as root, and no user {' or '.join(CANDIDATES)} exists."
    )


def home_for(account: Account | None, wanted: Path) -> Path:
    """Make a folder that the account owns and reaches: the wanted one where possible.

    A checkout often lies where another user cannot go (/root, a private temporary folder). The
    folder then lives under /var/lib/rentree, and the wanted path is a link to it.
    """
    if account is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    home = wanted.resolve()
    if not home.exists() and not _can_reach(account, home.parent):
        home = FALLBACK / hashlib.sha256(str(home).encode()).hexdigest()[:16]
        wanted.unlink(missing_ok=True)
        wanted.symlink_to(home, target_is_directory=True)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    os.chown(home, account.uid, account.gid)
    if not _can_reach(account, home):
        raise StackError(f"The user {account.name} cannot reach {home}: check its parent folders.")
    return home


def _can_reach(account: Account, folder: Path) -> bool:
    trial = subprocess.run(["setpriv", *account.prefix, "test", "-x", str(folder)], check=False)
    return trial.returncode == 0
