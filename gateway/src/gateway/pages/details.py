"""What is recorded of a guardian or a student, to read outside the wizard."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.contracts.identity import Guardian, Student

from gateway.pages.wizard.people_forms import form_of, label, read


@dataclass(frozen=True, slots=True)
class Detail:
    """One detail as a page shows it; ``changed`` by the family since the import (S33)."""

    label: str
    text: str
    changed: bool


def details_of(person: Guardian | Student, not_asked: Collection[str] = ()) -> list[Detail]:
    """Give the details of a person that the site asks for (S32), in the order of their form."""
    return [
        Detail(
            label=label(person, name),
            text=read(name, person.details.get(name, "")),
            changed=name in person.changed,
        )
        for name in form_of(person).model_fields
        if name not in not_asked
    ]
