"""The difference between those who were treated and those who were left out, and how sure it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.interval import Interval
from ml.samples import Flags, Floats

DRAWS = 8_000
LEVEL = 0.95
PRIOR = 0.5
"""Jeffreys' prior of a share, Beta(1/2, 1/2): its intervals hold their level also where events are rare
(Brown, Cai and DasGupta 2001)."""


@dataclass(frozen=True)
class Rate:
    """A share of customers, and how many equally weighted ones would say as much."""

    share: float
    size: float

    @property
    def good(self) -> float:
        """Return customers that did well, in equally weighted ones."""
        return self.share * self.size

    @property
    def bad(self) -> float:
        """Return the others."""
        return (1 - self.share) * self.size


EMPTY = Rate(0.0, 0.0)


def rate(good: Flags, propensity: Floats) -> Rate:
    """Return one arm's share by self-normalised inverse propensities (Swaminathan and Joachims 2015).

    `propensity` is the probability (0 to 1) with which each customer came to this arm. The size is Kish's
    effective one, (sum w)^2 / sum w^2: where all came by the same chance it is their number.
    """
    if not len(good):
        return EMPTY
    weight = 1 / propensity
    total = float(weight.sum())
    return Rate(float((weight * good).sum()) / total, total**2 / float((weight**2).sum()))


def draws(one: Rate, random: np.random.Generator, count: int = DRAWS) -> Floats:
    """Return draws from the posterior of a share."""
    return random.beta(one.good + PRIOR, one.bad + PRIOR, count)


def difference(treated: Rate, untreated: Rate, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return treated less untreated with its interval, from posterior draws of the two shares."""
    random = np.random.default_rng(seed)
    apart = draws(treated, random) - draws(untreated, random)
    low, high = np.quantile(apart, [(1 - level) / 2, (1 + level) / 2])
    return Interval(treated.share - untreated.share, float(low), float(high))


def share(one: Rate, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return one arm's share with its interval."""
    low, high = np.quantile(draws(one, np.random.default_rng(seed)), [(1 - level) / 2, (1 + level) / 2])
    return Interval(one.share, float(low), float(high))


def standardised(strata: list[tuple[Rate, Rate, float]], *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return treated less untreated within strata, weighted: (treated, untreated, weight) of each.

    Direct standardisation (Rothman, Greenland and Lash 2008, chapter 15): with the treated as weights it is
    the effect on those who were treated, as far as the strata hold all that told who would be.
    """
    random = np.random.default_rng(seed)
    total = sum(weight for *_, weight in strata)
    apart: NDArray[np.float64] = np.zeros(DRAWS)
    value = 0.0
    for treated, untreated, weight in strata:
        part = weight / total
        value += part * (treated.share - untreated.share)
        apart += part * (draws(treated, random) - draws(untreated, random))
    low, high = np.quantile(apart, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))
