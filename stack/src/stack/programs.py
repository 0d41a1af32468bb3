"""Where the system's packages put their servers."""

import os
import shutil

from stack.errors import StackError

SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"  # not on every user's PATH


def installed(program: str, package: str) -> str:
    """Find a program of one of the system's packages, or say which package to install."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS))
    found = shutil.which(program, path=path)
    if not found:
        raise StackError(f"{program} is not installed: run `apt-get install {package}`.")
    return found
