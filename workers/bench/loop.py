"""Measures what score, act and learn is worth: churn against the holdout, and against an untreated twin."""

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from workers.bench.report import Report


@dataclass(frozen=True)
class LoopOptions:
    """What decides the figures: the same values give the same ones."""

    seeds: int = 20
    customers: int = 300
    days: int = 450
    preset: str = "company"


def bench_loop(options: LoopOptions, tell: Callable[[str], None]) -> Report:
    """Live each company three times: looked after and learning, without learning, and by nobody."""
    from domain.customer_state import KnownPlaybook
    from ml.loop_truth import LoopMeasurement, loop
    from ml.simulation.guided_plan import GuidedPlan
    from ml.simulation.worlds import Preset
    from models.playbooks import read_library
    from workers.library import LIBRARY

    playbooks = [
        KnownPlaybook(uuid.uuid5(uuid.NAMESPACE_URL, one.key), one, released=True)
        for one in read_library(LIBRARY)
    ]
    preset = Preset(options.preset)
    plans = [
        GuidedPlan(options.customers, options.days, seed, preset=preset)
        for seed in range(1, options.seeds + 1)
    ]
    began, measured = time.monotonic(), LoopMeasurement()
    for number, found in enumerate(loop(plans, playbooks), 1):
        measured = found
        tell(f"company {number} of {options.seeds}")
    figures = measured.document()
    untreated = figures["churn_untreated"]
    return Report(
        bench="loop",
        parameters=asdict(options)
        | {"global_holdout": plans[0].global_share, "own_holdout": plans[0].own_share},
        figures=figures,
        limits={"churn_untreated": untreated},
        ratios={"churn": round(figures["churn_treated"] / untreated, 4) if untreated else None},
        wall_seconds=time.monotonic() - began,
    )
