"""The embedded stack as a table of children."""

import sys
from dataclasses import replace

from settings import Settings
from workers.embedded import postgres, temporal
from workers.embedded.children import ChildSpec, Kind
from workers.embedded.pollers import queues_are_polled
from workers.embedded.ports import LOCAL
from workers.embedded.probes import http_answers
from workers.embedded.runtime import environment

HEALTH_PATH = "/health"
WORKERS = {  # child: its task queues. What people wait for is not behind a night's scoring or an import
    "worker-lifecycle": ("lifecycle",),
    "worker-decisions": ("decisions",),
    "worker-activities": ("email", "billing", "scoring", "bulk"),
}


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
    api, mailbox = settings.local_url, settings.simulators_url
    before = (
        replace(_ours("migrations", "migrate", settings), kind=Kind.TASK),
        replace(_ours("clock", "serve clock", settings), kind=Kind.TASK, depends_on=("migrations",)),
    )
    serving = (
        _page(_ours("simulators", "serve simulators", settings), mailbox, settings.simulators_port),
        _page(_ours("api", "serve api", settings), api, settings.api_port, HEALTH_PATH),
        *(_worker(name, queues, settings) for name, queues in WORKERS.items()),
        _ours("relay", "serve relay", settings),
    )
    return before + tuple(spec.after(("migrations", "clock")) for spec in serving)


def _page(base: ChildSpec, url: str, port: int, path: str = "") -> ChildSpec:
    return replace(base, ready=http_answers(url + path), where=url, port=port)


def _worker(name: str, queues: tuple[str, ...], settings: Settings) -> ChildSpec:
    base = _ours(name, f"serve worker --queue {','.join(queues)}", settings)
    return replace(base, ready=queues_are_polled(settings, queues), where=", ".join(queues))


def _ours(name: str, arguments: str, settings: Settings) -> ChildSpec:
    command = (sys.executable, "-m", "cli", *arguments.split())
    return ChildSpec(name, command, environment=environment(settings))


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
