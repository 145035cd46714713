"""The part of the embedded stack that the workflows need: services, a provider, and a worker per queue.

No relay, no scoring: what customers' workflows hear is what the benchmark tells them.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

from settings import Settings
from workers.bench.bare_worker import QUEUE
from workers.bench.child_stack import alone, serve
from workers.embedded.children import ChildSpec
from workers.embedded.parts import full_stack, resolve
from workers.embedded.pollers import queues_are_polled

LIFECYCLE, DECISIONS, ACTIVITIES, EMAIL = "worker-lifecycle", "worker-decisions", "worker-activities", "email"
NEEDED = ("postgres", "temporal", "migrations", "clock", "simulators", LIFECYCLE, DECISIONS, ACTIVITIES)
BARE = "worker-bare"


def workflow_children(day_seconds: float) -> Callable[[Settings], tuple[ChildSpec, ...]]:
    """Return the table of children; a day of so many seconds also brings entities' ninety days closer."""

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        resolved = resolve(settings)
        kept = (alone(spec, NEEDED) for spec in full_stack(settings) if spec.name in NEEDED)
        found = tuple(_changed(spec, resolved, day_seconds) for spec in kept)
        return (*found, *(_bare(spec, resolved) for spec in found if spec.name == LIFECYCLE))

    return children


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


if __name__ == "__main__":
    serve(workflow_children(float(sys.argv[1])))
