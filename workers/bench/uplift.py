"""Measures whether estimated effects keep their word, in worlds whose truth is known."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from workers.bench.report import Report


@dataclass(frozen=True)
class UpliftOptions:
    """What decides the figures: the same values give the same ones."""

    seeds: int = 20
    customers: int = 3_000
    """Of each playbook, before those of other segments are left out."""


def bench_uplift(options: UpliftOptions, tell: Callable[[str], None]) -> Report:
    """Hold the nightly report against the truth, over installations that differ by luck alone."""
    from ml.simulation.cohorts import COHORTS, truth_of
    from ml.uplift_truth import POWER_BASES, Measurement, measure, power_of_needed

    began, measured = time.monotonic(), Measurement()
    for number, found in enumerate(measure(range(1, options.seeds + 1), options.customers), 1):
        measured = found
        tell(f"installation {number} of {options.seeds}")
    truths = {one.playbook: truth_of(one)["all"] for one in COHORTS}
    figures = measured.document() | {"needed_customers": [power_of_needed(base) for base in POWER_BASES]}
    stated = {key: one["stated"] for key, one in figures.items() if isinstance(one, dict) and "stated" in one}
    return Report(
        bench="uplift",
        parameters=asdict(options),
        figures=figures,
        limits={"stated": stated, "truth": {key: asdict(one) for key, one in truths.items()}},
        ratios={
            key: round(figures[key]["coverage"] / level, 4)
            for key, level in stated.items()
            if figures[key]["intervals"]
        },
        wall_seconds=time.monotonic() - began,
    )
