"""The trial of a challenger: what became of customers decides whether it takes the place of another."""

import asyncio
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from activities.training_rows import open_sampled_world
from activities.training_run import load_rows
from domain.ports import Clock
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelDecision, ModelState, ModelTarget, StoredModel, evidence_weight
from ml.blend import blended
from ml.card import clean
from ml.gate import Bout, Check, Ruling, judge
from ml.metrics import figures
from ml.samples import Flags, Floats, days_of
from ml.trained import read_model
from ml.training import Rows, known_before, window_start
from models.database import Database
from models.model_registry import Twin, decide, load_filed, load_twin, promote
from models.scores import load_policy
from models.trainings import end_training, load_training


async def judge_filed(database: Database, clock: Clock, key: str) -> ModelState | None:
    """Hold the challenger of a training against what is in use, and write down who won and why."""
    async with database.transaction() as session:
        training, filed = await load_training(session, key), await load_filed(session, key)
        policy = (await load_policy(session)).risk
    if filed is None or training.ended_at is not None:
        return None if filed is None else filed.model.state
    world = await open_sampled_world(database, training.known_until)
    rows = await load_rows(database, world, key, training.target)
    async with database.transaction() as session:
        twin = await load_twin(session, training.target)
    ruling = await asyncio.to_thread(_ruling, rows, filed, twin, policy)
    return await _follow(database, clock, key, filed.model.name, ruling, policy)


def _ruling(rows: Rows, filed: Twin, twin: Twin | None, policy: RiskPolicy) -> Ruling:
    """Judge on the newest window that neither has learned from."""
    challenger = filed.model
    horizon, target = challenger.horizon_days, challenger.target
    model = read_model(challenger)
    start = window_start(rows.samples, horizon)
    first = start if twin is None else max(start, days_of(twin.judged_until) + 1)
    window = rows.where(np.flatnonzero(_judged(rows, first, horizon)))
    happened, base = window.samples.happened(horizon), known_before(rows.samples, start, horizon)
    ours = model.chances(model.matrix_of(window.samples))
    theirs, name = _incumbent(window, target, twin, base)
    bout = Bout(happened, window.samples.customers, ours, theirs, name, base)
    ruling = judge(bout, _checks(filed), is_reviewed=filed.is_reviewed)
    used = _as_used(window, ours, challenger, policy)
    said = ruling.figures | {"as_used": used if target.is_churn else None, "against": name}
    return replace(ruling, figures=clean(said))


def _checks(filed: Twin) -> list[Check]:
    return [
        Check(name, one["passed"], one["said"], one["is_suspicion"]) for name, one in filed.checks.items()
    ]


def _judged(rows: Rows, first: int, horizon: int) -> Flags:
    samples = rows.samples
    matured = samples.observed_days >= horizon
    return np.asarray(matured & (samples.as_of >= first), dtype=np.bool_)


def _incumbent(window: Rows, target: ModelTarget, twin: Twin | None, base: float) -> tuple[Floats, str]:
    """Return what is in use: the champion's twin, the scorecard, or nothing but the base rate."""
    if twin is not None:
        champion = read_model(twin.model)
        return champion.chances(champion.matrix_of(window.samples)), champion.name
    if target is ModelTarget.CHURN:
        return window.scorecard, "the scorecard"
    return np.full(len(window.samples), base), "the base rate"


def _as_used(window: Rows, ours: Floats, model: StoredModel, policy: RiskPolicy) -> dict[str, Any] | None:
    """Return the figures of model and scorecard together, as customers would be scored."""
    happened = window.samples.happened(model.horizon_days)
    if not happened.any():
        return None
    weight, base = evidence_weight(model.churners, policy.even_evidence), model.base_rate
    both = blended(weight, ours, window.scorecard, policy.base_rate, base)
    return asdict(figures(happened, both, base)) | {"weight": weight}


async def _follow(
    database: Database, clock: Clock, key: str, name: str, ruling: Ruling, policy: RiskPolicy
) -> ModelState:
    """Write the verdict down, and end the training with it."""
    now = clock.now()
    state = ModelState.SHADOW if ruling.is_won else ModelState.REJECTED
    if ruling.needs_review:
        state = ModelState.CHALLENGER
    async with database.transaction() as session:
        await decide(session, name, ModelDecision(state, "gate", ruling.why, now, ruling.figures))
        if state is ModelState.SHADOW and not policy.shadow_nights:
            await promote(session, name, "gate", "no nights in shadow are asked for", now)
            state = ModelState.CHAMPION
        await end_training(session, key, now, f"{name} is {state.value}: {ruling.why}")
    return state
