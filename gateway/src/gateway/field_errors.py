"""What is wrong with what a program sends, field by field, in the language of whoever reads it."""

from collections.abc import Mapping
from typing import Final

from litestar.exceptions import ValidationException
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.forms import MESSAGES, NOTHING_SAID, OTHERWISE_WRONG
from gateway.language import gettext as _
from gateway.language import marked

UNREADABLE: Final = marked("Le portail ne comprend pas cette demande.")
_BY_KIND: Final[Mapping[str, str]] = {**MESSAGES, "missing": NOTHING_SAID}
_BY_RULE: Final[Mapping[str, str]] = {
    "phone": MESSAGES["phone_unreadable"],
    "one_phone_at_least": marked(
        "Indiquez au moins un téléphone du responsable : domicile, mobile ou professionnel"
    ),
}
"""What a rule of the contracts asks for."""


def field_errors(error: ValidationException) -> list[dict[str, str]]:
    """Name each field, with what a person is told of it and the reason in a developer's words."""
    refused = _refusal_of_a_model(error)
    if refused is not None:
        return [
            _field_error(_name(each), _text(each), each["msg"], each.get("ctx", {}))
            for each in refused.errors(include_url=False, include_input=False)
        ]
    if isinstance(error.extra, list):
        return [
            _field_error(each.get("key", ""), OTHERWISE_WRONG, each["message"])
            for each in error.extra
        ]
    return [_field_error("", UNREADABLE, error.detail)]


def _refusal_of_a_model(error: ValidationException) -> ValidationError | None:
    """Find what a model refused behind the error of the HTTP layer, which kept its words alone."""
    cause = error.__cause__
    origin = cause.__cause__ if cause else None
    return origin if isinstance(origin, ValidationError) else None


def _field_error(
    name: str, text: str, reason: str, values: Mapping[str, object] | None = None
) -> dict[str, str]:
    message = _(text, **{**(values or {}), "title": name, "Title": name})
    return {"field": name, "message": message, "reason": reason}


def _name(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"])


def _text(error: ErrorDetails) -> str:
    if error["type"] != "value_error":
        return _BY_KIND.get(error["type"], OTHERWISE_WRONG) if error["loc"] else UNREADABLE
    context = error.get("ctx", {})
    # the rule of an e-mail is its library's, and has no name
    otherwise = MESSAGES["email_unreadable"] if "reason" in context else OTHERWISE_WRONG
    return _BY_RULE.get(str(context.get("error")), otherwise)
