"""Makes voices of stored models: champions with the scorecard, and shadows that score beside them.

A shadow is what would be in use, so that a surprise is found before anybody acts on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.features import CustomerFeatures
from domain.risk import Scorecard
from domain.scoring_policy import RiskPolicy
from domain.trained_model import ModelState, ModelTarget, StoredModel
from domain.voices import Shadow, ShadowScore, Voices
from ml.trained import TrainedModel, read_model
from ml.trained_risk import TrainedRisk


@dataclass(frozen=True)
class ChurnShadow:
    """What customers would be scored by, were it the champion."""

    name: str
    risk: TrainedRisk

    def scores(self, features: Sequence[CustomerFeatures]) -> list[ShadowScore]:
        """Return chances and scores as they would be acted on."""
        chances = self.risk.chances(features)
        return [
            ShadowScore(self.name, one.customer_id, chance.probability, chance.score)
            for one, chance in zip(features, chances, strict=True)
        ]


@dataclass(frozen=True)
class ChanceShadow:
    """A model of something else than churn by choice: it has chances and no score."""

    model: TrainedModel

    def scores(self, features: Sequence[CustomerFeatures]) -> list[ShadowScore]:
        """Return chances."""
        chances = self.model.chances(self.model.matrix(features)).tolist()
        return [
            ShadowScore(self.model.name, one.customer_id, chance)
            for one, chance in zip(features, chances, strict=True)
        ]


def voices_of(stored: Sequence[StoredModel], policy: RiskPolicy) -> Voices:
    """Let champions speak with the scorecard; without one of churn it speaks alone."""
    champions = {one.target: read_model(one) for one in stored if one.state is ModelState.CHAMPION}
    involuntary, expansion = champions.get(ModelTarget.INVOLUNTARY), champions.get(ModelTarget.EXPANSION)

    def risk(churn: TrainedModel) -> TrainedRisk:
        return TrainedRisk(policy, churn, involuntary, expansion)

    def shadow(one: StoredModel) -> Shadow:
        model = read_model(one)
        is_risk = one.target is ModelTarget.CHURN
        return ChurnShadow(one.name, risk(model)) if is_risk else ChanceShadow(model)

    churn = champions.get(ModelTarget.CHURN)
    shadows = tuple(shadow(one) for one in stored if one.state is ModelState.SHADOW)
    return Voices(Scorecard(policy) if churn is None else risk(churn), shadows)
