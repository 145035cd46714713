"""The embedded stack of a demo: the usual children, and two jobs between them that only a demo has."""

import sys
from dataclasses import replace
from pathlib import Path

from integrations.simulators.stripe.account import STRIPE_KEY, WEBHOOK_SECRET
from settings import Settings
from workers.demo.billing import SECRET, TOKEN
from workers.demo.options import DemoOptions
from workers.demo.seed import FILL, PREPARE, START
from workers.embedded.children import ChildSpec, Kind
from workers.embedded.parts import full_stack, resolve
from workers.embedded.runtime import environment
from workers.embedded.stack import Children

ROOT = Path(__file__).resolve().parents[2]
CLOCK, PORTFOLIO, BUSINESS = "clock", "sample-portfolio", "business-time"
RINGS = "relay"
"""The child that first asks for business time: it starts the customers' workflows and the calendar."""
LOGS = {"EVERSTAY_LOG_FORMAT": "json"}
"""So that errors are counted exactly."""
STRIPE = {TOKEN: STRIPE_KEY, SECRET: WEBHOOK_SECRET}
"""What the simulated Stripe is connected with; it opens nothing else."""
SIMULATORS = "simulators"


def demo_children(options: DemoOptions) -> Children:
    """Return the table of children for a demo.

    The clock's child sets the demo's clock instead of resuming one. The portfolio is stored while our parts
    start; business time starts when both are done, just before the relay.
    """

    def children(settings: Settings) -> tuple[ChildSpec, ...]:
        usual = full_stack(settings)
        serving = tuple(spec.name for spec in usual if spec.name != RINGS)
        clock = _job(CLOCK, PREPARE, ("migrations",), settings, options)
        jobs = (
            _job(PORTFOLIO, FILL, (CLOCK, SIMULATORS), settings, options),
            _job(BUSINESS, START, (*serving, PORTFOLIO), settings, options),
        )
        before = {RINGS: (BUSINESS,)}
        ours = (clock if spec.name == CLOCK else spec.after(before.get(spec.name, ())) for spec in usual)
        return (*(_logging(spec) for spec in ours), *jobs)

    return children


def _logging(spec: ChildSpec) -> ChildSpec:
    return replace(spec, environment={**spec.environment, **LOGS})


def _job(name: str, word: str, needs: tuple[str, ...], settings: Settings, options: DemoOptions) -> ChildSpec:
    return ChildSpec(
        name=name,
        command=(sys.executable, "-m", "workers.demo.seed", word, options.model_dump_json()),
        folder=ROOT,
        environment={**environment(resolve(settings)), **LOGS, **STRIPE},
        depends_on=needs,
        kind=Kind.TASK,
    )
