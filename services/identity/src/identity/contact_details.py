"""What a family declares beside what an import brings, field by field (S33, S81).

Details travel and are stored as text by field name; a field without a value is empty.
"""

from collections.abc import Mapping

from shared.contracts.people import GuardianDetails, StudentDetails

type Details = dict[str, str]

_ADDRESS = ("address", "postcode", "city")
_PHONES = ("home_phone", "mobile", "work_phone")


def as_recorded(details: GuardianDetails | StudentDetails) -> Details:
    """Give declared details the form in which they are kept; days are ISO."""
    return {
        name: "" if value is None else str(value)
        for name, value in details.model_dump(mode="json").items()
    }


def in_order(kind: type[GuardianDetails | StudentDetails], stored: Mapping[str, str]) -> Details:
    """Give every field of a contract, in its order, from what is stored."""
    return {name: stored.get(name, "") for name in kind.model_fields}


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Name the fields of ``after`` whose value is not the one before."""
    return tuple(name for name, value in after.items() if value != before.get(name, ""))


def merged(
    current: Mapping[str, str], imported: Mapping[str, str], arriving: Mapping[str, str]
) -> Details:
    """Take what an import brings, but for the fields that the family has changed.

    A field that still has the value last imported follows the import; any other keeps the
    family's.
    """
    return {
        name: value if _untouched(name, current, imported) else current.get(name, "")
        for name, value in arriving.items()
    }


def _untouched(name: str, current: Mapping[str, str], imported: Mapping[str, str]) -> bool:
    return current.get(name, "") == imported.get(name, "")


def with_contacts_of(guardian: Mapping[str, str], student: Details) -> Details:
    """Lend a student a guardian's address where it has none, and the phones where it has none."""
    lent = [fields for fields in (_ADDRESS, _PHONES) if not any(student[name] for name in fields)]
    return student | {name: guardian.get(name, "") for fields in lent for name in fields}
