"""Whose address and telephones may be filled in for a student at the press of a button."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.contracts.identity import Family, Guardian, Student

from gateway.language import marked
from gateway.pages.wizard.coordinates import ADDRESS, Coordinates
from gateway.pages.wizard.frame import Typed, full_name

BORROW: Final = "reprendre"
"""The name of the buttons; their value is the person whose address is taken."""
BORROWED: Final = marked(
    "L'adresse et les téléphones sont repris ci-dessous : vérifiez-les, puis continuez."
)


@dataclass(frozen=True, slots=True)
class Lender:
    """Someone of the family who has an address."""

    id: UUID
    name: str


def lenders(
    student: Coordinates, family: Family, in_page: Sequence[Coordinates] = ()
) -> list[Lender]:
    """Give those of the family who live elsewhere than what is shown of this student, and those
    whose own address is typed in the same page: it may be another by now. Of several who share
    one address, the first lends it.
    """
    typed_here = {each.person.id: each for each in in_page}
    relatives: list[Guardian | Student] = [*family.guardians, *family.students]
    own = _address(student)
    found: dict[tuple[str, ...], Lender] = {}
    for each in relatives:
        address = _address(typed_here.get(each.id) or Coordinates.recorded(each))
        if each.id != student.person.id and (each.id in typed_here or _differs(address, own)):
            found.setdefault(address, Lender(each.id, full_name(each.details)))
    return list(found.values())


def _address(shown: Coordinates) -> tuple[str, ...]:
    return tuple(shown.form.text(name) for name in ADDRESS)


def _differs(address: tuple[str, ...], own: tuple[str, ...]) -> bool:
    """Tell whether there is anything to lend that is not there already."""
    return bool(address[0]) and any(
        lent and lent != text for lent, text in zip(address, own, strict=True)
    )


def borrowed(
    student: Coordinates, family: Family, guardians: Sequence[Coordinates], posted: Typed
) -> Coordinates:
    """Fill in the address of the person whose button was pressed: as it was just typed where it is
    in the same page, else as it is recorded. A stranger has no address here.
    """
    chosen = dict(posted).get(BORROW, "")
    for each in guardians:
        if str(each.person.id) == chosen:
            return student.borrowing({name: each.form.text(name) for name in ADDRESS})
    relatives: list[Guardian | Student] = [*family.guardians, *family.students]
    for relative in relatives:
        if str(relative.id) == chosen:
            return student.borrowing(relative.details)
    return student
