"""What a hostile file might have a worker process do."""

import os
import signal
import time

from documents.findings import Finding
from shared.contracts.files import ContentType


def die() -> None:
    """End the worker process that begins with this."""
    os.kill(os.getpid(), signal.SIGKILL)


def misbehave(content: bytes, _: ContentType) -> Finding:
    """Do what the file says, or tell which process read it."""
    if content == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == b"swell":
        return Finding(content=bytes(2 * 1024**3))
    if content == b"mistake":
        raise KeyError(content)
    while content == b"hang":
        time.sleep(0.01)
    return Finding(content=str(os.getpid()).encode())
