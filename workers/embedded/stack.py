"""The life of the embedded stack, from `everstay up` to the last child's stop."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from settings import Settings, SettingsError
from workers.embedded import postgres
from workers.embedded.children import ChildSpec
from workers.embedded.lock import only_one
from workers.embedded.parts import full_stack, resolve
from workers.embedded.ports import LOCAL, settle_ports
from workers.embedded.process import ProcessMark, end_leftovers
from workers.embedded.runtime import Part, StackState, read_state, shared_settings, version, write_state
from workers.embedded.supervisor import Say, Supervisor

Children = Callable[[Settings], tuple[ChildSpec, ...]]


def _nothing() -> None:
    """Leave it at that."""


async def run_stack(
    settings: Settings,
    say: Say,
    *,
    auto_ports: bool = False,
    children: Children = full_stack,
    on_stop: Callable[[], None] = _nothing,
) -> None:
    """Hold the home, start everything, and return after SIGINT or SIGTERM once everything has stopped.

    `on_stop` is called as soon as the signal comes, before anything is stopped.
    """
    home = prepare_home(settings.home)
    with only_one(home):
        _end_leftovers(home, say)
        settled = settle_ports(settings, auto=auto_ports)
        if settled.database_url is None:
            for folder in postgres.prepare(home):
                say(f"other users may now pass through {folder} (not list it): Postgres does not run as root")
        await _supervise(settled, children(settled), say, on_stop)


def prepare_home(home: Path) -> Path:
    """Make the home and the secret key; only its owner may list it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise SettingsError(
            reason=f"EVERSTAY_HOME: {home} cannot be a folder of ours: {error.strerror}"
        ) from None
    postgres.kept_secret(home / Settings.SECRET_FILE)
    return home


def _end_leftovers(home: Path, say: Say) -> None:
    """End what a killed supervisor could not take with it."""
    state = read_state(home)
    marks = [part.mark for part in state.parts.values() if part.mark] if state else []
    for mark in end_leftovers(marks):
        say(f"ended a process that an earlier stack left behind: {mark.command} (pid {mark.pid})")


async def _supervise(
    settings: Settings, specs: tuple[ChildSpec, ...], say: Say, on_stop: Callable[[], None]
) -> None:
    mark = ProcessMark.of(os.getpid())
    if mark is None:
        raise RuntimeError("this process cannot see itself")
    started, shared = datetime.now(UTC), shared_settings(resolve(settings))

    def record(parts: Mapping[str, Part], ready: bool) -> None:  # noqa: FBT001 - called by the supervisor alone
        state = StackState(
            supervisor=mark,
            version=version(),
            started=started,
            ready=ready,
            settings=shared,
            parts=dict(parts),
        )
        write_state(settings.home, state)

    supervisor = Supervisor(specs, settings.home / "logs", say, record)

    def stop() -> None:
        on_stop()
        supervisor.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    await supervisor.run(when_ready=lambda: say(banner(settings, specs)))
    say("Everstay has stopped.")


def banner(settings: Settings, specs: tuple[ChildSpec, ...]) -> str:
    """Return the addresses that a person wants once everything is healthy."""
    names = {spec.name for spec in specs}
    lines = {
        "api": f"Pages        {settings.base_url}",
        "simulators": f"Mailbox      {settings.simulators_url}",
        "temporal": f"Temporal UI  http://{LOCAL}:{settings.temporal_ui_port}",
        "postgres": f"Postgres     {LOCAL}:{settings.postgres_port}",
    }
    shown = [text for name, text in lines.items() if name in names]
    return "\n".join(["", "Everstay is up. Ctrl-C or `everstay down` stops it.", *(f"  {t}" for t in shown),
                      f"  Logs         {settings.home / 'logs'}", ""])  # fmt: skip
