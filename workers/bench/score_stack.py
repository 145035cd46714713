"""The part of the embedded stack that a night's scoring needs: services, and workers that do nothing else."""

import sys
from collections.abc import Callable
from dataclasses import replace

from settings import Settings
from workers.bench.child_stack import alone, serve
from workers.embedded.children import ChildSpec
from workers.embedded.parts import full_stack, resolve
from workers.embedded.pollers import queues_are_polled

SCORING, TEMPLATE = "scoring", "worker-activities"
NEEDED = ("postgres", "temporal", "migrations", "clock", TEMPLATE)


def worker_name(number: int) -> str:
    """Return the name of one scoring worker."""
    return f"worker-scoring-{number}"


def scoring_children(workers: int) -> Callable[[Settings], tuple[ChildSpec, ...]]:
    """Return the table of children with so many scoring workers."""

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        kept = [alone(spec, NEEDED) for spec in full_stack(settings) if spec.name in NEEDED]
        template = next(spec for spec in kept if spec.name == TEMPLATE)
        services = tuple(spec for spec in kept if spec is not template)
        return (*services, *(_worker(template, settings, number) for number in range(workers)))

    return children


def _worker(template: ChildSpec, settings: Settings, number: int) -> ChildSpec:
    return replace(
        template,
        name=worker_name(number),
        command=(sys.executable, "-m", "cli", "serve", "worker", "--queue", SCORING),
        where=SCORING,
        ready=queues_are_polled(resolve(settings), (SCORING,)),
    )


if __name__ == "__main__":
    serve(scoring_children(int(sys.argv[1])))
