"""Judges how we learn on a later time, beside a fixed plain model, by customer-bootstrapped differences."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.interval import Interval
from domain.progress import Progress, part_of, quietly
from ml.anchors import tier_shares
from ml.bootstrap import interval
from ml.card import variants
from ml.fitting import fit, predict_plainly
from ml.learning import Learned, fit_again, learn
from ml.metrics import Figures, auc, figures, from_log_odds, log_losses
from ml.recipes import RECIPES, USUAL, USUAL_TREES, Recipe
from ml.samples import Codes, Flags, Floats, Samples, date_of, days_of

LEVEL = 0.9
"""Of paired differences: the lower bound is the 5 % quantile."""


@dataclass(frozen=True)
class Task:
    """What is learned and when it is judged; dates are inclusive."""

    target: str
    horizon: int
    is_churn: bool
    train_until: dt.date
    test_from: dt.date
    test_to: dt.date


@dataclass(frozen=True)
class Evaluation:
    """A model judged on later snapshots."""

    task: Task
    train: Samples
    test: Samples
    learned: Sequence[Learned]
    ours: Sequence[Floats]
    """Probabilities of the test rows, by each seed's model."""
    plain: Sequence[Floats]
    usual: Sequence[Floats]
    """Usual settings on all columns: what the columns bring by themselves."""

    @property
    def happened(self) -> Flags:
        """What became of the test rows."""
        return self.test.happened(self.task.horizon)

    @property
    def mean(self) -> Floats:
        """Return the mean of the seeds' probabilities."""
        mean: Floats = np.mean(self.ours, axis=0)
        return mean

    def figures(self) -> Figures:
        """Judge the mean of the seeds."""
        base = float(self.train.happened(self.task.horizon).mean())
        return figures(self.happened, self.mean, base)

    def auc(self) -> Interval:
        """Return the mean AUC of the seeds."""
        return self.auc_of(self.ours)

    def difference(self, other: Sequence[Floats]) -> Interval:
        """Return our mean AUC less that of others' predictions, paired by customer."""

        def gain(rows: Codes) -> float:
            happened = self.happened[rows]
            return _mean_auc(happened, self.ours, rows) - _mean_auc(happened, other, rows)

        return interval(self.test.customers, gain, level=LEVEL)

    def loss_difference(self) -> Interval:
        """Return our log-loss less that of the constant predictor, paired by customer; below 0 is better."""
        base = float(self.train.happened(self.task.horizon).mean())
        constant = log_losses(self.happened, np.full(len(self.test), base))
        less = log_losses(self.happened, self.mean) - constant
        return interval(self.test.customers, lambda rows: float(less[rows].mean()), level=LEVEL)

    def auc_of(self, predictions: Sequence[Floats]) -> Interval:
        """Return the mean AUC of several seeds' predictions."""
        happened = self.happened
        return interval(self.test.customers, lambda rows: _mean_auc(happened[rows], predictions, rows))


def _mean_auc(happened: Flags, predictions: Sequence[Floats], rows: Codes) -> float:
    return float(np.mean([auc(happened, one[rows]) for one in predictions]))


def split(samples: Samples, task: Task) -> tuple[Samples, Samples]:
    """Return what may be learned from, as known when the training window closed, and what is judged.

    The model would have been trained on the eve of the first test date: labels that had not matured by then
    are not learned from, whatever is known today. Whether a lapse is a departure is known a grace later.
    """
    eve = task.test_from - dt.timedelta(days=1)
    train = samples.settled_by(eve, is_churn=task.is_churn).until(task.train_until).matured(task.horizon)
    inside = (samples.as_of >= days_of(task.test_from)) & (samples.as_of <= days_of(task.test_to))
    return train, samples.where(inside).matured(task.horizon)


def evaluate(
    samples: Samples,
    task: Task,
    seeds: int = 5,
    *,
    recipes: Sequence[Recipe] = RECIPES,
    progress: Progress = quietly,
) -> Evaluation:
    """Learn on the training window with several seeds and predict the test window; it chooses nothing."""
    train, test = split(samples, task)
    first = learn(
        train, task.horizon, is_churn=task.is_churn, recipes=recipes, progress=part_of(progress, 0.0, 0.8)
    )
    learned: list[Learned] = []
    plain: list[Floats] = []
    usual: list[Floats] = []
    for seed in range(1, seeds + 1):
        learned.append(first if seed == 1 else fit_again(first, train, seed))
        plain.append(predict_plainly(train, test, first.columns, task.horizon, seed))
        usual.append(_with_usual_settings(train, test, first.columns, task.horizon, seed))
        progress(f"seed {seed} of {seeds}", 0.8 + 0.2 * seed / seeds)
    ours = [one.probability(test.select(one.columns)) for one in learned]
    return Evaluation(task, train, test, learned, ours, plain, usual)


def _with_usual_settings(
    train: Samples, test: Samples, columns: Sequence[str], horizon: int, seed: int
) -> Floats:
    model = fit(USUAL, train, columns, horizon, seed, trees=USUAL_TREES)
    raw = model.predict(test.select(columns), prediction_type="RawFormulaVal")
    return from_log_odds(np.asarray(raw, dtype=np.float64))


def document(evaluation: Evaluation, leak_checks: dict[str, Any], model: str) -> dict[str, Any]:
    """Return it as published: `everstay evaluate --json`."""
    found, first = evaluation.figures(), evaluation.learned[0]
    scores = first.anchors.scores(evaluation.mean)
    return {
        "target": evaluation.task.target,
        "model": model,
        "train": _window(evaluation.train, evaluation.task.horizon),
        "test": _window(evaluation.test, evaluation.task.horizon),
        "seeds": len(evaluation.learned),
        "auc": evaluation.auc().document(),
        "baseline_auc": evaluation.auc_of(evaluation.plain).document(),
        "auc_difference": evaluation.difference(evaluation.plain).document(),
        "usual_settings_auc": evaluation.auc_of(evaluation.usual).document(),
        "usual_settings_difference": evaluation.difference(evaluation.usual).document(),
        "pr_auc": found.pr_auc,
        "brier": found.brier,
        "log_loss": found.log_loss,
        "constant_log_loss": found.constant_log_loss,
        "log_loss_difference": evaluation.loss_difference().document(),
        "calibration_slope": found.calibration_slope,
        "calibration_intercept": found.calibration_intercept,
        "ece": found.ece,
        "lift_top_decile": found.lift_top_decile,
        "tiers": tier_shares(scores),
        "form": first.form.value,
        "calibration": "identity" if first.calibration.is_identity else "platt",
        "variants": variants(first),
        "leak_checks": leak_checks,
    }


def _window(samples: Samples, horizon: int) -> dict[str, Any]:
    dates = samples.dates()
    return {
        "from": date_of(dates[0]).isoformat() if len(dates) else None,
        "to": date_of(dates[-1]).isoformat() if len(dates) else None,
        "rows": len(samples),
        "customers": len(np.unique(samples.customers)),
        "positives": int(samples.happened(horizon).sum()),
    }
