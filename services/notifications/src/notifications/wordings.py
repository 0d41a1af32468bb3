"""How a message opens: a site's own words, or the territory's. Pure functions.

The words of a site stand in a mail between its greeting and its facts, which nobody rewrites. They
are text, with variables between double braces; anything else that a template could do is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import PackageLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment
from shared.contract import Rejection, marked
from shared.contracts.letters import Language, WordedKind
from shared.contracts.notifications import MessageKind
from shared.observability import get_logger

from notifications.dates import Dated
from notifications.matters import DocumentRefused, Matter, Offered, Received, Reminded

log = get_logger()

_OF_ANY: Final = ("annee_scolaire", "conservatoire")
VARIABLES: Final[Mapping[WordedKind, tuple[str, ...]]] = {
    "submission_receipt": (*_OF_ANY, "eleve", "numero", "date_reception", "date_limite_pieces"),
    "decline_receipt": (*_OF_ANY, "eleve", "numero", "date_reception", "date_limite"),
    "waiting_list_offer": (*_OF_ANY, "eleve", "cours", "date_limite"),
    "document_refused": (*_OF_ANY, "piece", "motif", "date_limite"),
    "draft_reminder": (*_OF_ANY, "eleves", "date_limite"),
    "documents_reminder": (*_OF_ANY, "eleves", "date_limite"),
    "answer_reminder": (*_OF_ANY, "eleves", "date_limite"),
}
"""What the words of each kind may name: every one has a value in every message of that kind."""

_UNREADABLE: Final = marked(
    "Ligne %(line)s : les accolades ne se lisent pas. Vous pouvez écrire %(known)s."
)
_NOT_A_VARIABLE: Final = marked(
    "Ligne %(line)s : seules des variables seules peuvent être entre accolades."
    " Vous pouvez écrire %(known)s."
)
_NO_SUCH_VARIABLE: Final = marked(
    "Ligne %(line)s : la variable « %(variable)s » n'existe pas. Vous pouvez écrire %(known)s."
)

_MAY_STAND = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)
_SANDBOX = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_LOADER = PackageLoader("notifications")


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why words cannot be used: at which line, and which variable does not exist, if it is one."""

    line: int
    text: str
    variable: str = ""


def fault(kind: WordedKind, text: str) -> Unfit | None:
    """Find the first thing in a site's words that could not be written into a message."""
    try:
        parsed = _SANDBOX.parse(text)
    except TemplateSyntaxError as error:
        return Unfit(error.lineno, _UNREADABLE)
    for node in parsed.find_all(nodes.Node):
        if not isinstance(node, _MAY_STAND):
            return Unfit(node.lineno, _NOT_A_VARIABLE)
        if isinstance(node, nodes.Name) and node.name not in VARIABLES[kind]:
            return Unfit(node.lineno, _NO_SUCH_VARIABLE, node.name)
    return None


def check(kind: WordedKind, text: str) -> None:
    """Refuse words that could not be written into a message, naming the line."""
    found = fault(kind, text)
    if found is None:
        return
    facts = {"variable": found.variable} if found.variable else {}
    known = ", ".join(f"{{{{ {name} }}}}" for name in VARIABLES[kind])
    raise Rejection(
        "wording_refused", found.text, status=422, line=found.line, known=known, **facts
    )


@cache
def default_text(kind: MessageKind, language: Language) -> str:
    """Give the territory's words of a kind; none where its facts stand alone."""
    try:
        source, _, _ = _LOADER.get_source(_SANDBOX, f"{language}/openings/{kind}.txt")
    except TemplateNotFound:
        return ""
    return source.strip()


def opening(
    matter: Matter, language: Language, dated: Dated, own: Mapping[str, str]
) -> tuple[str, ...]:
    """Give the paragraphs that a message opens with, each as lines of text.

    Words of a site that no longer fit, as after a variable was renamed, give way to the
    territory's: the message leaves.
    """
    if matter.kind not in VARIABLES:
        return ()
    text = own.get(matter.kind)
    values = _values(matter, dated)
    if text is not None:
        try:
            return _paragraphs(text, values)
        except TemplateError as error:
            log.warning("wording set aside", kind=matter.kind, error=repr(error))
    return _paragraphs(default_text(matter.kind, language), values)


def _paragraphs(text: str, values: Mapping[str, str]) -> tuple[str, ...]:
    # one at a time: what a variable holds never makes a paragraph of its own
    blocks = (block.strip() for block in text.replace("\r\n", "\n").split("\n\n"))
    return tuple(_SANDBOX.from_string(block).render(values) for block in blocks if block)


def _values(matter: Matter, dated: Dated) -> dict[str, str]:
    values = {"annee_scolaire": "", "conservatoire": matter.site.name}
    match matter:
        case Received():
            values |= {
                "eleve": matter.student,
                "numero": matter.receipt_number,
                "date_reception": dated(matter.received_at),
                "date_limite": dated(matter.closes_at),
                "date_limite_pieces": dated(matter.documents_due_at),
            }
        case Offered():
            values |= {
                "eleve": matter.student,
                "cours": matter.course,
                "date_limite": dated(matter.until),
            }
        case DocumentRefused():
            values |= {
                "piece": matter.name,
                "motif": matter.reason,
                "date_limite": dated(matter.documents_due_at),
            }
        case Reminded():
            values |= {
                "eleves": ", ".join(matter.students),
                "date_limite": dated(matter.deadline),
            }
        case _:
            return values
    values["annee_scolaire"] = matter.school_year
    return {name: " ".join(value.split()) for name, value in values.items()}
