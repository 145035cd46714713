"""The card of a model: what it was made of, how good it was on rows nobody had learned from, and for whom."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from domain.learning_port import Check
from ml.anchors import tier_shares
from ml.bootstrap import interval
from ml.gate import LEVEL
from ml.global_drivers import global_drivers
from ml.learning import Learned
from ml.metrics import auc, calibration_bins, expected_calibration_error, figures, lift, log_losses
from ml.samples import Codes, Flags, Floats, Samples, date_of
from ml.training import Rows, Trained

LEAST_SEGMENT_EVENTS = 5
"""Segments with fewer events get no figures: they would be chance."""


def card_of(trained: Trained, horizon: int, data_hash: str, checks: Sequence[Check]) -> dict[str, Any]:
    """Return the card as stored; `NaN` is written as null."""
    window, judged = trained.window, trained.judged
    chance = judged.probability(window.samples.select(judged.columns))
    happened = window.samples.happened(horizon)
    shares = tier_shares(judged.anchors.scores(chance))
    document = {
        "learned_from": _extent(trained.learned_from, horizon) | {"churners": trained.churners},
        "judged_on": _extent(window.samples, horizon) | {"learned_until": trained.judged_until.isoformat()},
        "data_hash": data_hash,
        "form": judged.form.value,
        "calibration": "identity" if judged.calibration.is_identity else "platt",
        "metrics": asdict(figures(happened, chance, judged.base_rate)),
        "intervals": _intervals(happened, chance, window.samples.customers),
        "segments": _segments(window, chance, horizon, judged.base_rate),
        "calibration_bins": [asdict(one) for one in calibration_bins(happened, chance)],
        "variants": variants(judged),
        "tiers": shares,
        "empty_tiers": [tier for tier, share in shares.items() if share == 0],
        "leak_checks": {one.name: one.document() for one in checks},
        "drivers": global_drivers(trained.fitted, window.samples.select(trained.fitted.columns)),
    }
    cleaned: dict[str, Any] = clean(document)
    return cleaned


def _extent(samples: Samples, horizon: int) -> dict[str, Any]:
    dates = samples.dates()
    return {
        "rows": len(samples),
        "customers": len(np.unique(samples.customers)),
        "positives": int(samples.happened(horizon).sum()),
        "from": date_of(dates[0]).isoformat() if len(dates) else None,
        "to": date_of(dates[-1]).isoformat() if len(dates) else None,
    }


def _intervals(happened: Flags, chance: Floats, customers: Codes) -> dict[str, Any]:
    """Return the intervals of the main figures, drawn by customer; of one class alone there are none."""
    if not happened.any() or happened.all():
        return {}
    losses = log_losses(happened, chance)
    found = {
        "auc": interval(customers, lambda rows: auc(happened[rows], chance[rows]), level=LEVEL),
        "log_loss": interval(customers, lambda rows: float(losses[rows].mean()), level=LEVEL),
        "ece": interval(
            customers, lambda rows: expected_calibration_error(happened[rows], chance[rows]), level=LEVEL
        ),
        "lift_top_decile": interval(customers, lambda rows: lift(happened[rows], chance[rows]), level=LEVEL),
    }
    return {name: one.document() for name, one in found.items()}


def _segments(window: Rows, chance: Floats, horizon: int, base_rate: float) -> dict[str, Any]:
    happened, names = window.samples.happened(horizon), np.array(window.segments)
    found = {}
    for name in sorted(set(window.segments)):
        mine = names == name
        events = int(happened[mine].sum())
        if events < LEAST_SEGMENT_EVENTS or events == int(mine.sum()):
            found[name] = {"rows": int(mine.sum()), "positives": events, "said": "too few events"}
        else:
            found[name] = asdict(figures(happened[mine], chance[mine], base_rate))
    return found


def variants(learned: Learned) -> list[dict[str, Any]]:
    """Return every recipe that was tried, out of time, and which were kept."""
    return [
        {
            "name": one.recipe.name,
            "form": one.recipe.form.value,
            "columns": one.recipe.columns,
            "depth": one.recipe.depth,
            "trees": one.trees,
            "ridge": one.ridge,
            "log_loss": one.log_loss,
            "auc": one.auc,
            "is_kept": one.is_kept,
        }
        for one in learned.tried
    ]


def clean(value: Any) -> Any:
    """Return a document without what JSON cannot say: NaN and infinity become null."""
    if isinstance(value, dict):
        return {key: clean(one) for key, one in value.items()}
    if isinstance(value, list):
        return [clean(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
