"""A simulator in the test's own loop, and a receiver of its webhooks."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn

from integrations.simulators.server import SimulatorOptions, simulator_server

Message = MutableMapping[str, Any]


@asynccontextmanager
async def running(server: uvicorn.Server) -> AsyncIterator[str]:
    """Serve in the background and yield the URL; the port may be 0."""
    task = asyncio.create_task(server._serve())  # not serve(), which would take the test run's Ctrl-C
    await until(lambda: server.started or task.done())
    if task.done():
        task.result()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def running_simulators(options: SimulatorOptions) -> AsyncIterator[str]:
    """Run the simulators on a free port and yield their URL."""
    async with running(simulator_server(replace(options, port=0))) as url:
        yield url


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Poll with a deadline, which fails the test."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.01)


async def until_true(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Poll an asynchronous condition with a deadline."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.02)


@dataclass
class Receiver:
    """Remembers each request that it gets and answers with `status`, after so many seconds.

    What stands in `first` is answered first, one status per request, with `headers`.
    """

    status: int = 204
    seconds: float = 0.0
    first: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        headers = {name.decode().title(): value.decode() for name, value in scope["headers"]}
        self.requests.append((headers, body))
        await asyncio.sleep(self.seconds)
        status = self.first.pop(0) if self.first else self.status
        told = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def running_receiver(receiver: Receiver) -> AsyncIterator[str]:
    """Serve a receiver on a free port and yield its URL."""
    config = uvicorn.Config(receiver, port=0, lifespan="off", ws="none", log_config=None, access_log=False)
    async with running(uvicorn.Server(config)) as url:
        yield url
