"""What is recorded of a guardian or a student, to read outside the wizard."""

from dataclasses import dataclass

from shared.contracts.identity import Guardian, Student

from gateway.pages.wizard.people_forms import GuardianForm, StudentForm, labelled


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail as a page shows it; ``changed`` by the family since the import (S33)."""

    label: str
    text: str
    changed: bool


def details_of(person: Guardian | Student) -> list[Detail]:
    """Give every detail of a person, in the order of the form that changes them."""
    model = GuardianForm if isinstance(person, Guardian) else StudentForm
    labels = labelled(model, person.details)
    return [
        Detail(label, text, name in person.changed)
        for name, (label, text) in zip(model.model_fields, labels, strict=True)
    ]
