"""Which odds a score of 25, 50, 75 and 100 stands for: frozen with the model, every tier populated."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from domain.risk import ANCHORS
from domain.scoring_policy import TIER_FLOORS
from ml.metrics import log_odds
from ml.samples import Floats

LEAST_SHARES = {50.0: 0.03, 75.0: 0.01}
"""Shares of customers at or above a score under which its anchor is lowered: nobody works an empty tier."""
LEAST_GAP = 0.05
"""Doublings between two anchors, at least."""


@dataclass(frozen=True)
class Anchors:
    """Points of a piecewise linear score in doublings of the odds, and who was where out of time."""

    points: tuple[tuple[float, float], ...]
    base_rate: float
    shares: dict[str, float]
    """Share of each tier among the out-of-time predictions."""

    @property
    def empty(self) -> list[str]:
        """Return tiers in which nobody was: an alarm."""
        return [tier for tier, share in self.shares.items() if share == 0]

    def scores(self, probability: Floats) -> Floats:
        """Return scores (0 to 100) before rounding down."""
        at, score = zip(*self.points, strict=True)
        found: Floats = np.interp(doublings(probability, self.base_rate), at, score)
        return found


def doublings(probability: Floats, base_rate: float) -> Floats:
    """Return how often the odds of the base rate must be doubled to reach those of each probability."""
    base = float(log_odds(np.array([base_rate]))[0])
    return (log_odds(probability) - base) / math.log(2)


def choose_anchors(probability: Floats, base_rate: float) -> Anchors:
    """Start from the fixed anchors, and lower those of `high` and `critical` where too few would be there."""
    reached = doublings(probability, base_rate)
    points = {score: at for at, score in ANCHORS}
    for score, share in LEAST_SHARES.items():
        if len(reached) and float((reached >= points[score]).mean()) < share:
            points[score] = float(np.quantile(reached, 1 - share))
    ordered = sorted(points.items())
    held = [ordered[0]]
    for score, at in ordered[1:]:
        held.append((score, max(at, held[-1][1] + LEAST_GAP)))
    anchors = Anchors(tuple((at, score) for score, at in held), base_rate, {})
    return Anchors(anchors.points, base_rate, tier_shares(anchors.scores(probability)))


def tier_shares(scores: Floats) -> dict[str, float]:
    """Return the share of each tier among scores."""
    floors = sorted(((tier.value, floor) for tier, floor in TIER_FLOORS.items()), key=lambda one: one[1])
    shares = {}
    for (tier, floor), (_, above) in pairwise([*floors, ("", math.inf)]):
        inside = (np.floor(scores + 1e-9) >= floor) & (np.floor(scores + 1e-9) < above)
        shares[tier] = float(inside.mean()) if len(scores) else 0.0
    return shares
