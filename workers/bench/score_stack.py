"""The part of the embedded stack that a night's scoring needs: services, and workers that do nothing else."""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from domain.errors import EverstayError
from settings import Settings, load_settings
from workers.embedded.children import ChildSpec
from workers.embedded.parts import full_stack, resolve
from workers.embedded.pollers import queues_are_polled
from workers.embedded.stack import run_stack

SCORING, TEMPLATE = "scoring", "worker-activities"
NEEDED = ("postgres", "temporal", "migrations", "clock", TEMPLATE)
QUIET = {"EVERSTAY_LOG_LEVEL": "warning"}


def worker_name(number: int) -> str:
    """Return the name of one scoring worker."""
    return f"worker-scoring-{number}"


def scoring_children(workers: int) -> Callable[[Settings], tuple[ChildSpec, ...]]:
    """Return the table of children with so many scoring workers."""

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        kept = [_alone(spec) for spec in full_stack(settings) if spec.name in NEEDED]
        template = next(spec for spec in kept if spec.name == TEMPLATE)
        services = tuple(spec for spec in kept if spec is not template)
        return (*services, *(_worker(template, settings, number) for number in range(workers)))

    return children


def _alone(spec: ChildSpec) -> ChildSpec:
    needs = tuple(name for name in spec.depends_on if name in NEEDED)
    return replace(spec, depends_on=needs, environment={**spec.environment, **QUIET})


def _worker(template: ChildSpec, settings: Settings, number: int) -> ChildSpec:
    return replace(
        template,
        name=worker_name(number),
        command=(sys.executable, "-m", "cli", "serve", "worker", "--queue", SCORING),
        where=SCORING,
        ready=queues_are_polled(resolve(settings), (SCORING,)),
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    code = 0
    try:
        table = scoring_children(int(sys.argv[1]))
        asyncio.run(run_stack(load_settings(), _say, auto_ports=True, children=table))
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as the command line itself does
