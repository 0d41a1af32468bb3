"""A form as a person typed it: read into a model, or shown again with what to mend.

Nothing typed is ever lost: a refused form keeps the raw text of every field, so that the page
shows it again untouched beside its errors. `Form.read` turns a posted form into a model, `Form.of`
turns a model into a form to prefill a page with.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Self, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from gateway.language import gettext as _
from gateway.language import marked

WHOLE_FORM: Final = ""
"""The place of an error that belongs to no field."""

MESSAGES: Final[Mapping[str, str]] = {
    "string_too_short": marked("%(Title)s : au moins %(min_length)s caractères sont nécessaires"),
    "string_too_long": marked("%(Title)s : %(max_length)s caractères au plus"),
    "int_parsing": marked("%(Title)s : écrivez un nombre entier"),
    "greater_than_equal": marked("%(Title)s : écrivez un nombre à partir de %(ge)s"),
    "less_than_equal": marked("%(Title)s : écrivez un nombre jusqu'à %(le)s"),
    "literal_error": marked("%(Title)s : choisissez l'une des réponses proposées"),
    "enum": marked("%(Title)s : choisissez l'une des réponses proposées"),
    "uuid_parsing": marked("%(Title)s : choisissez l'une des réponses proposées"),
    "choice_unknown": marked("%(Title)s : choisissez l'une des réponses proposées"),
    "day_unreadable": marked("%(Title)s : écrivez une date qui existe, comme 22/12/2014"),
    "email_unreadable": marked("%(Title)s : écrivez une adresse complète, comme nom@exemple.fr"),
    "phone_unreadable": marked("%(Title)s : écrivez un numéro complet, comme 06 12 34 56 78"),
    "postal_code_unreadable": marked(
        "%(Title)s : écrivez les cinq chiffres du code postal, comme 92190"
    ),
}
"""What to tell a person for each kind of refusal.

`title` is the field's, which is a marked text: "votre nom"; `Title` begins a sentence.
"""

NOTHING_CHOSEN: Final = marked("Choisissez %(title)s")
NOTHING_SAID: Final = marked("Indiquez %(title)s")
_THIS_ANSWER: Final = marked("cette réponse")
OTHERWISE_WRONG: Final = marked("%(Title)s : vérifiez votre réponse")


@dataclass(frozen=True, slots=True)
class Form[M: BaseModel]:
    """What was typed, what is wrong with it and, when nothing is, the model it stands for.

    A page that shows two people's coordinates has two forms, told apart by their `prefix`.
    """

    model: type[M]
    prefix: str = ""
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    value: M | None = None

    @classmethod
    def read(cls, model: type[M], posted: Iterable[tuple[str, str]], prefix: str = "") -> Self:
        """Read the pairs of a posted form; fields that the model does not know are ignored."""
        form = cls(model, prefix)
        pairs = list(posted)
        typed = {
            known: tuple(text for name, text in pairs if name == form.name(known))
            for known in model.model_fields
        }
        form = replace(form, typed=typed)
        try:
            return replace(form, value=model.model_validate(_answers(model, typed)))
        except ValidationError as refused:
            return replace(form, errors=_translate(model, refused))

    @classmethod
    def of(cls, value: M, prefix: str = "") -> Self:
        """Write a model as a person would have typed it."""
        typed = {name: _as_typed(getattr(value, name)) for name in type(value).model_fields}
        return cls(type(value), prefix, typed, value=value)

    def refuse(self, field_name: str, message: str) -> Self:
        """Return the form refused for a reason that only a service could know."""
        if field_name != WHOLE_FORM:
            self.name(field_name)
        return replace(self, errors={**self.errors, field_name: message}, value=None)

    def name(self, field_name: str) -> str:
        """Return the field's name and id in the page."""
        if field_name not in self.model.model_fields:
            raise KeyError(f"{self.model.__name__} has no field {field_name!r}")
        return f"{self.prefix}-{field_name}" if self.prefix else field_name

    def texts(self, field_name: str) -> tuple[str, ...]:
        """Return every answer typed or ticked for a field."""
        self.name(field_name)
        return self.typed.get(field_name, ())

    def text(self, field_name: str) -> str:
        """Return what was typed in a field, an empty string if nothing was."""
        return next(reversed(self.texts(field_name)), "")

    def error(self, field_name: str) -> str:
        """Return what is wrong with a field, an empty string if nothing is."""
        self.name(field_name)
        return self.errors.get(field_name, "")

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """The errors, the whole form's (its id is "") first, then each with the id of its field."""
        return tuple(
            (self.name(place) if place else WHOLE_FORM, self.errors[place])
            for place in (WHOLE_FORM, *self.model.model_fields)
            if place in self.errors
        )


def plain_lines(text: str) -> str:
    """End the lines of a text as scripts do: a form that a browser sends has others."""
    return text.replace("\r\n", "\n")


def _answers(
    model: type[BaseModel], typed: Mapping[str, tuple[str, ...]]
) -> dict[str, str | list[str]]:
    """Keep what was answered: a browser posts an empty text for a field left alone."""
    answers: dict[str, str | list[str]] = {}
    for name, texts in typed.items():
        given = [text.strip() for text in texts if text.strip()]
        if not given:
            continue
        answers[name] = given if _takes_several(model.model_fields[name]) else given[-1]
    return answers


def _translate(model: type[BaseModel], refused: ValidationError) -> dict[str, str]:
    errors: dict[str, str] = {}
    for error in refused.errors(include_url=False, include_input=False):
        errors.setdefault(_place(model, error), _message(model, error))
    return errors


def _place(model: type[BaseModel], error: ErrorDetails) -> str:
    """Find the field an error belongs to; a rule across fields names one as `field`."""
    place = error["loc"][0] if error["loc"] else error.get("ctx", {}).get("field")
    return place if isinstance(place, str) and place in model.model_fields else WHOLE_FORM


def _message(model: type[BaseModel], error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return _(str(context["error"]))
    info = model.model_fields.get(_place(model, error))
    title = _((info and info.title) or _THIS_ANSWER)
    if error["type"] == "missing":
        is_choice = info is not None and _is_choice(info.annotation)
        return _(NOTHING_CHOSEN if is_choice else NOTHING_SAID, title=title)
    text = MESSAGES.get(error["type"], OTHERWISE_WRONG)
    return _(text, **{**context, "title": title, "Title": title[:1].upper() + title[1:]})


def _alternatives(annotation: object) -> tuple[object, ...]:
    """Return the types behind an optional or annotated one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return tuple(
            alternative
            for part in get_args(annotation)
            if part is not NoneType
            for alternative in _alternatives(part)
        )
    return (annotation,)


def _is_choice(annotation: object) -> bool:
    return all(
        get_origin(part) is Literal
        or (isinstance(part, type) and issubclass(part, bool | Enum | UUID))
        for part in _alternatives(annotation)
    )


def _takes_several(info: FieldInfo) -> bool:
    several = {list, tuple, set, frozenset}
    return any((get_origin(part) or part) in several for part in _alternatives(info.annotation))


def _as_typed(value: object) -> tuple[str, ...]:
    match value:
        case None:
            return ()
        case bool():
            return ("oui" if value else "non",)
        case date():
            return (f"{value:%d/%m/%Y}",)
        case Enum():
            return (str(value.value),)
        case list() | tuple() | set() | frozenset():
            return tuple(text for item in value for text in _as_typed(item))
        case _:
            return (str(value),)


_DAY: Final = re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4})")
_ISO_DAY: Final = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})")
_EMAIL: Final = re.compile(r"[^\s@<>()\",;:]+@[^\s@.<>()\",;:]+(\.[^\s@.<>()\",;:]+)+")
_FRENCH_PHONE: Final = re.compile(r"(?:\+33|0033|0)([1-9])(\d{2})(\d{2})(\d{2})(\d{2})")
_FOREIGN_PHONE: Final = re.compile(r"(?:\+|00)[1-9]\d{6,13}")
_POSTAL_CODE: Final = re.compile(r"\d{5}")


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    written = _DAY.fullmatch(value) or _ISO_DAY.fullmatch(value)
    if written is None:
        raise PydanticCustomError("day_unreadable", "not a day")
    try:
        return date(int(written["year"]), int(written["month"]), int(written["day"]))
    except ValueError as error:
        raise PydanticCustomError("day_unreadable", "no such day") from error


def _email(value: object) -> object:
    if isinstance(value, str) and not _EMAIL.fullmatch(value):
        raise PydanticCustomError("email_unreadable", "not an e-mail address")
    return value


def _phone(value: object) -> object:
    if not isinstance(value, str):
        return value
    digits = re.sub(r"[\s.\-/()]", "", value)
    if french := _FRENCH_PHONE.fullmatch(digits):
        return "0" + " ".join(french.groups())
    if _FOREIGN_PHONE.fullmatch(digits):
        return digits
    raise PydanticCustomError("phone_unreadable", "not a telephone number")


def _postal_code(value: object) -> object:
    if not isinstance(value, str):
        return value
    digits = re.sub(r"\s", "", value)
    if not _POSTAL_CODE.fullmatch(digits):
        raise PydanticCustomError("postal_code_unreadable", "not a postal code")
    return digits


def _yes_or_no(value: object) -> object:
    if isinstance(value, str):
        if value not in {"oui", "non"}:
            raise PydanticCustomError("choice_unknown", "neither yes nor no")
        return value == "oui"
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A day written JJ/MM/AAAA, or as a browser fills it in by itself (AAAA-MM-JJ)."""

Email = Annotated[str, BeforeValidator(_email)]
"""An e-mail address; only a mail that arrives proves more than this check."""

Phone = Annotated[str, BeforeValidator(_phone)]
"""A telephone number, kept as "06 12 34 56 78", or in full international form."""

PostalCode = Annotated[str, BeforeValidator(_postal_code)]
"""A French postal code."""

YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
"""A pair of buttons Oui/Non, or one box that sends "oui" when ticked."""
