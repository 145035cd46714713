"""The trial of a challenger: what became of customers decides whether it takes the place of another."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from domain.learning_port import Check, Gathered, Ruling
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelTarget, StoredModel, Twin, evidence_weight
from ml.blend import blended, together
from ml.card import clean
from ml.gate import Bout, judge
from ml.metrics import figures
from ml.samples import Flags, Floats, days_of, either
from ml.trained import read_model
from ml.training import Rows, known_before, window_start
from ml.training_rows import rows_of


def try_challenger(challenger: Twin, champion: Twin | None, gathered: Gathered, policy: RiskPolicy) -> Ruling:
    """Judge on the newest window that neither has learned from."""
    stored = challenger.model
    horizon, target = stored.horizon_days, stored.target
    rows, model = rows_of(gathered, target), read_model(stored)
    start = window_start(rows.samples, horizon)
    first = start if champion is None else max(start, days_of(champion.judged_until) + 1)
    window = rows.where(np.flatnonzero(_judged(rows, first, horizon)))
    happened = window.samples.happened(horizon)
    base = known_before(rows.samples, start, horizon, is_churn=target.is_churn)
    ours = model.chances(model.matrix_of(window.samples))
    theirs, name = _incumbent(window, target, champion, base)
    bout = Bout(happened, window.samples.customers, ours, theirs, name, base)
    ruling = judge(bout, _checks(challenger))
    used = _as_used(rows, gathered, first, stored, policy) if target is ModelTarget.CHURN else None
    return replace(ruling, figures=clean({**ruling.figures, "as_used": used, "against": name}))


def _checks(twin: Twin) -> list[Check]:
    return [Check(name, one["passed"], one["said"], one["is_suspicion"]) for name, one in twin.checks.items()]


def _judged(rows: Rows, first: int, horizon: int) -> Flags:
    samples = rows.samples
    matured = samples.observed_days >= horizon
    return np.asarray(matured & (samples.as_of >= first), dtype=np.bool_)


def _incumbent(window: Rows, target: ModelTarget, champion: Twin | None, base: float) -> tuple[Floats, str]:
    """Return what is in use: the champion's twin, the scorecard, or nothing but the base rate."""
    if champion is not None:
        model = read_model(champion.model)
        return model.chances(model.matrix_of(window.samples)), model.name
    if target is ModelTarget.CHURN:
        return window.scorecard, "the scorecard"
    return np.full(len(window.samples), base), "the base rate"


def _as_used(
    rows: Rows, gathered: Gathered, first: int, stored: StoredModel, policy: RiskPolicy
) -> dict[str, Any] | None:
    """Return the figures of model and scorecard together, as customers would be scored.

    They are of leaving for whatever cause: that is what a score is about and what the nightly watch
    compares with. Leaving unpaid counts at its rate, as it does until a model of it is in use.
    """
    unpaid = rows_of(gathered, ModelTarget.INVOLUNTARY).samples
    whole = replace(rows, samples=either(rows.samples, unpaid))
    window = whole.where(np.flatnonzero(_judged(whole, first, stored.horizon_days)))
    happened = window.samples.happened(stored.horizon_days)
    if not happened.any():
        return None
    model = read_model(stored)
    unpaid_rate = np.full(len(window.samples), stored.other_rate)
    learned = together(model.chances(model.matrix_of(window.samples)), unpaid_rate)
    base = together(stored.base_rate, stored.other_rate)
    weight = evidence_weight(stored.churners, policy.even_evidence)
    both = blended(weight, learned, window.scorecard, policy.base_rate, base)
    return asdict(figures(happened, both, base)) | {"weight": weight}
