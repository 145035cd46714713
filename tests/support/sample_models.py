"""Trained models of the sample company: one waits for a review, one was rejected; none of them scores."""

import datetime as dt
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, WallInstant
from domain.trained_model import ModelState, ModelTarget
from models.tables.trained import ModelRow, TrainingRow

WAITING, REJECTED = "involuntary-2026-11-16-1", "expansion-2026-11-16-1"
INTERVAL = {"value": 0.91, "low": 0.86, "high": 0.95}
FIGURES = {
    "rows": 840, "positives": 39, "base_rate": 0.046, "auc": 0.91, "pr_auc": 0.31, "brier": 0.04,
    "log_loss": 0.173, "constant_log_loss": 0.19, "calibration_intercept": 0.0, "calibration_slope": 0.97,
    "ece": 0.024, "lift_top_decile": 4.3,
}  # fmt: skip
COLUMNS = ["usage.week", "usage.week_over_baseline", "support.overdue", "commercial.mrr"]
DIFFERENCE = {"value": 0.02, "low": -0.001, "high": 0.04}


def card() -> dict[str, Any]:
    """A card with everything that a training writes on it."""
    extent = {"rows": 4751, "customers": 390, "positives": 210, "from": "2024-01-01", "to": "2026-07-01"}
    column = {"column": "usage.week_over_baseline", "log_odds": 0.4, "direction": -1}
    passed = {"passed": True, "said": "0 customers on both sides of 10 folds", "is_suspicion": False}
    suspicious = {"passed": False, "said": "AUC 0.912 out of time, 0.9 is suspect", "is_suspicion": True}
    return {
        "learned_from": extent,
        "judged_on": extent | {"learned_until": "2026-04-30"},
        "calibration": "identity",
        "metrics": FIGURES,
        "intervals": dict.fromkeys(("auc", "log_loss", "ece", "lift_top_decile"), INTERVAL),
        "segments": {
            "enterprise": FIGURES,
            "small": {"rows": 90, "positives": 2, "said": "too few events"},
        },
        "calibration_bins": [
            {"rows": 84, "predicted": 0.01 * place, "observed": 0.012 * place} for place in range(1, 11)
        ],
        "variants": [
            {
                "name": "lean", "form": "direct", "columns": "lean", "depth": 3, "trees": 120,
                "log_loss": 0.17, "auc": 0.78, "is_kept": True,
            },
        ],
        "tiers": {"low": 0.86, "medium": 0.08, "high": 0.06, "critical": 0.0},
        "empty_tiers": ["critical"],
        "leak_checks": {"grouping": passed, "auc": suspicious},
        "drivers": {
            "rows": 840,
            "families": [
                {"family": "usage", "log_odds": 0.5, "share": 0.7, "columns": [column]},
                {"family": "commercial", "log_odds": 0.2, "share": 0.3, "columns": []},
            ],
        },
    }  # fmt: skip


def _decision(state: ModelState, by: str, why: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"state": state.value, "by": by, "why": why, "at": at.isoformat(), **more}


def _model(
    name: str, target: ModelTarget, state: ModelState, at: BusinessInstant, why: str
) -> dict[str, Any]:
    figures = {
        "log_loss_gain": DIFFERENCE, "log_loss_gain_over_base_rate": DIFFERENCE, "ece_difference": DIFFERENCE,
        "lift_difference": DIFFERENCE, "auc_difference": DIFFERENCE, "as_used": None,
        "against": "the base rate",
    }  # fmt: skip
    filed = _decision(ModelState.CHALLENGER, "training", "trained, not judged yet", at)
    return {
        "name": name, "target": target, "state": state, "training": f"sample/{name}", "form": "direct",
        "horizon_days": target.horizon_days, "columns": COLUMNS, "base_rate": 0.046,
        "calibration": {"intercept": 0.0, "slope": 1.0}, "anchors": {"points": [], "shares": {}},
        "churners": 41, "other_rate": 0.0, "data_hash": "3ec4f9aa48ac11f31aabdbea978345d6", "trained_at": at,
        "trained_until": dt.date(2026, 7, 1), "judged_until": dt.date(2026, 4, 30), "artefact": b"",
        "judged_artefact": b"", "digest": name, "card": card(),
        "decisions": [filed, _decision(state, "gate", why, at, figures=figures)],
    }  # fmt: skip


def _training(model: dict[str, Any], at: BusinessInstant) -> dict[str, Any]:
    outcome = f"{model['name']} is {model['state'].value}"
    began = {"started_at": at, "started_wall": WallInstant(at), "known_until": at, "ended_at": at}
    return {
        "key": model["training"],
        "target": model["target"],
        **began,
        "departures": 40,
        "outcome": outcome,
    }


async def add_models(session: AsyncSession, now: BusinessInstant) -> None:
    """Write both, with the trainings that they come from."""
    at = BusinessInstant(now - dt.timedelta(days=4))
    models = [
        _model(
            WAITING, ModelTarget.INVOLUNTARY, ModelState.CHALLENGER, at,
            "log-loss better than that of the base rate by 0.0207, but it looks too good: AUC 0.912",
        ),
        _model(
            REJECTED, ModelTarget.EXPANSION, ModelState.REJECTED, at,
            "its log-loss is no better than that of the base rate (-0.0010, -0.0100 to +0.0070)",
        ),
    ]  # fmt: skip
    trainings = [_training(one, at) for one in models]
    await session.execute(insert(TrainingRow), trainings)
    await session.execute(insert(ModelRow), models)
