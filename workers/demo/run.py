"""A whole demo: its own embedded stack, the sample portfolio, the business days, and the summary."""

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from domain.errors import EverstayError
from domain.vocabulary import Role
from integrations.simulators.sendgrid.mailbox_client import MailboxClient
from integrations.simulators.stripe.payer_client import PayerClient
from ml.simulation.payers import Moving
from ml.simulation.simulation import Simulation
from models.clock import open_clock, wall_now
from models.database import Database
from models.users import create_sign_in_link, list_users
from settings import Settings
from workers.clock_refresh import keep_fresh
from workers.demo.days import DemoDays
from workers.demo.headline import show_headline
from workers.demo.options import DemoOptions
from workers.demo.payment_lines import payment_lines
from workers.demo.stack import demo_children
from workers.demo.summary import complaints, summarise, write_summary
from workers.demo.view import DemoView
from workers.embedded.runtime import locate, read_state
from workers.embedded.stack import run_stack

LOOK_SECONDS = 0.2
SHOWN_ROLES = (Role.MANAGER, Role.ADMIN, Role.CSM)


class DemoStoppedError(EverstayError):
    """The demo was stopped before its last day."""


class DemoFailedError(EverstayError):
    """The demo ran, but did not hold what it promises: {reason}."""


async def run_demo(settings: Settings, options: DemoOptions, console: Console) -> None:
    """Run a demo from an empty home to its end; raises when it did not hold what it promises."""
    home = _home(settings, options)
    settings = settings.model_copy(update={"home": home, "database_url": None, "temporal_address": None})
    try:
        summary = await _beside_its_stack(settings, options, console)
    except BaseException:
        console.print(f"State and logs are kept in {home}", soft_wrap=True)
        raise
    if summary is None:
        return
    broken = complaints(summary)
    if broken:
        raise DemoFailedError(reason="; ".join(broken) + f" (state and logs are kept in {home})")
    shutil.rmtree(home, ignore_errors=True)


def _home(settings: Settings, options: DemoOptions) -> Path:
    """Return an empty home: a temporary one for a demo that ends, else a fixed one that starts afresh."""
    if options.ends:
        return Path(tempfile.mkdtemp(prefix="everstay-demo-"))
    home = settings.home / "demo"
    state = read_state(home)
    if state is None or not state.is_alive():
        shutil.rmtree(home, ignore_errors=True)
    return home


async def _beside_its_stack(
    settings: Settings, options: DemoOptions, console: Console
) -> dict[str, Any] | None:
    """Run stack and demo side by side; whichever ends first ends both."""

    def say(line: str) -> None:
        console.print(line, highlight=False, soft_wrap=True)

    began, told = time.monotonic(), asyncio.Event()
    stack = asyncio.create_task(
        run_stack(settings, say, auto_ports=True, children=demo_children(options), on_stop=told.set)
    )
    demo = asyncio.create_task(_demo(settings, options, console, began))
    stop = asyncio.create_task(told.wait())
    await asyncio.wait({stack, demo, stop}, return_when=asyncio.FIRST_COMPLETED)
    was_stopped = stack.done() or stop.done()
    stop.cancel()
    if was_stopped:
        demo.cancel()
    else:
        os.kill(os.getpid(), signal.SIGTERM)  # the supervisor's own way to stop
    results = await asyncio.gather(stack, demo, return_exceptions=True)
    return _result(results, options, was_stopped=was_stopped)


def _result(results: list[Any], options: DemoOptions, *, was_stopped: bool) -> dict[str, Any] | None:
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result
    if was_stopped and options.ends:
        raise DemoStoppedError
    return results[1] if isinstance(results[1], dict) else None


async def _demo(settings: Settings, options: DemoOptions, console: Console, began: float) -> dict[str, Any]:
    title = f"Everstay demo: {options.customers} customers, seed {options.seed}"
    (simulation, moving), settings = await asyncio.gather(
        asyncio.to_thread(_with_history, options), _ready(settings)
    )
    database = Database(settings.database_url or "", pool_size=4)
    clock = await open_clock(database)
    fresh = asyncio.create_task(keep_fresh(clock, database))
    try:
        with DemoView(console, title) as view:
            days = DemoDays(database, clock, simulation, options, view, moving)
            await _invite(settings, database, console)
            url = settings.simulators_url
            async with MailboxClient(url) as mailbox, PayerClient(url) as stripe:
                await days.run(mailbox, stripe)
        summary = await summarise(settings, database, clock, simulation, options, began)
        if options.json_path is not None:
            write_summary(summary, options.json_path)
        console.print_json(json.dumps(summary))
        show_headline(console, summary)
        for line in payment_lines(summary["payments"]):
            console.print(line, highlight=False)
        return summary
    finally:
        fresh.cancel()
        await database.close()


def _with_history(options: DemoOptions) -> tuple[Simulation, Moving]:
    """Live the history again, which the seeding process stores: it takes seconds of computing."""
    simulation, moving = Simulation(options.with_cards), Moving(options.with_cards)
    moving.sort(options.with_cards.history_start, simulation.introductions())
    for day, facts in simulation.history():
        moving.sort(day, facts)
    return simulation, moving


async def _ready(settings: Settings) -> Settings:
    """Wait until the stack answers; return the settings with its addresses."""
    while True:
        state = read_state(settings.home)
        if state is not None and state.ready:
            return locate(settings)
        await asyncio.sleep(LOOK_SECONDS)


async def _invite(settings: Settings, database: Database, console: Console) -> None:
    """Print sign-in links that work on this machine only."""
    async with database.transaction() as session:
        users = await list_users(session)
        for role in SHOWN_ROLES:
            user = next((each for each in users if each.role is role), None)
            if user is not None:
                link = await create_sign_in_link(session, user.id, wall_now())
                line = f"  Sign in as {user.name} ({user.role.value}), once: {settings.base_url}{link}"
                console.print(line, highlight=False, soft_wrap=True)
