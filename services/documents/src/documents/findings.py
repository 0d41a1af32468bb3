"""What opening a file shows: the bytes to keep of it, or why its family is asked for another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Either ``objection``, in French and saying what to do, or ``content``, the bytes to keep."""

    objection: str | None = None
    content: bytes | None = None


class Unfit(Exception):
    """A file is refused, for the reason given in French."""


def too_demanding(what: str) -> Unfit:
    """Refuse a file that is small to send and enormous to open."""
    return Unfit(
        f"{what} demande beaucoup trop de mémoire pour être ouvert. "
        "Numérisez ou photographiez de nouveau le papier, puis déposez ce nouveau fichier."
    )
