"""The embedded stack of a demo: the usual children, and before the clock starts, the sample portfolio."""

import sys
from dataclasses import replace
from pathlib import Path

from settings import Settings
from workers.demo.options import DemoOptions
from workers.embedded.children import ChildSpec, Kind
from workers.embedded.parts import full_stack, resolve
from workers.embedded.runtime import environment
from workers.embedded.stack import Children

ROOT = Path(__file__).resolve().parents[2]
PORTFOLIO = "sample-portfolio"
LOGS = {"EVERSTAY_LOG_FORMAT": "json"}
"""So that errors are counted exactly."""


def demo_children(options: DemoOptions) -> Children:
    """Return the table of children for a demo."""

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        specs = [spec.after((PORTFOLIO,)) if spec.name == "clock" else spec for spec in full_stack(settings)]
        return (*(_logging(spec) for spec in specs), _portfolio(resolve(settings), options))

    return children


def _logging(spec: ChildSpec) -> ChildSpec:
    return replace(spec, environment={**spec.environment, **LOGS})


def _portfolio(settings: Settings, options: DemoOptions) -> ChildSpec:
    return ChildSpec(
        name=PORTFOLIO,
        command=(sys.executable, "-m", "workers.demo.seed", options.model_dump_json()),
        folder=ROOT,
        environment={**environment(settings), **LOGS},
        depends_on=("migrations",),
        kind=Kind.TASK,
    )
