"""Valid bodies for the operations of the API, naming whatever a test wants named."""

from collections.abc import Mapping

type Identifiers = Mapping[str, str]
"""Identifiers by the name that a URL or a form gives them."""


def body_of(path: str, ids: Identifiers) -> dict[str, object]:
    """A valid body for an operation of the API."""
    details = {
        "civility": "Madame",
        "last_name": "X",
        "first_name": "Y",
        "birth_on": "2015-01-01",
        "address": "1 rue",
        "postcode": "92000",
        "city": "Z",
        "mobile": "06 39 98 00 01",
        "email": "x@familles.example",
    }
    seat = {name: ids[name] for name in ("hold_id", "student_id", "follow_id")}
    choice = {name: ids[name] for name in ("follow_id", "course_id", "hold_id")}
    intent = {name: ids[name] for name in ("application_id", "campaign_id", "student_id")}
    upload = {name: ids[name] for name in ("document_id", "campaign_id", "student_id", "type_code")}
    row = {name: ids[name] for name in ("campaign_id", "student_id", "follow_id")}
    why = {"reason": "Avis du professeur"}
    bodies: dict[str, dict[str, object]] = {
        "guardians": {**details},
        "students": {**details},
        "authorisations": {"image_rights": True, "leaves_alone": True, "text_version": "x"},
        "choices": {"choices": [{**choice, "re_enrol": True, "label": "x"}], "remarks": ""},
        "submission": {"accepted_text_version": "x", "remarks": ""},
        "applications": {**intent},
        "declines": {**intent},
        "holds": {
            "campaign_id": ids["campaign_id"],
            "requests": [{**seat, "course_ids": [ids["course_id"]]}],
        },
        "uploads": {**upload, "filename": "a.pdf", "size": 100},
        "renewal": {"hold_ids": [ids["hold_id"]]},
        "publications": {
            "document_id": ids["document_id"],
            "student_id": ids["student_id"],
            "title": "Bulletin",
            "school_year": "2026-2027",
            "filename": "bulletin.pdf",
            "size": 100,
        },
        "launches": {"launch_id": ids["document_id"]},
        "wordings": {"text": "Bonjour"},
        "secrets": {"secret_id": ids["document_id"]},
        "replays": {"replay_id": ids["document_id"], "since": "2027-01-01T00:00:00Z"},
        "refusal": {**why},
        "confirmation": {**why},
        "placements": {**row, **why, "hold_id": ids["hold_id"], "course_id": ids["course_id"]},
        "waiting-places": {**row, "place_id": ids["place_id"], "course_id": ids["full_course_id"]},
    }
    words = [word for word in path.split("/") if word and not word.startswith("{")]
    return bodies.get(words[-1], {})
