"""Churn, GRR, NRR and time to value with intervals, drawn by customer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.retention_figures import (
    Held,
    Wait,
    gross_retention,
    logo_churn,
    median_wait,
    net_retention,
)

One = TypeVar("One")
Numbers = NDArray[np.float64]
ROUNDS = 1000
LEVEL = 0.95
NORMAL = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Figure:
    """A figure of some customers and its 95 % interval; None where it cannot be told."""

    value: float | None
    low: float | None
    high: float | None
    customers: int

    def document(self) -> dict[str, float | int | None]:
        """Return it as published."""
        found = {"value": self.value, "low": self.low, "high": self.high}
        rounded = {name: None if one is None else round(one, 4) for name, one in found.items()}
        return {**rounded, "customers": self.customers}


def figures(cohort: Sequence[Held], waits: Sequence[Wait], *, seed: int = 0) -> dict[str, Figure]:
    """Return the four figures; time to value is the median in days."""
    return {
        "churn": churn_figure(cohort),
        "grr": _revenue_figure(cohort, gross_retention, seed),
        "nrr": _revenue_figure(cohort, net_retention, seed),
        "time_to_value_days": _drawn(waits, median_wait, seed),
    }


def churn_figure(cohort: Sequence[Held]) -> Figure:
    """Return churn with Wilson's interval, which is wide where few are seen and nobody left."""
    value = logo_churn(cohort)
    if value is None:
        return Figure(None, None, None, 0)
    low, high = _wilson(value, len(cohort))
    return Figure(value, low, high, len(cohort))


def _wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson (1927), Probable inference, the law of succession, and statistical inference."""
    weight = NORMAL**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = NORMAL * (share * (1 - share) / count + weight / (4 * count)) ** 0.5 / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def _revenue_figure(
    cohort: Sequence[Held], figure: Callable[[Sequence[Held]], float | None], seed: int
) -> Figure:
    """Draw customers; where nobody lost anything, leave room for those who may have been missed."""
    found = _drawn(cohort, figure, seed)
    if found.low is None or any(one.closing_minor < one.opening_minor for one in cohort):
        return found
    return Figure(found.value, min(found.low, 1 - _wilson(0.0, len(cohort))[1]), found.high, len(cohort))


def _drawn(rows: Sequence[One], figure: Callable[[Sequence[One]], float | None], seed: int) -> Figure:
    """Bootstrap by customer; a figure that a draw does not reach lies beyond every number."""
    value = figure(rows)
    if value is None:
        return Figure(None, None, None, len(rows))
    random = np.random.default_rng(seed)
    draws = random.integers(0, len(rows), (ROUNDS, len(rows)))
    found = [figure([rows[place] for place in draw]) for draw in draws]
    ordered = np.sort([np.inf if one is None else one for one in found])
    return Figure(value, _quantile(ordered, (1 - LEVEL) / 2), _quantile(ordered, (1 + LEVEL) / 2), len(rows))


def _quantile(ordered: Numbers, part: float) -> float | None:
    found = float(ordered[round(part * (len(ordered) - 1))])
    return found if np.isfinite(found) else None
