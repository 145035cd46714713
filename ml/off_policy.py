"""What a policy would have brought, told from a log of another one whose propensities were kept.

Used before a policy of its own is dealt to anybody: personal treatment is worth its trouble only where the
lower bound of what it would have brought lies above the best treatment for all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from domain.interval import Interval
from ml.bootstrap import ROUNDS, interval
from ml.samples import Codes, Floats

Choices = NDArray[np.int64]
LEVEL = 0.95
FOLDS = 5


@dataclass(frozen=True)
class Log:
    """What was done to whom by chance, and what came of it: one row per decision.

    `arm` counts from 0; `propensity` is the probability of that arm when it was dealt; `context` is a group
    (a segment, say) known before; rows of one `customer` are no independent evidence.
    """

    customer: Codes
    context: Choices
    arm: Choices
    propensity: Floats
    reward: Floats
    arms: int

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.arm)


def policy_of(choice: Choices, arms: int) -> Floats:
    """Return the probabilities (rows by arms) of a policy that makes one choice per row."""
    return np.eye(arms)[choice]


def _weights(log: Log, policy: Floats) -> Floats:
    return np.asarray(policy[np.arange(len(log)), log.arm] / log.propensity, dtype=np.float64)


def ips(log: Log, policy: Floats) -> Floats:
    """Return each row's part of the inverse propensity estimate (Horvitz and Thompson 1952)."""
    return _weights(log, policy) * log.reward


def snips(log: Log, policy: Floats) -> Floats:
    """Return each row's part of the self-normalised estimate (Swaminathan and Joachims 2015).

    The parts are those of its linear form, so that their spread is that of the ratio.
    """
    weight = _weights(log, policy)
    mean = weight.mean()
    if mean <= 0:
        return np.full(len(log), np.nan)
    whole = float((weight * log.reward).mean() / mean)
    return np.asarray(whole + weight * (log.reward - whole) / mean, dtype=np.float64)


def doubly_robust(log: Log, policy: Floats, expected: Floats | None = None) -> Floats:
    """Return each row's part of the doubly robust estimate (Dudik, Langford and Li 2011).

    `expected` is a guess of the reward (rows by arms), made without the row itself; by default the mean of
    its context and arm over other customers. It is right where either the guess or the propensities are.
    """
    guess = cross_fitted(log) if expected is None else expected
    own = guess[np.arange(len(log)), log.arm]
    whole = (policy * guess).sum(axis=1) + _weights(log, policy) * (log.reward - own)
    return np.asarray(whole, dtype=np.float64)


def cross_fitted(log: Log) -> Floats:
    """Return for each row the mean reward of its context under each arm, from customers of other folds."""
    fold = folds(log.customer)
    guess = np.empty((len(log), log.arms))
    for one in range(FOLDS):
        rest = fold != one
        guess[~rest] = _means(log, rest)[log.context[~rest]]
    return guess


def folds(customer: Codes) -> Choices:
    """Return a fold for each row, the same for all rows of a customer."""
    _, place = np.unique(customer, return_inverse=True)
    return np.random.default_rng(0).permutation(place.max() + 1 if len(place) else 1)[place] % FOLDS


def _means(log: Log, rows: NDArray[np.bool_]) -> Floats:
    """Return mean rewards (contexts by arms), each drawn towards that of its arm by one customer."""
    means = np.zeros((int(log.context.max()) + 1, log.arms))
    for arm in range(log.arms):
        mine = rows & (log.arm == arm)
        whole = float(log.reward[mine].mean()) if mine.any() else float(log.reward[rows].mean())
        for context in range(len(means)):
            here = log.reward[mine & (log.context == context)]
            means[context, arm] = (here.sum() + whole) / (len(here) + 1)
    return means


def best_per_context(log: Log) -> Choices:
    """Return for each row the arm that did best in its context, told from other customers alone."""
    return np.asarray(cross_fitted(log).argmax(axis=1), dtype=np.int64)


Estimator = Callable[[Log, Floats], Floats]


def value(
    log: Log, policy: Floats, estimator: Estimator = doubly_robust, *, level: float = LEVEL
) -> Interval:
    """Return what a policy would have brought per decision, with its interval over drawn customers."""
    return _mean(log, estimator(log, policy), level)


def gain_over_constant(
    log: Log, policy: Floats, estimator: Estimator = doubly_robust, *, level: float = LEVEL
) -> Interval:
    """Return what a policy would have brought beyond the best arm for all, row by row, with its interval.

    The best arm for all is chosen with the same rows that judge it, which flatters it: a policy that wins
    here wins against odds.
    """
    constant = [estimator(log, policy_of(np.full(len(log), arm), log.arms)) for arm in range(log.arms)]
    best = max(constant, key=lambda parts: float(np.nanmean(parts)))
    return _mean(log, estimator(log, policy) - best, level)


def _mean(log: Log, parts: Floats, level: float) -> Interval:
    """Return the mean of the rows' parts; customers are drawn, not rows."""
    if len(np.unique(log.customer)) == len(log):
        half = float(np.std(parts, ddof=1)) / np.sqrt(len(parts)) * _quantile(level)
        return Interval(float(parts.mean()), float(parts.mean() - half), float(parts.mean() + half))
    return interval(log.customer, lambda rows: float(parts[rows].mean()), level=level, rounds=ROUNDS)


def _quantile(level: float) -> float:

    return NormalDist().inv_cdf((1 + level) / 2)
