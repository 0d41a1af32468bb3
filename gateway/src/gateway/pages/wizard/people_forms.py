"""The fields of a guardian and of a student as a family fills them in (S30, S31).

A field's description is its label; its title is how a message names it.
"""

from datetime import date
from typing import Final, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from shared.contracts.identity import Guardian, Student
from shared.contracts.people import Civility

from gateway import formats
from gateway.forms import Day, Email, Form, Phone, PostalCode
from gateway.language import gettext as _
from gateway.language import marked

_LENGTH: Final = 200


class GuardianForm(BaseModel):
    """What is asked of a guardian (S30)."""

    civility: Literal["Madame", "Monsieur"] = Field(
        title=marked("la civilité du responsable"), description=marked("Civilité")
    )
    last_name: str = Field(
        title=marked("le nom du responsable"), description=marked("Nom"), max_length=_LENGTH
    )
    first_name: str = Field(
        title=marked("le prénom du responsable"), description=marked("Prénom"), max_length=_LENGTH
    )
    birth_on: Day | None = Field(
        None,
        title=marked("la date de naissance du responsable"),
        description=marked("Date de naissance"),
    )
    birth_place: str = Field(
        "",
        title=marked("le lieu de naissance"),
        description=marked("Lieu de naissance"),
        max_length=_LENGTH,
    )
    birth_department: str = Field(
        "",
        title=marked("le département de naissance"),
        description=marked("Département de naissance"),
        max_length=_LENGTH,
    )
    marital_status: str = Field(
        "",
        title=marked("la situation familiale"),
        description=marked("Situation familiale"),
        max_length=_LENGTH,
    )
    socio_professional_code: str = Field(
        "",
        title=marked("le code socio-professionnel"),
        description=marked("Code socio-professionnel"),
        max_length=_LENGTH,
    )
    profession: str = Field(
        "", title=marked("la profession"), description=marked("Profession"), max_length=_LENGTH
    )
    address: str = Field(
        title=marked("l'adresse du responsable"), description=marked("Adresse"), max_length=_LENGTH
    )
    postcode: PostalCode = Field(
        title=marked("le code postal du responsable"), description=marked("Code postal")
    )
    city: str = Field(
        title=marked("la ville du responsable"), description=marked("Ville"), max_length=_LENGTH
    )
    home_phone: Phone = Field(
        "", title=marked("le téléphone du domicile"), description=marked("Tél domicile")
    )
    mobile: Phone = Field(
        "", title=marked("le mobile du responsable"), description=marked("Mobile")
    )
    work_phone: Phone = Field(
        "", title=marked("le téléphone professionnel"), description=marked("Tél pro")
    )
    email: Email = Field(title=marked("l'e-mail du responsable"), description=marked("E-mail"))
    extra_phone_1: Phone = Field(
        "",
        title=marked("le téléphone supplémentaire 1"),
        description=marked("Tél supplémentaire 1"),
    )
    extra_phone_2: Phone = Field(
        "",
        title=marked("le téléphone supplémentaire 2"),
        description=marked("Tél supplémentaire 2"),
    )
    extra_phone_3: Phone = Field(
        "",
        title=marked("le téléphone supplémentaire 3"),
        description=marked("Tél supplémentaire 3"),
    )

    @model_validator(mode="after")
    def _one_phone_at_least(self) -> Self:
        if not (self.home_phone or self.mobile or self.work_phone):
            raise PydanticCustomError(
                "value_error",
                "no telephone",
                {
                    "field": "home_phone",
                    "error": marked(
                        "Indiquez au moins un téléphone du responsable : domicile, mobile ou"
                        " professionnel"
                    ),
                },
            )
        return self


class StudentForm(BaseModel):
    """What is asked of a student (S14, S31)."""

    civility: Literal["Madame", "Monsieur"] = Field(
        title=marked("la civilité de l'élève"), description=marked("Civilité")
    )
    last_name: str = Field(
        title=marked("le nom de l'élève"), description=marked("Nom"), max_length=_LENGTH
    )
    first_name: str = Field(
        title=marked("le prénom de l'élève"), description=marked("Prénom"), max_length=_LENGTH
    )
    birth_on: Day = Field(
        title=marked("la date de naissance de l'élève"), description=marked("Date de naissance")
    )
    birth_place: str = Field(
        "",
        title=marked("le lieu de naissance"),
        description=marked("Lieu de naissance"),
        max_length=_LENGTH,
    )
    birth_department: str = Field(
        "",
        title=marked("le département de naissance"),
        description=marked("Département de naissance"),
        max_length=_LENGTH,
    )
    marital_status: str = Field(
        "",
        title=marked("la situation familiale"),
        description=marked("Situation familiale"),
        max_length=_LENGTH,
    )
    address: str = Field(
        title=marked("l'adresse de l'élève"), description=marked("Adresse"), max_length=_LENGTH
    )
    postcode: PostalCode = Field(
        title=marked("le code postal de l'élève"), description=marked("Code postal")
    )
    city: str = Field(
        title=marked("la ville de l'élève"), description=marked("Ville"), max_length=_LENGTH
    )
    home_phone: Phone = Field(
        "", title=marked("le téléphone du domicile"), description=marked("Tél domicile")
    )
    mobile: Phone = Field("", title=marked("le mobile de l'élève"), description=marked("Mobile"))
    work_phone: Phone = Field(
        "", title=marked("le téléphone professionnel"), description=marked("Tél pro")
    )
    email: Email = Field("", title=marked("l'e-mail de l'élève"), description=marked("E-mail"))
    emergency_contact: str = Field(
        "",
        title=marked("la personne à prévenir"),
        description=marked("Personne à prévenir"),
        max_length=_LENGTH,
    )
    emergency_phone: Phone = Field(
        "", title=marked("le téléphone d'urgence"), description=marked("Tél urgence")
    )
    school_level: str = Field(
        "",
        title=marked("le niveau scolaire"),
        description=marked("Niveau scolaire"),
        max_length=_LENGTH,
    )
    school: str = Field(
        "",
        title=marked("l'établissement scolaire"),
        description=marked("Établissement scolaire"),
        max_length=_LENGTH,
    )
    nationality: str = Field(
        "", title=marked("la nationalité"), description=marked("Nationalité"), max_length=_LENGTH
    )


type PersonForm = Form[GuardianForm | StudentForm]


def civilities() -> list[tuple[Civility, str]]:
    """Give the civilities to choose from, in the reader's language."""
    return [("Madame", _("Madame")), ("Monsieur", _("Monsieur"))]


def form_of(person: Guardian | Student) -> type[GuardianForm | StudentForm]:
    """Give the form that a person's details are filled in with."""
    return GuardianForm if isinstance(person, Guardian) else StudentForm


def label(person: Guardian | Student, name: str) -> str:
    """Name a detail in the reader's language."""
    return _(form_of(person).model_fields[name].description or "")


def read(name: str, text: str) -> str:
    """Write a detail as the reader's language does."""
    if name == "birth_on" and text:
        return formats.day(date.fromisoformat(text))
    if name == "civility":
        return _(text) if text else ""
    return formats.phone(text) if name == "mobile" or "phone" in name else text


def prefilled(name: str, text: str) -> str:
    """Write a detail as it is typed in a form, whose days are French in any language."""
    return f"{date.fromisoformat(text):%d/%m/%Y}" if name == "birth_on" and text else text
