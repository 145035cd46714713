"""Whether what a model reads has changed since it learned, and whether it is still right.

A change in what is read warns; a model that is wrong on outcomes that have matured is an alarm: the first is
often harmless, and the second is what matters.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.drift_words import Change
from domain.interval import Interval
from domain.statistician import Hindsight
from ml.metrics import log_losses
from ml.samples import Flags, Floats

BINS = 10
SMALLEST_SHARE = 0.5
"""Customers that an empty bin is counted as: the logarithm of nothing says nothing."""
NORMAL_95, NORMAL_999 = 1.96, 3.09


@dataclass(frozen=True)
class Reference:
    """What one column looked like when the model learned: edges of ten quantile bins, and their shares."""

    edges: tuple[float, ...]
    """Inner edges; fewer where values repeat. A bin holds what is above its lower edge, to the upper one."""
    shares: tuple[float, ...]
    """One more than edges, and at the end the share of unknown values."""
    rows: int
    median: float | None

    def document(self) -> dict[str, Any]:
        """Return it as stored."""
        kept = {"edges": list(self.edges), "shares": list(self.shares), "rows": self.rows}
        return {**kept, "median": self.median}


def read_reference(document: Mapping[str, Any]) -> Reference:
    """Return a reference as it was stored."""
    edges, shares = tuple(document["edges"]), tuple(document["shares"])
    return Reference(edges, shares, int(document["rows"]), document["median"])


def reference_of(values: Floats) -> Reference:
    """Describe a column by its quantiles; NaN is a bin of its own.

    Where few values repeat, what lies below the lowest of them is a bin too: nothing was there.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Reference((), (0.0, 1.0), len(values), None)
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    if len(edges) < BINS - 1:
        edges = np.unique(np.r_[np.nextafter(known.min(), -np.inf), edges])
    return Reference(
        tuple(float(edge) for edge in edges),
        tuple(_shares(edges, values)),
        len(values),
        float(np.median(known)),
    )


def _shares(edges: Floats, values: Floats) -> list[float]:
    known = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return [float(count) / max(len(values), 1) for count in (*counts, len(values) - len(known))]


def shift_of(reference: Reference, values: Floats) -> Change:
    """Compare values with a reference.

    PSI = sum over bins of (now - then) * ln(now / then), with shares as fractions (Siddiqi 2006, Credit Risk
    Scorecards). Where nothing has changed, PSI / (1/n + 1/m) follows a chi-squared distribution with one
    degree of freedom less than there are bins (Yurdakul and Naranjo 2020); its 99.9 % point is `noise`. The
    share that moved is half the sum of absolute differences (total variation).
    """
    edges = np.array(reference.edges)
    then, now = np.array(reference.shares), np.array(_shares(edges, values))
    known = values[np.isfinite(values)]
    used = (then > 0) | (now > 0)
    freedom = max(1, int(used.sum()) - 1)
    sizes = 1 / max(reference.rows, 1) + 1 / max(len(values), 1)
    return Change(
        psi=_psi(_held(then[used], reference.rows), _held(now[used], len(values))),
        noise=_chi_squared_point(freedom) * sizes,
        moved=float(np.abs(now - then).sum() / 2),
        unknown_before=reference.shares[-1],
        unknown=float(now[-1]),
        median_before=reference.median,
        median=float(np.median(known)) if len(known) else None,
    )


def _held(shares: Floats, rows: int) -> Floats:
    held: Floats = np.maximum(shares, SMALLEST_SHARE / max(rows, 1))
    held /= held.sum()
    return held


def _psi(then: Floats, now: Floats) -> float:
    return float(((now - then) * np.log(now / then)).sum())


def _chi_squared_point(freedom: int) -> float:
    """Return the 99.9 % point of a chi-squared distribution (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * freedom)
    return freedom * (1 - spread + NORMAL_999 * math.sqrt(spread)) ** 3


def look_back(happened: Flags, probability: Floats) -> Hindsight:
    """Compare observed with expected (calibration in the large), one row per customer."""
    rows, observed, expected = len(happened), int(happened.sum()), float(probability.sum())
    ratio = _ratio(rows, observed, expected)
    return Hindsight(observed, expected, ratio, log_loss(happened, probability))


def _ratio(rows: int, observed: int, expected: float) -> Interval:
    """Return observed over expected.

    The 95 % interval is that of ln(O/E) with standard error sqrt((1 - O/n) / O) (Debray et al. 2017); where
    nobody left, it ends at 3/E (the rule of three, Hanley and Lippman-Hand 1983).
    """
    if not rows or expected <= 0:
        return Interval(math.nan, math.nan, math.nan)
    ratio = observed / expected
    if not observed:
        return Interval(ratio, 0.0, 3 / expected)
    spread = math.exp(NORMAL_95 * math.sqrt((1 - observed / rows) / observed))
    return Interval(ratio, ratio / spread, ratio * spread)


def log_loss(happened: Flags, probability: Floats) -> Interval:
    """Return the mean log-loss of one row per customer, in nats, with its 95 % interval (normal)."""
    losses = log_losses(happened, probability)
    if not len(losses):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(losses.mean())
    wide = NORMAL_95 * float(losses.std(ddof=1)) / math.sqrt(len(losses)) if len(losses) > 1 else math.nan
    return Interval(mean, mean - wide, mean + wide)


def references_of(matrix: Floats, columns: Sequence[str]) -> dict[str, Reference]:
    """Describe every column of a matrix."""
    return {name: reference_of(matrix[:, place]) for place, name in enumerate(columns)}


def shifts_of(
    references: Mapping[str, Reference], matrix: Floats, columns: Sequence[str]
) -> dict[str, Change]:
    """Compare every column that has a reference."""
    return {
        name: shift_of(references[name], matrix[:, place])
        for place, name in enumerate(columns)
        if name in references
    }
