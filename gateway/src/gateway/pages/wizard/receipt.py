"""The receipt to keep: its PDF, and its mail sent once more (S72, S73)."""

from typing import Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from pydantic import BaseModel, Field
from shared.contract import Rejection
from shared.contracts.enrolment import ShowApplication
from shared.contracts.notifications import PrintReceipt, SendReceiptAgain
from shared.identifiers import new_id

from gateway.forms import Form
from gateway.pages.wizard.frame import DONE, Elsewhere, present_path, step_path, typed
from gateway.people import HttpRequest, Person

_TOLD_BY_THE_PAGE: Final = {"no_address", "receipt_on_its_way", "sent_a_moment_ago"}
"""Why a receipt is not sent again now: the page that shows it says so already."""


class Again(BaseModel):
    """The identifier that the page gave its button: pressed twice, it sends one mail."""

    delivery_id: UUID = Field(default_factory=new_id)


@get("/dossiers/{application_id:uuid}/accuse-de-reception")
async def download(
    person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Response[bytes]:
    """Give the receipt of a request, or of a refusal, as a PDF to keep."""
    number = await _receipt_number(person, application_id)
    receipt = await person.ask(PrintReceipt(receipt_number=number))
    return Response(
        receipt.pdf,
        media_type="application/pdf",
        headers={"content-disposition": f'attachment; filename="{receipt.filename}"'},
    )


@post("/dossiers/{application_id:uuid}/accuse-de-reception")
async def send_again(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Redirect:
    """Have the receipt sent again; the page that it leads to says where its mail stands."""
    number = await _receipt_number(person, application_id)
    again = Form.read(Again, typed(request)).value or Again()
    try:
        await person.ask(SendReceiptAgain(delivery_id=again.delivery_id, receipt_number=number))
    except Rejection as refusal:
        if refusal.code not in _TOLD_BY_THE_PAGE:
            raise
    return Redirect(step_path(application_id, DONE), status_code=303)


async def _receipt_number(person: Person, application_id: UUID) -> str:
    """Give the number of the last receipt; raises Elsewhere while there is none."""
    application = await person.ask(ShowApplication(application_id=application_id))
    if application.state == "draft" or application.receipt is None:
        raise Elsewhere(present_path(application))
    return application.receipt.number


ROUTES = [download, send_again]
