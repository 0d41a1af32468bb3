"""Every page's answer: its template, who reads it, and the form's hidden token."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar.response import Template
from shared.ask import ServiceUnavailable
from shared.contract import Rejection

from gateway.forms import Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.people import HttpRequest
from gateway.refusals import detail_of

SERVICE_NAMES = {
    "identity": marked("Les comptes et les coordonnées"),
    "enrolment": marked("Les dossiers de réinscription"),
    "documents": marked("Les pièces à fournir"),
    "courses": marked("Les cours et les places"),
    "notifications": marked("Les e-mails"),
}
"""What each service is to a family."""
KEPT: Final = marked("Vos réponses sont conservées dans cette page : renvoyez-la dans un instant.")


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, object] | None = None,
    *,
    forms: Sequence[Form[Any]] = (),
    notices: Sequence[str] = (),
    success: str = "",
    status_code: int | None = None,
) -> Template:
    """Render ``template`` in the layout. A page whose forms have errors answers 422.

    ``success`` tells what was recorded just before, that led here.
    """
    refused = any(form.problems for form in forms)
    return Template(
        template,
        context={
            **(context or {}),
            # an address that leads nowhere is refused before anyone looked who asks
            "visitor": request.scope["state"].get("visitor"),
            "forms": list(forms),
            "notices": list(notices),
            "success": success,
        },
        status_code=status_code or (422 if refused else 200),
    )


def absence_page(request: HttpRequest, error: ServiceUnavailable, text: str) -> Template:
    """Say what cannot be shown or done at the moment, and when to come back."""
    query = request.url.query if request.method == "GET" else ""
    here = request.url.path + (f"?{query}" if query else "")
    context = {"text": text, "retry_after": error.retry_after, "here": here}
    answer = page(request, "errors/503.html", context, status_code=503)
    answer.headers["retry-after"] = str(error.retry_after)
    return answer


def absence_text(error: ServiceUnavailable) -> str:
    """Say what is unavailable."""
    return _(
        "%(services)s sont momentanément indisponibles.",
        services=_(SERVICE_NAMES[error.service]),
    )


def unavailable_text(error: ServiceUnavailable) -> str:
    """Say what is unavailable, and that nothing of what was sent is lost."""
    sure = (
        _(
            "Votre demande a peut-être été enregistrée : vous pouvez la renvoyer sans risque,"
            " rien ne sera enregistré deux fois."
        )
        if error.maybe_recorded
        else _(KEPT)
    )
    return f"{absence_text(error)} {sure}"


def refusal_text(error: Rejection | ServiceUnavailable) -> str:
    """Say why nothing was done, where nothing that was typed is kept."""
    if isinstance(error, Rejection):
        return detail_of(error)
    return f"{absence_text(error)} {_('Réessayez dans un instant.')}"


def sign_in_path(back_to: str) -> str:
    """Give the sign-in page's address, to come back to ``back_to`` afterwards."""
    return f"/connexion?suite={quote(back_to, safe='')}"


def local_path(text: str) -> str:
    """Keep a path of this portal; anything else leads home: no one is sent elsewhere."""
    is_local = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_local else "/accueil"
