"""The fields of a guardian and of a student as a family fills them in (S30, S31).

A field's description is its label; its title is how a message names it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from shared.contracts.identity import Guardian, Student
from shared.contracts.people import Civility, GuardianDetails, StudentDetails

from gateway.forms import UNTRANSLATED, Day, Email, Form, Phone, PostalCode
from gateway.rendering import date_fr

CIVILITIES: Final[tuple[Civility, ...]] = ("Madame", "Monsieur")
_LENGTH: Final = 200


class GuardianForm(BaseModel):
    """What step 1 asks of a guardian (S30)."""

    civility: Literal["Madame", "Monsieur"] = Field(
        title="la civilité du responsable", description="Civilité"
    )
    last_name: str = Field(title="le nom du responsable", description="Nom", max_length=_LENGTH)
    first_name: str = Field(
        title="le prénom du responsable", description="Prénom", max_length=_LENGTH
    )
    birth_on: Day | None = Field(
        None, title="la date de naissance du responsable", description="Date de naissance"
    )
    birth_place: str = Field(
        "", title="le lieu de naissance", description="Lieu de naissance", max_length=_LENGTH
    )
    birth_department: str = Field(
        "",
        title="le département de naissance",
        description="Département de naissance",
        max_length=_LENGTH,
    )
    marital_status: str = Field(
        "", title="la situation familiale", description="Situation familiale", max_length=_LENGTH
    )
    socio_professional_code: str = Field(
        "",
        title="le code socio-professionnel",
        description="Code socio-professionnel",
        max_length=_LENGTH,
    )
    profession: str = Field("", title="la profession", description="Profession", max_length=_LENGTH)
    address: str = Field(
        title="l'adresse du responsable", description="Adresse", max_length=_LENGTH
    )
    postcode: PostalCode = Field(title="le code postal du responsable", description="Code postal")
    city: str = Field(title="la ville du responsable", description="Ville", max_length=_LENGTH)
    home_phone: Phone = Field("", title="le téléphone du domicile", description="Tél domicile")
    mobile: Phone = Field("", title="le mobile du responsable", description="Mobile")
    work_phone: Phone = Field("", title="le téléphone professionnel", description="Tél pro")
    email: Email = Field(title="l'e-mail du responsable", description="E-mail")
    extra_phone_1: Phone = Field(
        "", title="le téléphone supplémentaire 1", description="Tél supplémentaire 1"
    )
    extra_phone_2: Phone = Field(
        "", title="le téléphone supplémentaire 2", description="Tél supplémentaire 2"
    )
    extra_phone_3: Phone = Field(
        "", title="le téléphone supplémentaire 3", description="Tél supplémentaire 3"
    )

    @model_validator(mode="after")
    def _one_phone_at_least(self) -> Self:
        if not (self.home_phone or self.mobile or self.work_phone):
            raise PydanticCustomError(
                "value_error",
                "no telephone",
                {
                    "field": "home_phone",
                    "error": "Indiquez au moins un téléphone du responsable : domicile, mobile "
                    "ou professionnel",
                },
            )
        return self


class StudentForm(BaseModel):
    """What step 1 asks of a student (S31)."""

    civility: Literal["Madame", "Monsieur"] = Field(
        title="la civilité de l'élève", description="Civilité"
    )
    last_name: str = Field(title="le nom de l'élève", description="Nom", max_length=_LENGTH)
    first_name: str = Field(title="le prénom de l'élève", description="Prénom", max_length=_LENGTH)
    birth_on: Day = Field(title="la date de naissance de l'élève", description="Date de naissance")
    birth_place: str = Field(
        "", title="le lieu de naissance", description="Lieu de naissance", max_length=_LENGTH
    )
    birth_department: str = Field(
        "",
        title="le département de naissance",
        description="Département de naissance",
        max_length=_LENGTH,
    )
    marital_status: str = Field(
        "", title="la situation familiale", description="Situation familiale", max_length=_LENGTH
    )
    address: str = Field(title="l'adresse de l'élève", description="Adresse", max_length=_LENGTH)
    postcode: PostalCode = Field(title="le code postal de l'élève", description="Code postal")
    city: str = Field(title="la ville de l'élève", description="Ville", max_length=_LENGTH)
    home_phone: Phone = Field("", title="le téléphone du domicile", description="Tél domicile")
    mobile: Phone = Field("", title="le mobile de l'élève", description="Mobile")
    work_phone: Phone = Field("", title="le téléphone professionnel", description="Tél pro")
    email: Email = Field("", title="l'e-mail de l'élève", description="E-mail")
    emergency_contact: str = Field(
        "",
        title="la personne à prévenir",
        description="Personne à prévenir",
        max_length=_LENGTH,
    )
    emergency_phone: Phone = Field("", title="le téléphone d'urgence", description="Tél urgence")
    school_level: str = Field(
        "", title="le niveau scolaire", description="Niveau scolaire", max_length=_LENGTH
    )
    school: str = Field(
        "",
        title="l'établissement scolaire",
        description="Établissement scolaire",
        max_length=_LENGTH,
    )


@dataclass(frozen=True, slots=True)
class Entry[F: (GuardianForm, StudentForm)]:
    """One person's fields in the page, with those that differ from what the site had (S33)."""

    form: Form[F]
    changed: Collection[str]


def entry[F: (GuardianForm, StudentForm)](
    form: Form[F], person: Guardian | Student, recorded: Form[F]
) -> Entry[F]:
    """Mark what the family has changed: recorded so before, or typed just now."""
    just_now = {name for name in form.typed if form.text(name) != recorded.text(name)}
    return Entry(form, just_now.union(person.changed))


def prefilled[F: (GuardianForm, StudentForm)](
    model: type[F], details: Mapping[str, str], prefix: str
) -> Form[F]:
    """Write recorded details as a person would have typed them; some may be missing."""
    return Form(model, prefix, {name: (_as_typed(name, details),) for name in model.model_fields})


def labelled(
    model: type[GuardianForm | StudentForm], details: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Give details by their labels, in the form's order."""
    return [
        (field.description or "", _as_typed(name, details))
        for name, field in model.model_fields.items()
    ]


def declared[F: (GuardianForm, StudentForm), D: (GuardianDetails, StudentDetails)](
    form: Form[F], contract: type[D]
) -> tuple[Form[F], D | None]:
    """Turn a form into what identity is told, or refuse what its contract does not take."""
    if form.value is None:
        return form, None
    try:
        return form, contract.model_validate(form.value.model_dump())
    except ValidationError as refused:
        for error in refused.errors():
            name = str(error["loc"][0])
            title = form.model.model_fields[name].title or ""
            form = form.refuse(name, UNTRANSLATED.format(Title=title[:1].upper() + title[1:]))
        return form, None


def _as_typed(name: str, details: Mapping[str, str]) -> str:
    text = details.get(name, "")
    return date_fr(date.fromisoformat(text)) if name == "birth_on" and text else text
