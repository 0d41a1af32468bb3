"""GOV.UK's components as macros: the library's, and ours where a page has them by the dozen.

A field of the library's costs a quarter of a millisecond, for options that we never give. Ours, in
templates/toolkit/, write the same markup from the same parameters in a fifth of that; tests compare
the two.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, PrefixLoader

COMPONENTS: Final = (
    "button",
    "checkboxes",
    "error-summary",
    "file-upload",
    "input",
    "notification-banner",
    "panel",
    "password-input",
    "radios",
    "select",
    "service-navigation",
    "skip-link",
    "summary-list",
    "tag",
    "textarea",
    "warning-text",
)
"""The components of the design system that our templates may call, as `govukButton(...)`."""
_OWN: Final = ("fields.html", "lists.html")

type Macros = Mapping[str, Callable[..., str]]


def macros() -> Macros:
    """Give what templates call."""
    return {**library_macros(), **own_macros()}


@cache
def library_macros() -> Macros:
    """Load the library's macros from an environment of their own.

    They test options that were not given as undefined names, which our strict environment refuses.
    """
    library = Environment(
        loader=PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        autoescape=True,
        auto_reload=False,
    )
    found: dict[str, Callable[..., str]] = {}
    for component in COMPONENTS:
        template = library.get_template(f"govuk_frontend_jinja/components/{component}/macro.html")
        macro = "govuk" + "".join(word.capitalize() for word in component.split("-"))
        found[macro] = getattr(template.module, macro)
    return found


@cache
def own_macros() -> Macros:
    """Load the macros that stand in for some of the library's; they test options as those do."""
    own = Environment(
        loader=PackageLoader("gateway", "templates/toolkit"),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found: dict[str, Callable[..., str]] = {}
    for name in _OWN:
        exported = vars(own.get_template(name).module)
        found |= {macro: exported[macro] for macro in exported.keys() & library_macros().keys()}
    return found
