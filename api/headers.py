"""Headers on every answer, errors and redirects included: what browsers may do with it."""

from collections.abc import Awaitable, Callable

from litestar.types import Message, Scope

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
NOT_KEPT = {"Cache-Control": "no-store"}
"""Pages hold personal data: nothing is cached unless its route says otherwise."""

BeforeSend = Callable[[Message, Scope], Awaitable[None]]


def header_hook(*, secure: bool) -> BeforeSend:
    """Return the hook that sets them where the route has not."""
    wanted = {**HEADERS, **NOT_KEPT, **(STRICT_TRANSPORT if secure else {})}
    lines = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]

    async def set_headers(message: Message, scope: Scope) -> None:  # noqa: ARG001  Litestar passes both
        if message["type"] != "http.response.start":
            return
        sent = {name.lower() for name, _ in message["headers"]}
        message["headers"] = [*message["headers"], *(line for line in lines if line[0] not in sent)]

    return set_headers
