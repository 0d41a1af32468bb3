"""The code printed on a receipt: who has the paper can have it confirmed, who forges it cannot.

It is a keyed hash of what was filed (RFC 2104), cut to 80 bits, in letters that are easy to read
out. Whoever tried a billion codes a second would need millions of years to find one.
"""

import hmac
import json
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from pydantic import TypeAdapter
from shared.contracts.notifications import ReceiptKind

_CODE_BYTES = 10
_GROUP = 4
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})
"""Signs that are in no code, and the letters that they look like."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What a code answers for: nothing of it changes once it was received."""

    kind: ReceiptKind
    receipt_number: str
    received_at: datetime
    asked_courses: tuple[str, ...]
    left_courses: tuple[str, ...]


_FILED: TypeAdapter[Filed] = TypeAdapter(Filed)
_NOTHING = Filed("submission_receipt", "", datetime(1970, 1, 1, tzinfo=UTC), (), ())


def read_filed(kind: ReceiptKind, content: Mapping[str, object]) -> Filed:
    """Read what was filed in the content of a receipt's message."""
    return _FILED.validate_python({"kind": kind, **content})


@dataclass(frozen=True, slots=True)
class Seal:
    """Makes and checks codes; its secret never leaves the service."""

    secret: str = field(repr=False)

    def code(self, filed: Filed) -> str:
        """Give the code of a receipt, in groups: ``ABCD-EFGH-IJKL-MNOP``."""
        letters = self._letters(filed)
        groups = range(0, len(letters), _GROUP)
        return "-".join(letters[start : start + _GROUP] for start in groups)

    def confirms(self, typed: str, filed: Filed | None) -> bool:
        """Tell whether what somebody typed is the code of a receipt.

        Where there is no such receipt the same work is done, for the same time.
        """
        letters = "".join(filter(str.isalnum, typed.upper())).translate(_MISREAD)
        expected = self._letters(filed or _NOTHING)
        return hmac.compare_digest(letters.encode(), expected.encode()) and filed is not None

    def _letters(self, filed: Filed) -> str:
        said = [
            filed.kind,
            filed.receipt_number,
            filed.received_at.astimezone(UTC).isoformat(timespec="microseconds"),
            filed.asked_courses,
            filed.left_courses,
        ]
        canonical = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
        digest = hmac.digest(self.secret.encode(), canonical.encode(), sha256)
        return b32encode(digest[:_CODE_BYTES]).decode()
