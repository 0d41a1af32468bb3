"""Receipts: to keep as a PDF, to have sent again, and to confirm to whoever holds one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import PathParameter, QueryParameter, RequestBody
from shared.ask import Services
from shared.contract import Contract
from shared.contracts.notifications import (
    Delivery,
    PrintReceipt,
    SendReceiptAgain,
    VerifyReceipt,
)

from gateway.api.operations import CHANGED, problems
from gateway.people import Person
from gateway.throttle import VERIFICATIONS

TAG = Tag(
    name="Receipts",
    description="The receipt of a request or of a refusal, by the number that the application"
    " gives. Its state is among the deliveries of the application.",
)

_Number = Annotated[str, PathParameter(max_length=100)]
_Code = Annotated[str, QueryParameter(max_length=100)]


class Again(Contract):
    """The client's identifier of one more delivery: repeated, it sends one mail."""

    delivery_id: UUID


class Verification(Contract):
    """Whether a receipt is genuine and, if so, when what it is about was received."""

    genuine: bool
    received_at: datetime | None = None


@get(
    "/receipts/{receipt_number:str}/pdf",
    media_type="application/pdf",
    response_headers=[ResponseHeader(name="content-disposition", value="attachment")],
    responses=CHANGED,
)
async def print_receipt(receipt_number: _Number, person: NamedDependency[Person]) -> bytes:
    """Give a receipt as an accessible PDF (PDF/UA-1), the same each time but for names and missing
    documents, as they are now (family, or staff of its site). Refused: `receipt_not_ready` (repeat
    in a moment).
    """
    receipt = await person.ask(PrintReceipt(receipt_number=receipt_number))
    return receipt.pdf


@post("/receipts/{receipt_number:str}/deliveries", status_code=200, responses=CHANGED)
async def send_receipt_again(
    receipt_number: _Number, data: RequestBody[Again], person: NamedDependency[Person]
) -> Delivery:
    """Send a receipt again to the family's present addresses (family, or staff of its site).

    Refused: `receipt_on_its_way`, `sent_a_moment_ago` (with `facts.again_from`), `no_address`.
    """
    return await person.ask(
        SendReceiptAgain(delivery_id=data.delivery_id, receipt_number=receipt_number)
    )


@get(
    "/receipts/{receipt_number:str}/verification",
    responses=problems(429),
    middleware=[VERIFICATIONS.middleware],
)
async def verify_receipt(
    receipt_number: _Number, code: _Code, services: NamedDependency[Services]
) -> Verification:
    """Tell whether a receipt is genuine, by the `code` printed on it: no session is needed, and
    nothing personal is told. A number that does not exist and a wrong code get the same answer.
    """
    genuine = await services.ask(VerifyReceipt(receipt_number=receipt_number, code=code))
    if genuine is None:
        return Verification(genuine=False)
    return Verification(genuine=True, received_at=genuine.received_at)


PUBLIC_ROUTES = [verify_receipt]
ROUTES = [print_receipt, send_receipt_again]
