"""The part of the embedded stack that the workflows need: services, a provider, and a worker per queue.

No relay, no scoring: what customers' workflows hear is what the benchmark tells them.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from domain.errors import EverstayError
from settings import Settings, load_settings
from workers.bench.bare_worker import QUEUE
from workers.embedded.children import ChildSpec
from workers.embedded.parts import full_stack, resolve
from workers.embedded.pollers import queues_are_polled
from workers.embedded.stack import run_stack

LIFECYCLE, DECISIONS, ACTIVITIES, EMAIL = "worker-lifecycle", "worker-decisions", "worker-activities", "email"
NEEDED = ("postgres", "temporal", "migrations", "clock", "simulators", LIFECYCLE, DECISIONS, ACTIVITIES)
BARE = "worker-bare"
QUIET = {"EVERSTAY_LOG_LEVEL": "warning"}


def workflow_children(day_seconds: float) -> Callable[[Settings], tuple[ChildSpec, ...]]:
    """Return the table of children; a day of so many seconds also brings entities' ninety days closer."""

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        resolved = resolve(settings)
        kept = (_alone(spec) for spec in full_stack(settings) if spec.name in NEEDED)
        found = tuple(_changed(spec, resolved, day_seconds) for spec in kept)
        return (*found, *(_bare(spec, resolved) for spec in found if spec.name == LIFECYCLE))

    return children


def _alone(spec: ChildSpec) -> ChildSpec:
    needs = tuple(name for name in spec.depends_on if name in NEEDED)
    return replace(spec, depends_on=needs, environment={**spec.environment, **QUIET})


def _changed(spec: ChildSpec, settings: Settings, day_seconds: float) -> ChildSpec:
    if spec.name == ACTIVITIES:
        command = (sys.executable, "-m", "cli", "serve", "worker", "--queue", EMAIL)
        return replace(spec, command=command, ready=queues_are_polled(settings, (EMAIL,)))
    if spec.name == LIFECYCLE:
        return replace(spec, command=(sys.executable, "-m", "workers.bench.short_lives", str(day_seconds)))
    return spec


def _bare(worker: ChildSpec, settings: Settings) -> ChildSpec:
    """Return a worker of empty workflows, to measure what the server alone allows."""
    command = (sys.executable, "-m", "workers.bench.bare_worker")
    return replace(
        worker, name=BARE, command=command, where=QUEUE, ready=queues_are_polled(settings, (QUEUE,))
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = 0
    try:
        table = workflow_children(float(sys.argv[1]))
        asyncio.run(run_stack(load_settings(), _say, auto_ports=True, children=table))
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as the command line itself does
