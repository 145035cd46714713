"""Weights of the health components that outcomes propose: who left among those with which component scores.

Per segment: a logistic regression of leaving on the component scores with coefficients that cannot be
negative (a better component never makes leaving likelier), whose proportions are the weights. Repeated
snapshots of one customer are no independent evidence, so customers that left are what is counted, and the
proposal stays between the present weights and the fitted ones accordingly: share = left / (left + prior).
"""

import numpy as np

from domain.interval import Interval
from domain.scoring_policy import WeightPolicy
from domain.statistician import WeightEvidence
from ml.bootstrap import resamples
from ml.folds import forward_folds
from ml.metrics import auc
from ml.samples import Codes, Flags, Floats, Samples

SCALE = 10.0
"""Points of a component score in one unit of the regression."""
ROUNDS = 60
TOLERANCE = 1e-7
RIDGE = 1e-3
"""Per row: keeps coefficients of components that say the same from running apart."""
BOOTSTRAPS = 200


def propose_weights(
    samples: Samples, present: Floats, horizon: int, limits: WeightPolicy, seed: int = 0
) -> WeightEvidence:
    """Propose weights for one segment. `samples.matrix`: component scores (0 to 100, NaN where unknown)."""
    matured = samples.matured(horizon)
    happened = matured.happened(horizon)
    left = len(np.unique(matured.customers[happened]))
    known = present / present.sum()
    customers = len(np.unique(matured.customers))
    needed = max(0, limits.least_churned - left)
    if needed or happened.all():
        needed = max(needed, int(happened.all()))
        return WeightEvidence(len(matured), customers, left, needed, tuple(known.tolist()))
    moved = left / (left + limits.prior_churned)
    weights = tuple(blend(known, fitted(matured, happened, known), moved).tolist())
    judged = _judge(matured, happened, known, horizon, limits.prior_churned, seed)
    return WeightEvidence(len(matured), customers, left, 0, weights, moved, *judged)


def blend(present: Floats, best: Floats, moved: float) -> Floats:
    """Go from the present weights a share of the way to the best."""
    return (1 - moved) * present + moved * best


def health_of(matrix: Floats, weights: Floats) -> Floats:
    """Return the health scores of rows: absent components give their weight away; 50 where none is known."""
    known = np.isfinite(matrix)
    whole = known @ weights
    total = np.where(known, matrix, 0.0) @ weights
    return np.where(whole > 0, total / np.where(whole > 0, whole, 1.0), 50.0)


def fitted(samples: Samples, happened: Flags, present: Floats) -> Floats:
    """Return the weights that fit the outcomes best; the present ones where no component says anything."""
    scores = samples.matrix.astype(np.float64)
    filled = np.where(np.isfinite(scores), scores, health_of(scores, present)[:, None])
    found = _non_negative_logistic(-(filled - filled.mean(axis=0)) / SCALE, happened, present)
    return found / found.sum() if found.sum() > 0 else present


def _non_negative_logistic(inputs: Floats, happened: Flags, towards: Floats) -> Floats:
    """Minimise the log-loss with coefficients of at least 0: Newton steps, each a bounded least squares."""
    coefficients, intercept = towards.copy(), float(np.log(happened.mean() / (1 - happened.mean())))
    ridge = RIDGE * len(inputs)
    for _ in range(ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(intercept + inputs @ coefficients, -30, 30)))
        curve = np.maximum(chance * (1 - chance), 1e-6)
        target = intercept + inputs @ coefficients + (happened - chance) / curve
        new, intercept = _bounded(inputs, target, curve, coefficients, ridge)
        moved = float(np.abs(new - coefficients).max())
        coefficients = new
        if moved < TOLERANCE:
            break
    return coefficients


def _bounded(
    inputs: Floats, target: Floats, weight: Floats, start: Floats, ridge: float
) -> tuple[Floats, float]:
    """Weighted least squares with coefficients of at least 0, one coordinate after the other."""
    mean = np.average(inputs, axis=0, weights=weight)
    middle = float(np.average(target, weights=weight))
    centred = inputs - mean
    products = (centred * weight[:, None]).T @ centred
    answers = (centred * weight[:, None]).T @ (target - middle)
    found = start.copy()
    for _ in range(ROUNDS):
        before = found.copy()
        for place in range(len(found)):
            rest = answers[place] - products[place] @ found + products[place, place] * found[place]
            found[place] = max(0.0, rest / (products[place, place] + ridge))
        if float(np.abs(found - before).max()) < TOLERANCE:
            break
    return found, middle - float(mean @ found)


def _judge(
    samples: Samples, happened: Flags, present: Floats, horizon: int, prior_left: float, seed: int
) -> tuple[Interval, ...]:
    """Rank rows of later dates and other customers with both; nothing where there are no such rows."""
    scores = samples.matrix.astype(np.float64)
    mine, theirs = np.full(len(samples), np.nan), -health_of(scores, present)
    for fold in forward_folds(samples, horizon, seed):
        learned = happened[fold.train]
        left = len(np.unique(samples.customers[fold.train][learned]))
        if not left or learned.all():
            continue
        best = fitted(samples.where(fold.train), learned, present)
        mine[fold.valid] = -health_of(scores[fold.valid], blend(present, best, left / (left + prior_left)))
    places = np.flatnonzero(np.isfinite(mine))
    if not happened[places].any() or happened[places].all():
        return ()
    return _ranked(samples.customers[places], happened[places], theirs[places], mine[places], seed)


def _ranked(
    customers: Codes, happened: Flags, theirs: Floats, mine: Floats, seed: int
) -> tuple[Interval, ...]:
    """Return the AUC of both and their difference, each from the same draws of customers."""

    def both(rows: Codes) -> tuple[float, float]:
        return auc(happened[rows], theirs[rows]), auc(happened[rows], mine[rows])

    whole = both(np.arange(len(customers)))
    drawn = np.array([both(rows) for rows in resamples(customers, seed=seed, rounds=BOOTSTRAPS)])
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    return (
        _interval(whole[0], drawn[:, 0]),
        _interval(whole[1], drawn[:, 1]),
        _interval(whole[1] - whole[0], drawn[:, 1] - drawn[:, 0]),
    )


def _interval(value: float, drawn: Floats) -> Interval:
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))
