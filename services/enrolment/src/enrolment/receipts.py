"""Receipt numbers: unique, readable aloud, and safe against a slip of the pen.

``MEU-2027-000123-K`` is the site's code, the school year's first year, a position in the
service's own sequence (gaps are of no consequence) and a check character.
"""

from datetime import datetime

from shared.contracts.enrolment import Campaign, Receipt
from shared.db import Transaction
from sqlalchemy import select

from enrolment.tables import receipt_position

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_character(text: str) -> str:
    """Compute the check character of letters and digits, by ISO/IEC 7064, MOD 37,36.

    The hybrid system of that standard for alphanumeric strings: whichever one character is
    misread, the check character no longer agrees.
    """
    base = len(_ALPHABET)
    product = base
    for character in text:
        total = (product + _ALPHABET.index(character)) % base or base
        product = 2 * total % (base + 1)
    return _ALPHABET[(1 - product) % base]


def receipt_number(site_code: str, school_year: str, position: int) -> str:
    """Write the receipt number of a position in the sequence."""
    parts = (site_code, school_year[:4], f"{position:06d}")
    return "-".join((*parts, check_character("".join(parts))))


async def new_receipt(
    tx: Transaction, campaign: Campaign, site_code: str, received_at: datetime
) -> Receipt:
    """Draw a receipt that nobody else has."""
    position = (await tx.execute(select(receipt_position.next_value()))).scalar_one()
    number = receipt_number(site_code, campaign.school_year, position)
    return Receipt(number=number, received_at=received_at)
