"""A family's people, as they are declared: the fields of every form, file and message."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, EmailStr, StringConstraints, model_validator

from shared.contract import Contract

type Civility = Literal["Madame", "Monsieur"]


def _plausible_phone(value: str) -> str:
    digits = [character for character in value if character.isdigit()]
    if value and not 9 <= len(digits) <= 15:
        message = "phone"
        raise ValueError(message)
    return value


type Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
type RequiredText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
type Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=30, pattern=r"^[0-9+ ().-]*$"),
    AfterValidator(_plausible_phone),
]
type Postcode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{5}$")]


class GuardianDetails(Contract):
    """What a guardian declares (S30). At least one of the three phones is given."""

    civility: Civility
    last_name: RequiredText
    first_name: RequiredText
    birth_on: date | None = None
    birth_place: Text = ""
    birth_department: Text = ""
    marital_status: Text = ""
    socio_professional_code: Text = ""
    profession: Text = ""
    address: RequiredText
    postcode: Postcode
    city: RequiredText
    home_phone: Phone = ""
    mobile: Phone = ""
    work_phone: Phone = ""
    email: EmailStr
    extra_phone_1: Phone = ""
    extra_phone_2: Phone = ""
    extra_phone_3: Phone = ""

    @model_validator(mode="after")
    def _one_phone_at_least(self) -> "GuardianDetails":
        if not (self.home_phone or self.mobile or self.work_phone):
            message = "one_phone_at_least"
            raise ValueError(message)
        return self


class StudentDetails(Contract):
    """What is declared of a student (S14, S31)."""

    civility: Civility
    last_name: RequiredText
    first_name: RequiredText
    birth_on: date
    birth_place: Text = ""
    birth_department: Text = ""
    marital_status: Text = ""
    address: RequiredText
    postcode: Postcode
    city: RequiredText
    home_phone: Phone = ""
    mobile: Phone = ""
    work_phone: Phone = ""
    email: EmailStr | Literal[""] = ""
    emergency_contact: Text = ""
    emergency_phone: Phone = ""
    school_level: Text = ""
    school: Text = ""
    nationality: Text = ""


_ONE_AT_LEAST = {"home_phone", "mobile", "work_phone"}

OPTIONAL_DETAILS: Final = frozenset(
    name
    for fields in (GuardianDetails.model_fields, StudentDetails.model_fields)
    for name in fields
    if name not in _ONE_AT_LEAST
    and not any(
        details.model_fields[name].is_required()
        for details in (GuardianDetails, StudentDetails)
        if name in details.model_fields
    )
)
"""The details that nobody needs to give: those that a site may choose not to ask for (S32)."""
