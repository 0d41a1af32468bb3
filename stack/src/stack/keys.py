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
    """Make the pair once; give its place ever after."""
    pair = KeyPair(folder / "token-private.pem", folder / "token-public.pem")
    if not pair.public.exists():  # written last: where it exists both do
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
