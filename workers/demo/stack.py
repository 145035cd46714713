"""The embedded stack of a demo: the usual children, and two jobs between them that only a demo has."""

import sys
from dataclasses import replace
from pathlib import Path

from settings import Settings
from workers.demo.options import DemoOptions
from workers.demo.seed import FILL, START
from workers.embedded.children import ChildSpec, Kind
from workers.embedded.parts import full_stack, resolve
from workers.embedded.runtime import environment
from workers.embedded.stack import Children

ROOT = Path(__file__).resolve().parents[2]
PORTFOLIO, BUSINESS = "sample-portfolio", "business-time"
RINGS = "relay"
"""The child that first asks for business time: it starts the customers' workflows and the calendar."""
LOGS = {"EVERSTAY_LOG_FORMAT": "json"}
"""So that errors are counted exactly."""


def demo_children(options: DemoOptions) -> Children:
    """Return the table of children for a demo.

    The portfolio is stored before the clock's child; business time starts when everything is up that
    has to keep pace with it, just before the relay.
    """

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        usual = full_stack(settings)
        serving = tuple(spec.name for spec in usual if spec.name != RINGS)
        jobs = (
            _job(PORTFOLIO, FILL, ("migrations",), settings, options),
            _job(BUSINESS, START, serving, settings, options),
        )
        before = {"clock": (PORTFOLIO,), RINGS: (BUSINESS,)}
        return (*(_logging(spec.after(before.get(spec.name, ()))) for spec in usual), *jobs)

    return children


def _logging(spec: ChildSpec) -> ChildSpec:
    return replace(spec, environment={**spec.environment, **LOGS})


def _job(name: str, word: str, needs: tuple[str, ...], settings: Settings, options: DemoOptions) -> ChildSpec:
    return ChildSpec(
        name=name,
        command=(sys.executable, "-m", "workers.demo.seed", word, options.model_dump_json()),
        folder=ROOT,
        environment={**environment(resolve(settings)), **LOGS},
        depends_on=needs,
        kind=Kind.TASK,
    )
