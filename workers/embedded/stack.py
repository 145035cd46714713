"""The embedded stack as a table of children, and its life from `everstay up` to the last one's stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from settings import PREFIX, Settings
from workers.embedded import postgres, temporal
from workers.embedded.children import ChildSpec, Kind
from workers.embedded.lock import only_one
from workers.embedded.pollers import queues_are_polled
from workers.embedded.ports import LOCAL, settle_ports
from workers.embedded.probes import http_answers
from workers.embedded.process import ProcessMark, end_leftovers
from workers.embedded.runtime import Part, StackState, read_state, shared_settings, version, write_state
from workers.embedded.supervisor import Say, Supervisor

HEALTH_PATH = "/health"
WORKERS = {  # child: its task queues. Two processes, since two cores is the smallest machine
    "worker-lifecycle": ("lifecycle",),
    "worker-activities": ("decisions", "email", "billing", "scoring", "bulk"),
}

Children = Callable[[Settings], tuple[ChildSpec, ...]]


def services(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return Postgres and Temporal, unless the settings name others."""
    found = []
    if settings.database_url is None:
        found.append(postgres.child(settings.home, settings.postgres_port))
    if settings.temporal_address is None:
        found.append(
            temporal.child(
                settings.home, settings.temporal_port, settings.temporal_ui_port, settings.temporal_namespace
            )
        )
    return tuple(found)


def application(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return our own parts, for settings in which every address is known.

    To add a part: add a line here, and the command that it names to workers/commands/serve.py.
    """
    api, simulators = f"http://{LOCAL}:{settings.api_port}", settings.simulators_url
    after = ("migrations", "clock")
    return (
        _ours("migrations", "migrate", settings, kind=Kind.TASK),
        _ours("clock", "serve clock", settings, kind=Kind.TASK, depends_on=("migrations",)),
        _ours("simulators", "serve simulators", settings, ready=http_answers(simulators), where=simulators),
        _ours("api", "serve api", settings, ready=http_answers(api + HEALTH_PATH), where=api, depends_on=after),
        *(
            _ours(
                name, f"serve worker --queue {','.join(queues)}", settings,
                ready=queues_are_polled(settings, queues), where=", ".join(queues), depends_on=after,
            )
            for name, queues in WORKERS.items()
        ),
        _ours("relay", "serve relay", settings, depends_on=after),
    )  # fmt: skip


def _ours(name: str, arguments: str, settings: Settings, **rest: object) -> ChildSpec:
    command = (sys.executable, "-m", "cli", *arguments.split())
    return ChildSpec(name=name, command=command, environment=environment(settings), **rest)  # type: ignore[arg-type] # ChildSpec checks nothing, the callers above are few


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make a child read the same settings, with every address filled in."""
    given = {"home": settings.home, "profile": settings.profile, **shared_settings(settings)}
    return {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}


def full_stack(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return every child of the embedded stack, each application part behind the services."""
    base = services(settings)
    names = tuple(spec.name for spec in base)
    ours = application(resolve(settings))
    return base + tuple(spec.after(names) for spec in ours)


def resolve(settings: Settings) -> Settings:
    """Fill in the addresses of the embedded services."""
    return settings.model_copy(
        update={
            "database_url": settings.database_url or postgres.url(settings.home, settings.postgres_port),
            "temporal_address": settings.temporal_address or f"{LOCAL}:{settings.temporal_port}",
        }
    )


async def run_stack(
    settings: Settings, say: Say, *, auto_ports: bool = False, children: Children = full_stack
) -> None:
    """Hold the home, start everything, and return after SIGINT or SIGTERM once everything has stopped."""
    home = prepare_home(settings.home)
    with only_one(home):
        _end_leftovers(home, say)
        settled = settle_ports(settings, auto=auto_ports)
        if settled.database_url is None:
            for folder in postgres.prepare(home):
                say(f"other users may now pass through {folder} (not list it): Postgres does not run as root")
        await _supervise(settled, children(settled), say)


def prepare_home(home: Path) -> Path:
    """Make the home and the secret key; only its owner may list it."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    postgres.kept_secret(home / Settings.SECRET_FILE)
    return home


def _end_leftovers(home: Path, say: Say) -> None:
    """End what a killed supervisor could not take with it."""
    state = read_state(home)
    marks = [part.mark for part in state.parts.values() if part.mark] if state else []
    for mark in end_leftovers(marks):
        say(f"ended a process that an earlier stack left behind: {mark.command} (pid {mark.pid})")


async def _supervise(settings: Settings, specs: tuple[ChildSpec, ...], say: Say) -> None:
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
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
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
