"""`everstay serve …`: one part in this process. The embedded stack runs these, and so does a cluster."""

import asyncio
import importlib
import inspect
import signal
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

# Part: the callable that runs it, sync or async. By name, since workers may not import the web application.
API = "api.server:run_api"
SIMULATORS = "integrations.simulators.server:run_simulators"
WORKER = "workers.main:run_worker"
RELAY = "workers.relay:run_relay"
RESUME_CLOCK = "workers.clock_resume:resume"
HEARTBEAT = "workers.clock_resume:heartbeat"
BEAT_SECONDS = 1.0

serve = typer.Typer(no_args_is_help=True, help="Run one part of the system in this process.")


def register(app: typer.Typer) -> None:
    """Add `everstay serve`."""
    app.add_typer(serve, name="serve")


@serve.command()
def api() -> None:
    """Serve pages, API and webhooks."""
    _run(API)


@serve.command()
def simulators() -> None:
    """Serve the local providers with the mailbox page."""
    _run(SIMULATORS)


@serve.command()
def worker(queue: Annotated[str, typer.Option(help="Task queues, separated by commas.")]) -> None:
    """Poll task queues."""
    _run(WORKER, tuple(name.strip() for name in queue.split(",") if name.strip()))


@serve.command()
def relay() -> None:
    """Ring the customers that have news, and keep the clock's heartbeat."""
    _run(RELAY, beside=_heartbeat)


@serve.command()
def clock() -> None:
    """Let business time go on where the last stop left it, then end."""
    _run(RESUME_CLOCK)


async def _heartbeat(settings: object) -> None:
    beat = _find(HEARTBEAT)
    while True:
        await beat(settings)
        await asyncio.sleep(BEAT_SECONDS)


def _find(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _run(place: str, *arguments: object, beside: Callable[[object], Awaitable[None]] | None = None) -> None:
    """Run a part until it ends or SIGTERM or Ctrl-C cancels it."""
    from settings import load_settings
    from workers.embedded.runtime import locate
    from workers.logs import configure_logs

    settings = locate(load_settings())
    configure_logs(settings)
    part = _find(place)
    if not inspect.iscoroutinefunction(part):
        part(settings, *arguments)
        return
    jobs = [part(settings, *arguments), *([beside(settings)] if beside else [])]
    asyncio.run(_until_told(jobs))


async def _until_told(jobs: list[Awaitable[Any]]) -> None:
    """Wait for all jobs; a signal cancels them, and they clean up. The failure of one ends the others."""
    together = asyncio.ensure_future(_all(jobs))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, together.cancel)
    try:
        await together
    except asyncio.CancelledError:
        if not together.cancelled():
            raise


async def _all(jobs: list[Awaitable[Any]]) -> None:
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_as_coroutine(job))


async def _as_coroutine(job: Awaitable[Any]) -> None:
    await job
