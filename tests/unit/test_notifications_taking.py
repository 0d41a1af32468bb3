"""A message taken to be sent: what is said of one that cannot be written."""

from collections.abc import Mapping
from datetime import UTC, datetime

from notifications.matters import ContactBlock
from notifications.taking import Due
from shared.contracts.notifications import MessageKind
from shared.identifiers import new_id

NOW = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def due(kind: MessageKind, **told: object) -> Due:
    """Take a message of which this is known, beside its site."""
    known: Mapping[str, object] = {
        "kind": kind,
        "site": ContactBlock("Conservatoire d'Essai", "", "", "", "", ""),
        **told,
    }
    return Due(
        id=new_id(),
        kind=kind,
        application_id=None,
        place_id=None,
        family_id=new_id(),
        site_id=new_id(),
        correlation_id="",
        created_at=NOW,
        due_at=NOW,
        failed_attempts=0,
        pointless_at=None,
        is_paced=False,
        recipients=(),
        done_with=(),
        refused="",
        language="fr",
        wordings={},
        told=known,
        is_needed=True,
    )


def test_a_message_that_can_be_written_has_no_fault() -> None:
    assert due("password_reset_link", name="Nicole TEST", at=NOW, token="secret").fault == ""


def test_a_fault_names_what_lacks_and_shows_nothing_of_the_rest() -> None:
    fault = due("password_reset_link", name="Nicole TEST", token="secret").fault
    assert fault == "password_reset_link.at : missing"
