"""One line per request: no body, no query, no address, no path with an id or a token in it."""

import re
import time
import uuid

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9\-]{8,64}")
_ID, _STARTED = "request_id", "request_started"


class RequestIds(ASGIMiddleware):
    """Names the request for every log line that it causes, and starts its time."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Keep a caller's own id where it is a sane one."""
        scope["state"][_STARTED] = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id(scope))
        await next_app(scope, receive, send)


def request_id(scope: Scope) -> str:
    """Return the id of this request, made on first use."""
    state = scope["state"]
    if _ID not in state:
        sent = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        state[_ID] = sent if _SANE.fullmatch(sent) else uuid.uuid4().hex
    found: str = state[_ID]
    return found


async def log_answer(message: Message, scope: Scope) -> None:
    """Log the answer as it begins, and tell the caller the id to ask about."""
    if message["type"] != "http.response.start":
        return
    MutableScopeHeaders.from_message(message)[HEADER] = request_id(scope)
    caller, started = scope.get("user"), scope["state"].get(_STARTED)
    structlog.get_logger("api.access").info(
        "request",
        method=scope.get("method"),
        route=scope.get("path_template") or "unmatched",
        status=message["status"],
        caller=getattr(caller, "id", "nobody"),
        ms=round((time.perf_counter() - started) * 1000, 1) if started is not None else None,
    )
