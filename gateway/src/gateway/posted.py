"""What was posted: kept in case it cannot be recorded, and refused where no page of ours sent it.

Litestar answers a refused form past an application's own middleware, and trusts whatever token the
browser has: one that another secret signed would lock that browser out of every form.
"""

from secrets import compare_digest

from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Cookie, FormMultiDict
from litestar.exceptions import HTTPException
from litestar.middleware.csrf import CSRF_SECRET_LENGTH, generate_csrf_hash, generate_csrf_token
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState

from gateway.errors import http_error
from gateway.forms import plain_lines
from gateway.people import HttpRequest, sends_text

_NEVER_KEPT = {"_csrf_token", "password", "current_password", "new_password"}


class PostedForms:
    """Puts what was typed in the request's state, and answers a form that is refused.

    It stands within the session's middleware, so that whatever it answers keeps the session, and
    around Litestar's own check of the token.
    """

    def __init__(self, app: ASGIApp, csrf: CSRFConfig) -> None:
        self._app = app
        self._csrf = csrf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the form, then go on; or say why it is refused, with a token to send it again."""
        request: HttpRequest = Request(scope, receive, send)
        scope["state"]["typed"] = []
        self._forget_foreign_token(request)
        try:
            if request.method == "POST" and sends_text(request):
                scope["state"]["typed"] = _typed(await request.form())
            await self._app(scope, receive, send)
        except HTTPException as error:
            fresh = self._token(request)
            answer = http_error(request, error)
            answer.cookies = [*answer.cookies, *fresh]
            respond = answer.to_asgi_response(
                app=None, request=request, type_encoders=request.app.type_encoders
            )
            await respond(scope, receive, send)

    def _forget_foreign_token(self, request: HttpRequest) -> None:
        """Drop a token that is not signed by our secret: a fresh one is then given."""
        token = request.cookies.get(self._csrf.cookie_name, "")
        drawn, signature = token[:CSRF_SECRET_LENGTH], token[CSRF_SECRET_LENGTH:]
        ours = generate_csrf_hash(drawn, self._csrf.secret)
        if not compare_digest(ours.encode(), signature.encode()):
            request.cookies.pop(self._csrf.cookie_name, None)

    def _token(self, request: HttpRequest) -> list[Cookie]:
        """Give the answer's forms the browser's token, or a new one with its cookie."""
        state = ScopeState.from_scope(request.scope)
        known = request.cookies.get(self._csrf.cookie_name)
        state.csrf_token = known or generate_csrf_token(self._csrf.secret)
        if known:
            return []
        return [
            Cookie(
                key=self._csrf.cookie_name,
                value=state.csrf_token,
                path=self._csrf.cookie_path,
                secure=self._csrf.cookie_secure,
                httponly=self._csrf.cookie_httponly,
                samesite=self._csrf.cookie_samesite,
            )
        ]


def _typed(form: FormMultiDict) -> list[tuple[str, str]]:
    """Keep what was typed, but for secrets."""
    return [
        (name, plain_lines(text))
        for name, text in form.multi_items()
        if isinstance(text, str) and name not in _NEVER_KEPT
    ]
