"""The Ed25519 key pair that signs and verifies tokens: `python -m stack.keys FOLDER`."""

import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True)
class KeyPair:
    """Where the two halves lie."""

    private: Path
    public: Path


def key_pair(folder: Path) -> KeyPair:
    """Make the pair once; give its place ever after.

    Each half has a folder of its own, so that who verifies need not be shown what signs.
    """
    pair = KeyPair(folder / "private" / "token.pem", folder / "public" / "token.pem")
    pair.private.parent.mkdir(mode=0o700, exist_ok=True)
    pair.public.parent.mkdir(exist_ok=True)
    if not (pair.private.exists() and pair.public.exists()):
        key = Ed25519PrivateKey.generate()
        pair.private.touch(mode=0o600)
        pair.private.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        public = key.public_key()
        pair.public.write_bytes(
            public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    return pair


if __name__ == "__main__":
    key_pair(Path(sys.argv[1]))
