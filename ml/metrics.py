"""How good probabilities are: ranking, calibration, and what they are worth at a team's capacity."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from ml.samples import Flags, Floats

SMALLEST = 1e-6
"""Probabilities are held away from 0 and 1 by this much before logarithms are taken."""
BINS = 10


def log_odds(probability: Floats) -> Floats:
    """Return natural log-odds."""
    held = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.log(held / (1 - held))


def from_log_odds(odds: Floats) -> Floats:
    """Return probabilities."""
    return 1 / (1 + np.exp(-odds))


def auc(happened: Flags, score: Floats) -> float:
    """Return the area under the ROC curve (Mann-Whitney U over pairs, ties count half); NaN of one class."""
    positives = int(happened.sum())
    negatives = len(happened) - positives
    if not positives or not negatives:
        return float("nan")
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(score))
    ranks[order] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return float((ranks[happened].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def log_losses(happened: Flags, probability: Floats) -> Floats:
    """Return the logarithmic loss of each row, in nats."""
    held = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return -np.where(happened, np.log(held), np.log(1 - held))


def expected_calibration_error(happened: Flags, probability: Floats) -> float:
    """Return the mean distance of predicted and observed share over ten bins of equal size (Naeini 2015)."""
    order = np.argsort(probability, kind="stable")
    parts = np.array_split(order, BINS)
    gaps = [
        len(part) * abs(float(probability[part].mean() - happened[part].mean()))
        for part in parts
        if len(part)
    ]
    return float(sum(gaps) / len(order)) if len(order) else float("nan")


def calibration_line(happened: Flags, probability: Floats) -> tuple[float, float]:
    """Return intercept and slope of the outcome on the predicted log-odds (Cox 1958); 0 and 1 are ideal."""
    if happened.all() or not happened.any() or np.ptp(probability) == 0:
        return float("nan"), float("nan")
    model = LogisticRegression(C=1e6, max_iter=1000).fit(log_odds(probability)[:, None], happened)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def lift(happened: Flags, probability: Floats, share: float = 0.1) -> float:
    """Return how much denser events are among the highest probabilities than overall."""
    most = max(1, round(share * len(probability)))
    top = np.argsort(-probability, kind="stable")[:most]
    overall = happened.mean()
    return float(happened[top].mean() / overall) if overall else float("nan")


@dataclass(frozen=True)
class Bin:
    """One point of a calibration plot."""

    rows: int
    predicted: float
    observed: float


def calibration_bins(happened: Flags, probability: Floats, bins: int = BINS) -> list[Bin]:
    """Return the points of a calibration plot: equally many rows each, lowest probabilities first."""
    order = np.argsort(probability, kind="stable")
    return [
        Bin(len(part), float(probability[part].mean()), float(happened[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]


@dataclass(frozen=True)
class Figures:
    """What is said of a model on a set of rows."""

    rows: int
    positives: int
    base_rate: float
    auc: float
    pr_auc: float
    brier: float
    log_loss: float
    constant_log_loss: float
    calibration_intercept: float
    calibration_slope: float
    ece: float
    lift_top_decile: float


def figures(happened: Flags, probability: Floats, constant: float) -> Figures:
    """Judge probabilities; `constant` is what a predictor would say who knows only the training base rate."""
    intercept, slope = calibration_line(happened, probability)
    single = not happened.any()
    return Figures(
        rows=len(happened),
        positives=int(happened.sum()),
        base_rate=float(happened.mean()) if len(happened) else float("nan"),
        auc=auc(happened, probability),
        pr_auc=float("nan") if single else float(average_precision_score(happened, probability)),
        brier=float(np.mean((probability - happened) ** 2)),
        log_loss=float(np.mean(log_losses(happened, probability))),
        constant_log_loss=float(np.mean(log_losses(happened, np.full(len(happened), constant)))),
        calibration_intercept=intercept,
        calibration_slope=slope,
        ece=expected_calibration_error(happened, probability),
        lift_top_decile=lift(happened, probability),
    )
