"""What families read: a subject, a text and its HTML twin, in plain French. Pure functions."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from notifications.matters import Matter, de, minute, second


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a mail."""

    subject: str
    text: str
    html: str


def write_letter(matter: Matter, portal_url: str) -> Letter:
    """Write to a family, by the two templates named after the kind of the matter."""
    subject = " ".join(matter.subject.split())
    words = {"matter": matter, "portal_url": portal_url.rstrip("/"), "subject": subject}
    return Letter(
        subject=subject,
        text=_templates.get_template(f"{matter.kind}.txt").render(words),
        html=_templates.get_template(f"{matter.kind}.html").render(words),
    )


_templates = Environment(
    loader=PackageLoader("notifications"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_templates.filters |= {"de": de, "to_the_second": second, "to_the_minute": minute}
