"""Leave for browsers of any site: a write key is public, and only sends messages and asks for prompts."""

from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {"Access-Control-Allow-Methods": "GET, POST, OPTIONS", "Access-Control-Max-Age": "86400"}
_ASKED, _ALLOWED = b"access-control-request-headers", "Access-Control-Allow-Headers"


class AnyOrigin(ASGIMiddleware):
    """Adds the headers of CORS to every answer, refusals too: a client must be able to read a 429."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Let any header through that a browser asks for."""
        headers = dict(HEADERS)
        if scope.get("method") == "OPTIONS":
            asked = dict(scope["headers"]).get(_ASKED, b"").decode("latin-1")
            headers |= PREFLIGHT | ({_ALLOWED: asked} if asked else {})

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await next_app(scope, receive, send_open)
