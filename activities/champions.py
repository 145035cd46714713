"""Who speaks when customers are scored: the champion with the scorecard, and who only listens and learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from domain.features import CustomerFeatures
from domain.model_features import column_named
from domain.risk import RiskModel, Scorecard
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelState, ModelTarget, StoredModel
from models.database import Session
from models.model_registry import load_in_use
from models.shadow_scores import ShadowScore

log = structlog.get_logger("models")


class Shadow(Protocol):
    """A model that scores and is not acted on."""

    def scores(self, features: Sequence[CustomerFeatures]) -> list[ShadowScore]:
        """Return what it would have said."""
        ...


@dataclass(frozen=True)
class Voices:
    """Whose word is acted on, and who speaks beside."""

    model: RiskModel
    shadows: tuple[Shadow, ...] = ()

    def beside(self, features: Sequence[CustomerFeatures]) -> list[ShadowScore]:
        """Return what the others say, to be kept and not acted on."""
        return [score for one in self.shadows for score in one.scores(features)] if features else []


async def open_voices(session: Session, policy: RiskPolicy) -> Voices:
    """Return the voices of today: the scorecard alone until there is a champion."""
    stored = [one for one in await load_in_use(session) if _is_readable(one)]
    return Voices(Scorecard(policy)) if not stored else _trained(stored, policy)


def _is_readable(model: StoredModel) -> bool:
    """Tell whether every column of a model still exists: an older release's model may know others."""
    try:
        for name in model.columns:
            column_named(name)
    except KeyError as unknown:
        log.warning("model reads a column that is no more", model=model.name, column=str(unknown))
        return False
    return True


def _trained(stored: Sequence[StoredModel], policy: RiskPolicy) -> Voices:
    """Read the models; what learns is only imported where something has been learned."""
    from activities.shadows import ChanceShadow, ChurnShadow
    from ml.trained import TrainedModel, read_model
    from ml.trained_risk import TrainedRisk

    champions = {one.target: read_model(one) for one in stored if one.state is ModelState.CHAMPION}
    involuntary, expansion = champions.get(ModelTarget.INVOLUNTARY), champions.get(ModelTarget.EXPANSION)

    def risk(churn: TrainedModel) -> TrainedRisk:
        return TrainedRisk(policy, churn, involuntary, expansion)

    def shadow(one: StoredModel) -> Shadow:
        model = read_model(one)
        is_risk = one.target is ModelTarget.CHURN
        return ChurnShadow(one.name, risk(model)) if is_risk else ChanceShadow(model)

    churn = champions.get(ModelTarget.CHURN)
    model: RiskModel = risk(churn) if churn is not None else Scorecard(policy)
    return Voices(model, tuple(shadow(one) for one in stored if one.state is ModelState.SHADOW))
