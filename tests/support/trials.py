"""Trials of known effect: customers drawn by chances that the test chooses, as they would be kept."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

import numpy as np

from domain.impact import TrialRow
from domain.time import BusinessInstant
from domain.trial_labels import Measure
from domain.trials import Arm

BEGAN = BusinessInstant(dt.datetime(2025, 1, 6, 9, tzinfo=dt.UTC))
SEGMENTS = ("small", "mid_market", "enterprise")


@dataclass(frozen=True)
class World:
    """What is true of one playbook: who leaves untreated, and by how much contact changes that."""

    base: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SEGMENTS, 0.2))
    """Share that leaves within 90 days without the playbook, by segment."""
    effect: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SEGMENTS, 0.0))
    """Points of share that stay because of it; below 0 is harm."""
    share: float = 0.1
    global_share: float = 0.0
    name: str = "low-engagement"


def trial(world: World, customers: int, seed: int) -> list[TrialRow]:
    """Return one row per customer, all of them matured."""
    random = np.random.default_rng(seed)
    names = list(world.base)
    segments = random.integers(0, len(names), customers)
    thrown = random.random((3, customers))
    return [
        _row(world, names[segment], thrown[:, place], seed * 1_000_000 + place)
        for place, segment in enumerate(segments)
    ]


def _row(world: World, segment: str, thrown: np.ndarray, number: int) -> TrialRow:
    everything, own = world.global_share, (1 - world.global_share) * world.share
    chances = {
        Arm.GLOBAL_HOLDOUT: everything,
        Arm.HOLDOUT: own,
        Arm.TREATED: 1 - everything - own,
    }
    if thrown[0] < everything:
        arm = Arm.GLOBAL_HOLDOUT
    else:
        arm = Arm.HOLDOUT if thrown[0] < everything + own else Arm.TREATED
    leaves = world.base[segment] - (world.effect[segment] if arm is Arm.TREATED else 0.0)
    return TrialRow(
        customer_id=uuid.UUID(int=number),
        playbook=world.name,
        step="",
        arm=arm.value,
        propensity=chances[arm],
        global_share=everything,
        assigned_at=BusinessInstant(BEGAN + dt.timedelta(hours=number % 1_000)),
        segment=segment,
        probability=world.base[segment],
        arr_minor=1_000_000,
        currency="USD",
        good={Measure.STAYED: bool(thrown[1] >= leaves), Measure.RECOVERED: bool(thrown[2] < 0.5)},
        claims=arm is Arm.TREATED and bool(thrown[1] >= leaves),
    )
