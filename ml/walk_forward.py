"""Models as they would have been trained on past days, each from what was known by then."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from domain.learning_port import LEAST_CHURNERS, TooLittleError
from domain.model_features import column_named
from domain.progress import Progress, quietly
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelTarget
from ml.learning import Learned, learn
from ml.recipes import RECIPES, Recipe
from ml.samples import Samples, date_of
from ml.trained import TrainedModel
from ml.trained_risk import TrainedRisk
from ml.training import SEED, events_of

HORIZON = ModelTarget.CHURN.horizon_days


@dataclass(frozen=True)
class Past:
    """Snapshots of the past, once with those who chose to leave and once with those who could not pay."""

    voluntary: Samples
    involuntary: Samples


@dataclass(frozen=True)
class Stage:
    """What would have scored from a day on; without a model, the scorecard alone, and why."""

    since: dt.date
    model: TrainedRisk | None
    churners: int
    why: str


def learn_as_of(
    past: Past,
    day: dt.date,
    policy: RiskPolicy,
    recipes: Sequence[Recipe] = RECIPES,
    progress: Progress = quietly,
) -> Stage:
    """Learn as on a day of the past: a departure counts once the grace after it had passed by then."""
    known = _known(past.voluntary, day)
    events = events_of(known, HORIZON)
    if events < LEAST_CHURNERS:
        return Stage(day, None, events, f"{events} customers had left, {LEAST_CHURNERS} are needed")
    try:
        learned = learn(known, HORIZON, is_churn=True, seed=SEED, recipes=recipes, progress=progress)
    except TooLittleError as reason:
        return Stage(day, None, events, str(reason))
    unpaid = _known(past.involuntary, day)
    other = float(unpaid.happened(HORIZON).mean()) if len(unpaid) else 0.0
    risk = TrainedRisk(policy, _model(learned, f"churn as of {day.isoformat()}", events, other))
    used = ", ".join(one.recipe.name for one in learned.chosen)
    return Stage(day, risk, events, f"learned from {len(known)} snapshots up to {_newest(known)}: {used}")


def _known(samples: Samples, day: dt.date) -> Samples:
    return samples.settled_by(day, is_churn=True).matured(HORIZON)


def _newest(samples: Samples) -> str:
    return date_of(samples.dates()[-1]).isoformat()


def _model(learned: Learned, name: str, churners: int, other_rate: float) -> TrainedModel:
    return TrainedModel(
        name=name,
        form=learned.form,
        horizon=learned.horizon,
        columns=tuple(column_named(one) for one in learned.columns),
        model=learned.model,
        base_rate=learned.base_rate,
        calibration=learned.calibration,
        anchors=learned.anchors,
        churners=churners,
        other_rate=other_rate,
    )
