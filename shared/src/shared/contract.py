"""The shapes of what travels: commands and queries with their typed answer, events, refusals."""

import re
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def _snake_case(name: str) -> str:
    return _WORD_START.sub("_", name).lower()


def _owner(module: str) -> str:
    """The service that publishes a contract: the last name of the module it lives in."""
    return module.rpartition(".")[2]


class Contract(BaseModel):
    """A frozen value that crosses a process boundary.

    Fields are only ever added: an unknown one is ignored, so that old readers accept new writers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Ask[Answer](Contract):
    """What the gateway asks of one service; ``Answer`` is the type that comes back.

    ``owner`` is the service that answers and ``name`` its name on the wire,
    ``<owner>.<handler function>``: ``HoldSeats`` in ``contracts/courses.py`` is
    ``courses.hold_seats``. A question with an unknown field is refused: what it asks for would
    otherwise silently not be done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: ClassVar[str]
    name: ClassVar[str]
    answer: ClassVar[TypeAdapter[Any]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        """Name the contract and remember the shape of its answer."""
        super().__pydantic_init_subclass__(**kwargs)
        if (
            cls.__pydantic_generic_metadata__["origin"]
            or cls.__pydantic_generic_metadata__["parameters"]
        ):
            return
        cls.owner = _owner(cls.__module__)
        cls.name = f"{cls.owner}.{_snake_case(cls.__name__)}"
        (answer,) = next(
            args
            for base in cls.__mro__
            if issubclass(base, BaseModel) and (args := base.__pydantic_generic_metadata__["args"])
        )
        cls.answer = TypeAdapter(answer)


class Command[Answer](Ask[Answer]):
    """Asks for a change. Its identifiers are minted by the caller: repeating it is harmless."""


class Query[Answer](Ask[Answer]):
    """Asks for a view. It changes nothing."""


class Event(Contract):
    """A fact, in the past tense, told by the service that owns it to whoever listens.

    ``type`` is its CloudEvents type and its routing key, ``<owner>.<snake_case>.v<version>``.
    ``about`` names the field that becomes the CloudEvents subject. ``personal`` marks an event
    that carries more than identifiers: it never leaves the territory's own services (S90).
    """

    owner: ClassVar[str]
    type: ClassVar[str]
    about: ClassVar[str]
    personal: ClassVar[bool]

    def __init_subclass__(cls, **kwargs: object) -> None:
        # pydantic passes the class arguments here too; they are read below, once fields are known
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls, *, about: str = "", version: int = 1, personal: bool = False, **kwargs: object
    ) -> None:
        """Name the event; raises TypeError where ``about`` is not one of its fields."""
        super().__pydantic_init_subclass__(**kwargs)
        if about and about not in cls.model_fields:
            message = f"{cls.__name__} has no field {about!r}"
            raise TypeError(message)
        cls.owner = _owner(cls.__module__)
        cls.type = f"{cls.owner}.{_snake_case(cls.__name__)}.v{version}"
        cls.about = about
        cls.personal = personal

    @property
    def subject(self) -> str:
        """The identifier of what the event is about, or nothing for a batch."""
        return str(getattr(self, self.about)) if self.about else ""


class AnyEvent(Event):
    """An event of any type that is not personal: what a reaction to all of them takes.

    It has whatever fields were told; its type and subject are those of its ``Occurrence``.
    """

    model_config = ConfigDict(frozen=True, extra="allow")


class Problem(Contract):
    """A refusal on the wire: problem details (RFC 9457) with the code of the business fact."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any] = {}
    correlation_id: str = ""


def marked(text: str) -> str:
    """Mark a French text that is kept here and said, maybe in another language, elsewhere."""
    return text


class Rejection(Exception):
    """A refusal that is an answer.

    ``code`` states the business fact (``course_full``), ``status`` is the HTTP status of its
    problem details and ``facts`` what a page or a program needs to go on (which course, which
    line).
    ``detail`` says it in French to the person: the values in it are facts, as in ``%(label)s``, so
    that whoever shows it can say it in another language. An instant travels in ISO 8601, and is
    written when it is shown.
    """

    def __init__(self, code: str, detail: str, *, status: int = 409, **facts: object) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.status = status
        self.facts = facts

    @classmethod
    def not_found(cls) -> Self:
        """What does not exist and what is not yours get this one same answer (S97)."""
        text = marked("Cette page ou cet élément n'existe pas.")
        return cls("not_found", text, status=404)

    def problem(self, correlation_id: str = "") -> Problem:
        """Give the refusal its form on the wire."""
        return Problem(
            type=f"urn:rentree:problem:{self.code}",
            title=self.code.replace("_", " "),
            status=self.status,
            detail=self.detail,
            code=self.code,
            facts=dict(self.facts),
            correlation_id=correlation_id,
        )

    @classmethod
    def from_problem(cls, problem: Problem) -> Self:
        """Read a refusal back from the wire."""
        return cls(problem.code, problem.detail, status=problem.status, **problem.facts)


class CsvLine(Contract):
    """One line of an imported file: its number in the file (the header is 1) and its cells."""

    number: int
    cells: dict[str, str]


class LineError(Contract):
    """Why a line of an imported file was refused."""

    line: int
    column: str
    message: str


class ImportReport(Contract):
    """What an accepted import did: lines read, and those that changed something."""

    read: int
    changed: int


class ImportFile(Command[ImportReport]):
    """One whole CSV file, kept whole or not at all (S81).

    Refused with ``import_refused`` and ``facts["errors"]``, a list of :class:`LineError`.
    Loading the same file twice changes nothing.
    """

    lines: tuple[CsvLine, ...]
