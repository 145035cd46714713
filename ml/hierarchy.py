"""Effects of small groups, drawn towards their relatives as far as these are alike: segment, playbook, all.

Each arm is a Beta-Bernoulli share; what is drawn together is the logarithm of their odds ratio, so that
segments that leave at different rates can share what is known of the effect. How alike relatives are is told
from themselves (empirical Bayes: Efron and Morris 1975; DerSimonian and Laird 1986), averaged over what is
plausible instead of fixed at a best guess, which is overconfident where there are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.interval import Interval
from ml.samples import Floats
from ml.uplift import DRAWS, LEVEL, PRIOR, Rate, draws

SPREADS = np.array([0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0])
"""How far the effects of relatives may differ, as a standard deviation of the log odds ratio."""
EXPECTED_SPREAD = 0.5
"""What is plausible before anything is seen: a half-normal prior of the spread (Roever and others 2021)."""
DECLARED_SPREAD = 0.3
"""How sure a declared effect is taken to be, as a standard deviation of the log odds ratio: as sure as after
a trial with 22 departures in each arm (Woolf: 1/22 + 1/22)."""
DECLARED_LEVEL = 0.9
WIDE = (0.0, 1.0)
"""Mean and standard deviation of an effect of which nothing is known, on the log odds scale."""


@dataclass(frozen=True)
class Pair:
    """The two arms of one group."""

    treated: Rate
    untreated: Rate

    @property
    def log_odds_ratio(self) -> float:
        """Return the effect on the log odds, with half a customer added everywhere (Haldane 1956)."""
        return float(
            np.log((self.treated.good + PRIOR) / (self.treated.bad + PRIOR))
            - np.log((self.untreated.good + PRIOR) / (self.untreated.bad + PRIOR))
        )

    @property
    def variance(self) -> float:
        """Return its sampling variance (Woolf 1955)."""
        cells = (self.treated.good, self.treated.bad, self.untreated.good, self.untreated.bad)
        return float(sum(1 / (cell + PRIOR) for cell in cells))


@dataclass(frozen=True)
class Expectation:
    """What relatives let expect of one group's log odds ratio: a mixture of normal distributions."""

    weight: Floats
    mean: Floats
    variance: Floats

    def density(self, at: Floats) -> Floats:
        """Return the density at each value."""
        spread = np.sqrt(self.variance)
        standard = (at[:, None] - self.mean) / spread
        return np.asarray((self.weight * np.exp(-(standard**2) / 2) / spread).sum(axis=1), dtype=np.float64)

    def summary(self) -> tuple[float, float]:
        """Return mean and standard deviation."""
        mean = float((self.weight * self.mean).sum())
        variance = float((self.weight * (self.variance + self.mean**2)).sum()) - mean**2
        return mean, float(np.sqrt(max(variance, 1e-9)))


def expect(relatives: Sequence[Pair], above: tuple[float, float] = WIDE) -> Expectation:
    """Return what to expect of a group from its relatives, itself left out, and from what is above them."""
    mean = np.full(len(SPREADS), above[0])
    variance = np.full(len(SPREADS), above[1] ** 2)
    fit = -((SPREADS / EXPECTED_SPREAD) ** 2) / 2
    for pair in relatives:
        seen = pair.variance + SPREADS**2
        whole = variance + seen
        fit = fit - (np.log(whole) + (pair.log_odds_ratio - mean) ** 2 / whole) / 2
        mean = mean + (pair.log_odds_ratio - mean) * variance / whole
        variance = variance * seen / whole
    weight = np.exp(fit - fit.max())
    return Expectation(weight / weight.sum(), mean, variance + SPREADS**2)


def drawn_together(pair: Pair, expected: Expectation, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return the effect of one group in points of share, given its data and what relatives let expect.

    Draws of both shares are weighted by how plausible their odds ratio is (importance sampling).
    """
    random = np.random.default_rng(seed)
    treated, untreated = (np.clip(draws(one, random, 2 * DRAWS), 1e-9, 1 - 1e-9) for one in _arms(pair))
    ratio = np.log(treated / (1 - treated)) - np.log(untreated / (1 - untreated))
    weight = expected.density(ratio)
    apart = treated - untreated
    low, high = _quantiles(apart, weight, level)
    return Interval(float((weight * apart).sum() / weight.sum()), low, high)


def prevented(pair: Pair, expected: Expectation, *, level: float = DECLARED_LEVEL, seed: int = 0) -> Interval:
    """Return the share of departures that treatment prevents, given data and what was expected of it.

    The value is the posterior mean of what is saved over that of what would be lost: a mean of ratios would
    be ruled by the few draws in which hardly anybody would have left.
    """
    random = np.random.default_rng(seed)
    treated, untreated = (np.clip(draws(one, random, 2 * DRAWS), 1e-9, 1 - 1e-9) for one in _arms(pair))
    ratio = np.log(treated / (1 - treated)) - np.log(untreated / (1 - untreated))
    weight = expected.density(ratio)
    share = (treated - untreated) / (1 - untreated)
    value = float((weight * (treated - untreated)).sum() / (weight * (1 - untreated)).sum())
    low, high = _quantiles(share, weight, level)
    return Interval(value, low, high)


def declared(share: float, base: float) -> tuple[float, float]:
    """Return the prior of a log odds ratio where a `share` of departures is said to be prevented.

    `base` is the share that leaves untreated.
    """
    stay, leave = 1 - base + base * share, 1 - share
    return float(np.log(stay / (1 - base)) - np.log(leave)), DECLARED_SPREAD


def _quantiles(values: Floats, weight: Floats, level: float) -> tuple[float, float]:
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    places = np.searchsorted(reached / reached[-1], [(1 - level) / 2, (1 + level) / 2])
    low, high = values[order][np.minimum(places, len(values) - 1)]
    return float(low), float(high)


def _arms(pair: Pair) -> tuple[Rate, Rate]:
    return pair.treated, pair.untreated
