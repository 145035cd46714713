"""Connections that a simulator may break on purpose, as networks do."""

import asyncio
from typing import Any, cast

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "everstay.transport"


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also hands the transport of the connection to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Wrap the application for this connection."""
        super().connection_made(transport)
        inner = cast("ASGI3Application", self.app)

        async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            cast("dict[str, Any]", scope)[TRANSPORT] = transport
            await inner(scope, receive, send)

        self.app = app


async def break_connection(scope: Any) -> None:
    """Close the connection without an answer; whatever is answered afterwards goes nowhere."""
    scope[TRANSPORT].abort()
    await asyncio.sleep(0)  # let uvicorn learn of it before the handler returns
