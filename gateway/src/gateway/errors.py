"""What a person, or a program, is told when something cannot be done."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap
from shared.ask import ServiceUnavailable
from shared.callers import not_signed_in as session_expired
from shared.contract import Problem, Rejection
from shared.observability import correlation_id, get_logger

from gateway.field_errors import UNREADABLE, field_errors
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.rendered import (
    KEPT,
    absence_page,
    absence_text,
    page,
    sign_in_path,
    unavailable_text,
)
from gateway.pages.wizard.closing import came_too_late
from gateway.pages.wizard.frame import CAMPAIGN_CLOSED
from gateway.pages.wizard.typed_texts import readable
from gateway.people import API_PREFIX, HttpRequest, NotSignedIn, sends_text
from gateway.refusals import detail_of

log = get_logger()

_DETAILS: Final = {
    403: marked("Cette demande ne vient pas d'une page du portail, ou d'une page trop ancienne."),
    405: marked("Cette adresse ne répond pas à ce genre de demande."),
    413: marked("Cette demande est trop lourde."),
    429: marked("Trop de demandes arrivent en ce moment. Réessayez dans un instant."),
}
"""What the errors of the HTTP layer are to a person, by status; the rest are unreadable."""
_STALE: Final = marked(
    "La page que vous avez envoyée était ouverte depuis trop longtemps, ou dans une autre session."
)


def rejected(request: HttpRequest, error: Rejection) -> Response[Any]:
    """A refusal that the page did not make its own."""
    if wants_problem(request):
        return problem_response(error)
    if error.status == 404:
        return page(request, "errors/404.html", status_code=404)
    if error.code == CAMPAIGN_CLOSED:
        return came_too_late(request, error)
    return _refused(request, error.status, detail_of(error))


def unavailable(request: HttpRequest, error: ServiceUnavailable) -> Response[Any]:
    """No replica of a service answers: what was typed is given back, to send again."""
    text = unavailable_text(error)
    if wants_problem(request):
        refusal = Rejection("service_unavailable", text, status=503, service=error.service)
        answer: Response[Any] = problem_response(refusal)
    elif request.method == "POST":
        kept = request.scope["state"]["typed"]
        answer = page(request, "errors/kept.html", {"text": text, "kept": kept}, status_code=503)
    else:
        answer = absence_page(request, error, absence_text(error))
    answer.headers["retry-after"] = str(error.retry_after)
    return answer


def not_signed_in(request: HttpRequest, error: NotSignedIn) -> Response[Any]:  # noqa: ARG001
    """Sign in first; then back to the very page, with what was typed (S6)."""
    if wants_problem(request):
        return problem_response(session_expired())
    if request.method == "POST":
        context = {
            "kept": request.scope["state"]["typed"],
            "back_to": request.url.path,
            # a file cannot be given back: it is chosen again on its page
            "sends_again": sends_text(request),
        }
        return page(request, "public/session_expired.html", context, status_code=401)
    back_to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Redirect(sign_in_path(back_to), status_code=303)


def http_error(request: HttpRequest, error: HTTPException) -> Response[Any]:
    """An error of the HTTP layer: no such page, a stale form, a file too large."""
    if error.status_code >= 500:
        return failed(request, error)
    if wants_problem(request):
        return problem_response(_as_rejection(error))
    if error.status_code == 403:
        return _not_from_our_page(request)
    if error.status_code == 404:
        return page(request, "errors/404.html", status_code=404)
    return _refused(request, error.status_code, _(_DETAILS.get(error.status_code, UNREADABLE)))


def failed(request: HttpRequest, error: Exception) -> Response[Any]:
    """Anything else is ours to mend; the reference finds it in the logs."""
    log.error("request failed", path=request.url.path, exc_info=error)
    if wants_problem(request):
        refusal = Rejection("internal_error", "Une erreur est survenue.", status=500)
        return problem_response(refusal)
    context = {"reference": correlation_id(), "kept": request.scope["state"].get("typed", [])}
    return page(request, "errors/500.html", context, status_code=500)


EXCEPTION_HANDLERS: ExceptionHandlersMap = {
    Rejection: rejected,
    ServiceUnavailable: unavailable,
    NotSignedIn: not_signed_in,
    HTTPException: http_error,
    Exception: failed,
}


def _as_rejection(error: HTTPException) -> Rejection:
    """Give an error of the HTTP layer the code and the facts that a program can read."""
    if error.status_code == 404:
        return Rejection.not_found()
    if isinstance(error, ValidationException):
        return Rejection(
            "invalid",
            "Certaines informations ne conviennent pas.",
            status=422,
            errors=field_errors(error),
        )
    status = error.status_code
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    return Rejection(code, _DETAILS.get(status, UNREADABLE), status=status, reason=error.detail)


def _not_from_our_page(request: HttpRequest) -> Response[Any]:
    """Give back what a page too old sent, to send again; nothing of what another site sent."""
    origin = request.headers.get("origin")
    is_ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if request.method != "POST" or not is_ours or not sends_text(request):
        return page(request, "errors/403.html", {"text": _(_STALE)}, status_code=403)
    kept = request.scope["state"]["typed"]
    text = f"{_(_STALE)} {_(KEPT) if kept else _('Renvoyez votre demande.')}"
    return page(request, "errors/kept.html", {"text": text, "kept": kept}, status_code=403)


def _refused(request: HttpRequest, status: int, detail: str) -> Response[Any]:
    typed = readable(request.scope["state"].get("typed", []))
    context = {"detail": detail, "typed": typed}
    return page(request, "errors/refused.html", context, status_code=status)


def wants_problem(request: Request[Any, Any, Any]) -> bool:
    """Tell a program from a person: the API, and our own scripts, read problem details."""
    return request.url.path.startswith(API_PREFIX) or "application/json" in request.headers.get(
        "accept", ""
    )


def problem_response(rejection: Rejection) -> Response[Problem]:
    """Answer with problem details (RFC 9457), in the reader's language."""
    return Response(
        rejection.problem(correlation_id()).model_copy(update={"detail": detail_of(rejection)}),
        status_code=rejection.status,
        media_type="application/problem+json",
    )
