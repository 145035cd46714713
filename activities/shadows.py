"""Models that score beside the one in use, so that a surprise is found before anybody acts on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.features import CustomerFeatures
from ml.trained import TrainedModel
from ml.trained_risk import TrainedRisk
from models.shadow_scores import ShadowScore


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
