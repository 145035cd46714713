"""Learns a challenger from what a training has gathered, with its card and all that its use will need."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from domain.learning_port import LEAST_CHURNERS, Check, Gathered
from domain.progress import Progress
from domain.trained_model import ModelTarget, NewModel
from domain.training_calendar import Training
from ml.card import card_of
from ml.gate import knowledge
from ml.leak_checks import leak_checks
from ml.mean_model import written
from ml.metrics import auc
from ml.recipes import Recipe
from ml.training import Trained, events_of, train
from ml.training_rows import rows_of


def learn_challenger(
    training: Training,
    gathered: Gathered,
    checks: Sequence[Check],
    recipes: Sequence[Recipe],
    progress: Progress,
) -> NewModel:
    """Learn, and write the card; `checks` of what was gathered stand on it. Raises TooLittleError."""
    target = training.target
    rows, horizon = rows_of(gathered, target), target.horizon_days
    trained = train(rows, horizon, is_churn=target.is_churn, recipes=recipes, progress=progress)
    digest = rows.samples.digest()
    card = card_of(trained, horizon, digest, [*_checks(trained, horizon), *checks])
    other_rate, card["involuntary"] = _other_cause(gathered, target)
    judged, fitted = trained.judged, trained.fitted
    return NewModel(
        target=target,
        training=training.key,
        form=judged.form.value,
        columns=judged.columns,
        base_rate=judged.base_rate,
        calibration=asdict(judged.calibration),
        anchors={"points": [list(one) for one in judged.anchors.points], "shares": judged.anchors.shares},
        churners=trained.churners,
        other_rate=other_rate,
        data_hash=digest,
        trained_until=trained.trained_until,
        judged_until=trained.judged_until,
        artefact=written(fitted.model),
        judged=written(judged.model),
        card=card,
    )


def _checks(trained: Trained, horizon: int) -> list[Check]:
    out, chance = trained.judged.pooled, trained.judged.calibration.apply(trained.judged.out_of_time)
    checks = leak_checks(trained.learned_from, horizon, auc(out.happened, chance))
    return [*checks, knowledge(out.happened, chance, out.customers)]


def _other_cause(gathered: Gathered, target: ModelTarget) -> tuple[float, dict[str, Any] | None]:
    """Return how often payment ended a relation within the horizon: what counts while it has no model."""
    if target is not ModelTarget.CHURN:
        return 0.0, None
    known = rows_of(gathered, ModelTarget.INVOLUNTARY).samples.matured(target.horizon_days)
    events = events_of(known, target.horizon_days)
    rate = float(known.happened(target.horizon_days).mean()) if len(known) else 0.0
    few = ", too few for a model of their own: " if events < LEAST_CHURNERS else "; until they have a model, "
    said = f"{events} customers left since payment failed{few}their share counts for everybody alike"
    return rate, {"churners": events, "rate": rate, "said": said}
