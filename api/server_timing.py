"""Server-Timing on every answer: where a page's time went, readable in any browser's developer tools."""

import time
from contextvars import ContextVar
from typing import Any

from jinja2 import Template
from litestar.datastructures import MutableScopeHeaders
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from models.query_tally import begin_tally

_rendering: ContextVar[list[float] | None] = ContextVar("rendering", default=None)


class TimedTemplate(Template):
    """A template that says how long it took, to the request that it answers."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Render, and note the milliseconds."""
        began = time.perf_counter()
        try:
            return super().render(*args, **kwargs)
        finally:
            spent = _rendering.get()
            if spent is not None:
                spent.append((time.perf_counter() - began) * 1000)


class ServerTiming(ASGIMiddleware):
    """Counts statements, their time and the template's, and puts them beside the whole."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Measure until the answer begins."""
        began, tally = time.perf_counter(), begin_tally()
        rendering: list[float] = []
        _rendering.set(rendering)

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                total = (time.perf_counter() - began) * 1000
                MutableScopeHeaders.from_message(message)["Server-Timing"] = (
                    f'total;dur={total:.2f}, db;dur={tally.milliseconds:.2f};desc="{tally.queries}", '
                    f"render;dur={sum(rendering):.2f}"
                )
            await send(message)

        await next_app(scope, receive, send_timed)
