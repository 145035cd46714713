"""Tokens that only our own pages know, bound to a browser's session or, before sign-in, to its cookie."""

import hashlib
import hmac

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.utils.scope.state import ScopeState

from domain.permissions import ForgedRequestError

HEADER = "x-csrf-token"
FIELD = "_csrf_token"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(signing_key: str, bound_to: str) -> str:
    """Return the token of the browser that holds the secret `bound_to`."""
    return hmac.new(signing_key.encode(), f"csrf:{bound_to}".encode(), hashlib.sha256).hexdigest()


def offer_token(connection: ASGIConnection[object, object, object, State], token: str) -> None:
    """Let templates find it: `{{ csrf_input | safe }}` in a form, `{{ csrf_token() }}` for htmx's header."""
    ScopeState.from_scope(connection.scope).csrf_token = token


async def require_token(connection: ASGIConnection[object, object, object, State]) -> None:
    """Raise ForgedRequestError unless header or form field holds the token of this browser."""
    expected = str(ScopeState.from_scope(connection.scope).csrf_token or "")
    sent = connection.headers.get(HEADER) or await _form_field(connection)
    if not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise ForgedRequestError


async def _form_field(connection: ASGIConnection[object, object, object, State]) -> str:
    """Read the field; Litestar keeps the parsed form for the handler."""
    is_form = connection.headers.get("content-type", "").startswith(_FORMS)
    if not (is_form and isinstance(connection, Request)):
        return ""
    return str((await connection.form()).get(FIELD) or "")
