"""The short way of what comes in masses: from the server straight to the intake, past the framework.

Whatever is not simply stored (a bad body, an unknown key, too much, a fault) goes the long way after all, as
if the short one did not exist, and gets its answer there. On the long way, half of the time of a batch of a
hundred would be spent on what it has no use for: sessions, form tokens, dependencies, a line in the log.
"""

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import (
    HTTPReceiveMessage,
    HTTPRequestEvent,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from api.tracking.browsers import HEADERS
from api.tracking.intake import MOST_BODY_BYTES, SUCCESS, Dialect, TrackingIntake
from api.tracking.routes import DIALECTS

Received = HTTPReceiveMessage | WebSocketReceiveMessage
_BY_PATH: dict[str, Dialect] = {
    spelled: dialect for dialect in DIALECTS for path in dialect.paths for spelled in (path, path + "/")
}
_START: HTTPResponseStartEvent = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(SUCCESS)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
    ],
}
_BODY: HTTPResponseBodyEvent = {"type": "http.response.body", "body": SUCCESS, "more_body": False}


class FastLane:
    """Stands before the application, which has the same routes."""

    def __init__(self, app: Litestar) -> None:
        """Take the application; its intake is there once it has started."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take what can be taken; pass everything else on as it came."""
        dialect = _BY_PATH.get(scope["path"]) if scope["type"] == ScopeType.HTTP else None
        if dialect is None or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not 0 < _length(headers.get(b"content-length")) <= MOST_BODY_BYTES:
            await self._app(scope, receive, send)
            return
        body, ending = await _body(receive)
        if ending is None and await self._is_stored(dialect, body, headers):
            await send(_START)
            await send(_BODY)
            return
        await self._app(scope, _again(body, ending, receive), send)

    async def _is_stored(self, dialect: Dialect, body: bytes, headers: dict[bytes, bytes]) -> bool:
        intake: TrackingIntake = self._app.state.intake
        encoding = headers.get(b"content-encoding", b"").decode("latin-1")
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        try:
            await intake.take(dialect, body, encoding, authorization)
        except Exception:  # noqa: BLE001 - the long way meets it too, and knows what to say and to log
            return False
        return True


def _length(header: bytes | None) -> int:
    return int(header) if header is not None and header.isdigit() else 0


async def _body(receive: Receive) -> tuple[bytes, Received | None]:
    """Return the body, and what came instead of its end if the client went away."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts), message
        parts.append(message["body"])
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts), None


def _again(body: bytes, ending: Received | None, receive: Receive) -> Receive:
    """Return a `receive` that tells what was read already."""
    whole: HTTPRequestEvent = {"type": "http.request", "body": body, "more_body": ending is not None}
    waiting: list[Received] = [whole] if ending is None else [whole, ending]

    async def receive_again() -> Received:
        return waiting.pop(0) if waiting else await receive()

    return receive_again
