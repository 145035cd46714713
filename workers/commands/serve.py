"""`everstay serve …`: one part in this process. The embedded stack runs these, and so does a cluster."""

import asyncio
import importlib
import inspect
import signal
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from settings import Settings, load_settings

# Part: the callable that runs it, sync or async. By name, since workers may not import the web application.
API = "api.server:run_api"
BARE_API = "api.bare_tracking:run_bare"
WORKER = "workers.main:run_worker"
RELAY = "workers.relay:run_relay"
RESUME_CLOCK = "workers.clock_resume:resume"
HEARTBEAT = "workers.clock_resume:heartbeat"

serve = typer.Typer(no_args_is_help=True, help="Run one part of the system in this process.")


def register(app: typer.Typer) -> None:
    """Add `everstay serve`."""
    app.add_typer(serve, name="serve")


@serve.command()
def api() -> None:
    """Serve pages, API and webhooks."""
    _run(API)


@serve.command(name="bare-api", hidden=True)
def bare_api() -> None:
    """Serve an API whose tracking stores nothing, for `everstay bench ingest`."""
    _run(BARE_API)


@serve.command()
def simulators() -> None:
    """Serve the local providers with the mailbox page."""
    from integrations.simulators.server import SimulatorOptions, run_simulators
    from workers.stripe_clock import business_moments

    settings = _settings()
    hooks = f"{settings.local_url}/webhooks/sendgrid"
    run_simulators(
        SimulatorOptions(
            home=settings.home,
            port=settings.simulators_port,
            webhook_url=f"{hooks}/events",
            inbound_url=f"{hooks}/inbound",
            stripe_clock=lambda: business_moments(settings),
        )
    )


@serve.command()
def worker(queue: Annotated[str, typer.Option(help="Task queues, separated by commas.")]) -> None:
    """Poll task queues."""
    _run(WORKER, tuple(name.strip() for name in queue.split(",") if name.strip()))


@serve.command()
def relay() -> None:
    """Ring the customers that have news, and keep the clock's heartbeat."""
    _run(RELAY, beside=HEARTBEAT)


@serve.command()
def clock() -> None:
    """Let business time go on where the last stop left it, then end."""
    _run(RESUME_CLOCK)


def _find(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def _settings() -> Settings:
    """Read the settings, fill in where the stack is, and start logging."""
    from workers.embedded.runtime import locate
    from workers.logs import configure_logs

    settings = locate(load_settings())
    configure_logs(settings)
    return settings


def _run(place: str, *arguments: object, beside: str | None = None) -> None:
    """Run a part until it ends or SIGTERM or Ctrl-C cancels it."""
    settings, part = _settings(), _find(place)
    if not inspect.iscoroutinefunction(part):
        part(settings, *arguments)
        return
    jobs = [part(settings, *arguments), *([_find(beside)(settings)] if beside else [])]
    asyncio.run(_until_told(jobs))


async def _until_told(jobs: list[Coroutine[Any, Any, None]]) -> None:
    """Run the jobs until one ends, fails, or a signal comes; then cancel the others and let them clean up."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    waiter = asyncio.ensure_future(told.wait())
    await asyncio.wait({waiter, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    ended = [task for task in tasks if task.done()]
    for task in (waiter, *tasks):
        task.cancel()
    await asyncio.gather(waiter, *tasks, return_exceptions=True)
    for task in ended:
        task.result()
