"""Whether a receipt is genuine: told to anyone who has its number and its code, and no more."""

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Template
from pydantic import BaseModel, Field
from shared.ask import Services
from shared.contracts.notifications import VerifyReceipt

from gateway.forms import WHOLE_FORM, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.rendered import page
from gateway.people import WITHOUT_SESSION, HttpRequest
from gateway.throttle import VERIFICATIONS

_NOT_GENUINE = marked(
    "Aucun accusé de réception n'a ce numéro et ce code. Recopiez-les tels qu'ils sont écrits sur"
    " le document."
)


class Verification(BaseModel):
    """What is written on the receipt."""

    number: str = Field(title=marked("le numéro de l'accusé de réception"), max_length=100)
    code: str = Field(title=marked("le code de vérification"), max_length=100)


@get("/verification", opt=WITHOUT_SESSION, middleware=[VERIFICATIONS.middleware])
async def verify(request: HttpRequest, services: NamedDependency[Services]) -> Template:
    """Ask for the number and the code, or answer where the address printed on the PDF has both."""
    asked = list(request.query_params.multi_items())
    form = Form.read(Verification, asked) if asked else Form(Verification)
    genuine = None
    if form.value is not None:
        genuine = await services.ask(
            VerifyReceipt(receipt_number=form.value.number, code=form.value.code)
        )
        if genuine is None:
            form = form.refuse(WHOLE_FORM, _(_NOT_GENUINE))
    context = {"form": form, "genuine": genuine}
    return page(request, "public/verification.html", context, forms=[form])


ROUTES = [verify]
