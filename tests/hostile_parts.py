"""What makes a file hostile, the words of its refusal, and what such files are made with."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property


@dataclass(frozen=True)
class Hostile:
    """A file, the name it comes under, and a word of the reason that its family is given."""

    what: str
    filename: str
    make: Callable[[], bytes]
    word: str

    @cached_property
    def content(self) -> bytes:
        return self.make()


OTHER_THAN_ITS_NAME = "n'est pas"
BROKEN = "abîmé"
TOO_DEMANDING = "mémoire"
HIDING = "en cache un autre"
ACTIVE = "contient un programme"
ENCLOSING = "fichier joint"
ENCRYPTED = "protégé"
INFECTED = "antivirus"


def zipped(name: str = "papier.txt", content: bytes = b"rien") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return written.getvalue()


def nested_archive(depth: int = 6) -> bytes:
    content = b"0" * 1_000_000
    for level in range(depth):
        content = zipped(f"{level}.zip", content)
    return content


def tarred() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("papier"))
    return written.getvalue()


EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + b"\0" * 46 + b"\x80\0\0\0" + b"\0" * 64 + b"PE\0\0L\1"
ELF = b"\x7fELF\2\1\1" + b"\0" * 200
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
SHELL = b"#!/bin/sh\nrm -rf ~\n"
PHP = b"<?php system($_GET['c']); ?>"
GIF = b"GIF89a\1\0\1\0\0\0\0;"
"""Each begins as what it is."""


@cache
def zeros(size: int) -> bytes:
    """So many zeros, compressed, without ever holding them all."""
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(size // len(block))) + packer.flush()
