"""Intervals by drawing customers, not rows: snapshots of one customer are no independent evidence."""

from collections.abc import Callable, Iterator

import numpy as np

from domain.interval import Interval
from ml.samples import Codes

ROUNDS = 400


def resamples(customers: Codes, *, seed: int, rounds: int = ROUNDS) -> Iterator[Codes]:
    """Draw customers with replacement and yield the places of all their rows."""
    _, group = np.unique(customers, return_inverse=True)
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(group.max() + 2))
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        drawn = random.integers(0, len(edges) - 1, len(edges) - 1)
        yield np.concatenate([order[edges[one] : edges[one + 1]] for one in drawn])


def interval(
    customers: Codes,
    figure: Callable[[Codes], float],
    *,
    level: float = 0.95,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Interval:
    """Return a figure of all rows and its percentile interval; `figure` takes the places of the rows."""
    whole = figure(np.arange(len(customers)))
    found = np.array([figure(places) for places in resamples(customers, seed=seed, rounds=rounds)])
    found = found[np.isfinite(found)]
    if not len(found):
        return Interval(whole, float("nan"), float("nan"))
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(whole, float(low), float(high))
