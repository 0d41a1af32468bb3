"""Uploads as the rules of documents know them, valid by default."""

from datetime import UTC, datetime
from uuid import UUID

from documents.uploads import Upload, UploadState
from shared.identifiers import new_id

HANDED_IN_AT = datetime(2027, 5, 10, 8, 0, tzinfo=UTC)
_CAMPAIGN_ID, _FAMILY_ID, _SITE_ID = new_id(), new_id(), new_id()


def upload(
    type_code: str = "domicile",
    student_id: UUID | None = None,
    state: UploadState = "deposited",
    refusal: str = "",
) -> Upload:
    """A file that one family gave for a piece."""
    return Upload(
        id=new_id(),
        site_id=_SITE_ID,
        campaign_id=_CAMPAIGN_ID,
        family_id=_FAMILY_ID,
        student_id=student_id,
        type_code=type_code,
        title="",
        school_year="2027-2028",
        filename="facture.pdf",
        content_type="application/pdf",
        size=1234,
        state=state,
        refusal=refusal,
        opened_at=HANDED_IN_AT,
        deposited_at=None if state == "expected" else HANDED_IN_AT,
        attempts=0,
    )


def publication(state: UploadState = "deposited") -> Upload:
    """A file that a site published for a student."""
    return Upload(
        id=new_id(),
        site_id=_SITE_ID,
        campaign_id=None,
        family_id=None,
        student_id=new_id(),
        type_code=None,
        title="Bulletin du premier semestre",
        school_year="2026-2027",
        filename="bulletin.pdf",
        content_type="application/pdf",
        size=1234,
        state=state,
        refusal="",
        opened_at=HANDED_IN_AT,
        deposited_at=HANDED_IN_AT,
        attempts=0,
    )
