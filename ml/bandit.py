"""How often each variant should be dealt next: as often as it may be the best (Thompson 1933)."""

import math
from collections.abc import Sequence

import numpy as np

from ml.samples import Floats
from ml.uplift import Rate

POINTS = 4_001
PRIOR = 1.0
"""A variant that nobody got is as likely to do anything: Beta(1, 1)."""


def best_shares(rates: Sequence[Rate], least: float = 0.0) -> list[float]:
    """Return for each variant the posterior probability that its share is the highest, at least `least`.

    Integrated numerically, the density of one times the distributions of the others, so that the same counts
    give the same shares everywhere: a customer is then dealt by one throw of a hash, and the share that it
    fell on is its propensity. What is lifted to `least` is taken from the others in proportion.
    """
    grid = (np.arange(POINTS) + 0.5) / POINTS
    densities = [_density(grid, one) for one in rates]
    reached = [np.cumsum(density) - density / 2 for density in densities]
    found = []
    for place, density in enumerate(densities):
        others = [below for other, below in enumerate(reached) if other != place]
        found.append(float((density * np.prod(others, axis=0)).sum()))
    return lifted([one / sum(found) for one in found], least)


def _density(grid: Floats, one: Rate) -> Floats:
    """Return the posterior of a share over the grid, adding up to 1."""
    good, bad = one.good + PRIOR, one.bad + PRIOR
    scale = math.lgamma(good + bad) - math.lgamma(good) - math.lgamma(bad)
    density = np.exp(scale + (good - 1) * np.log(grid) + (bad - 1) * np.log1p(-grid))
    return np.asarray(density / density.sum(), dtype=np.float64)


def lifted(shares: Sequence[float], least: float) -> list[float]:
    """Return shares of at least `least`, which still add up to 1."""
    left = 1 - least * len(shares)
    if left <= 0:
        return [1 / len(shares)] * len(shares)
    low = [one < least for one in shares]
    free = sum(one for one, is_low in zip(shares, low, strict=True) if not is_low)
    room = 1 - least * sum(low)
    scaled = [least if is_low else one * room / free for one, is_low in zip(shares, low, strict=True)]
    return scaled if all(one >= least - 1e-12 for one in scaled) else [least + left * one for one in shares]
