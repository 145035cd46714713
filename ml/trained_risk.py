"""The retention specialist once it has learned: the trained model's odds, held by the scorecard's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from domain.features import CustomerFeatures
from domain.outlook import outlook_of
from domain.risk import RiskVerdict, Scorecard, log_odds, tier_of
from domain.scoring_policy import RiskPolicy
from domain.trained_model import evidence_weight
from domain.wording import percent
from ml.anchors import Anchors
from ml.blend import together
from ml.metrics import SMALLEST
from ml.reasons import Part, drivers, parts_of
from ml.samples import Floats, Matrix
from ml.trained import TrainedModel


@dataclass(frozen=True)
class Chance:
    """How likely one customer is to leave, by model and scorecard together."""

    probability: float
    score: int
    voluntary_share: float
    """Share of the model's risk that is about leaving by choice."""


class TrainedRisk:
    """Champion and scorecard, blended in log-odds by how much the champion has learned from."""

    def __init__(
        self,
        policy: RiskPolicy,
        churn: TrainedModel,
        involuntary: TrainedModel | None = None,
        expansion: TrainedModel | None = None,
    ) -> None:
        """Take the champions; without one of involuntary churn, its rate counts for everybody alike."""
        self._policy, self._scorecard = policy, Scorecard(policy)
        self._churn, self._involuntary, self._expansion = churn, involuntary, expansion
        other = involuntary.base_rate if involuntary else churn.other_rate
        self._base_rate = together(churn.base_rate, other)
        self._anchors = replace(churn.anchors, base_rate=self._base_rate)
        self.weight = evidence_weight(churn.churners, policy.even_evidence)

    @property
    def version(self) -> str:
        """Return the name under which scores are filed: who spoke, and how loud."""
        names = self._churn.name + (f" with {self._involuntary.name}" if self._involuntary else "")
        return f"{self._scorecard.version} and {names}, {percent(self.weight)} model"

    def chances(self, features: Sequence[CustomerFeatures]) -> list[Chance]:
        """Return how likely each is to leave; without reasons, which cost most of the time."""
        card = [self._scorecard.assess(one) for one in features]
        return self._chances(card, self._churn.matrix(features), features)

    def assess_all(self, features: Sequence[CustomerFeatures]) -> list[RiskVerdict]:
        """Return the verdicts: one prediction and one call for contributions per batch."""
        if not features:
            return []
        card = [self._scorecard.assess(one) for one in features]
        matrix = self._churn.matrix(features)
        chances = self._chances(card, matrix, features)
        reasons = self._reasons(matrix, features, chances)
        growing = self._growing(features)
        verdicts = zip(features, card, chances, reasons, growing, strict=True)
        return [self._verdict(*one) for one in verdicts]

    def _chances(
        self, card: Sequence[RiskVerdict], matrix: Matrix, features: Sequence[CustomerFeatures]
    ) -> list[Chance]:
        leaving = self._churn.chances(matrix)
        unpaid = (
            self._involuntary.chances(self._involuntary.matrix(features))
            if self._involuntary
            else np.full(len(features), self._churn.other_rate)
        )
        return [
            self._chance(float(a), float(b), said.churn_probability)
            for a, b, said in zip(leaving, unpaid, card, strict=True)
        ]

    def _chance(self, leaving: float, unpaid: float, by_card: float) -> Chance:
        """Blend: the scorecard's doublings are counted from the base rate that was seen, not its prior."""
        learned = held(together(leaving, unpaid))
        moved = log_odds(by_card) - log_odds(self._policy.base_rate) + log_odds(held(self._base_rate))
        odds = self.weight * log_odds(learned) + (1 - self.weight) * moved
        probability = 1 / (1 + math.exp(-odds))
        hazard = -math.log1p(-learned)
        share = -math.log1p(-min(leaving, 1 - SMALLEST)) / hazard if hazard else 1.0
        return Chance(probability, score_of(self._anchors, probability), share)

    def _reasons(
        self, matrix: Matrix, features: Sequence[CustomerFeatures], chances: Sequence[Chance]
    ) -> list[list[Part]]:
        share = np.array([one.voluntary_share for one in chances])[:, None]
        first = self._parts(self._churn, matrix, share)
        if self._involuntary is None:
            return first
        second = self._parts(self._involuntary, self._involuntary.matrix(features), 1 - share)
        return [one + other for one, other in zip(first, second, strict=True)]

    def _parts(self, model: TrainedModel, matrix: Matrix, share: Floats) -> list[list[Part]]:
        """Return contributions in points of the scorecard, so that both can be added up."""
        scale = self.weight * self._policy.points_per_doubling / math.log(2)
        return parts_of(model.columns, model.contributions(matrix) * share * scale, matrix)

    def _growing(self, features: Sequence[CustomerFeatures]) -> list[float | None]:
        if self._expansion is None:
            return [None] * len(features)
        return [float(one) for one in self._expansion.chances(self._expansion.matrix(features))]

    def _verdict(
        self,
        features: CustomerFeatures,
        card: RiskVerdict,
        chance: Chance,
        reasons: Sequence[Part],
        growing: float | None,
    ) -> RiskVerdict:
        policy, horizon = self._policy, self._churn.horizon
        by_card = [one.scaled(1 - self.weight) for one in card.drivers]
        doublings = (log_odds(chance.probability) - log_odds(held(self._base_rate))) / math.log(2)
        return RiskVerdict(
            churn_probability=chance.probability,
            churn_risk_score=chance.score,
            churn_risk_tier=tier_of(chance.score),
            points=policy.quiet_points + policy.points_per_doubling * doublings,
            drivers=drivers(reasons, by_card, features),
            horizon_days=horizon,
            model_version=self.version,
            outlook=outlook_of(features, chance.probability, horizon, growing),
        )


def held(probability: float) -> float:
    """Hold a probability away from 0 and 1, where its odds end."""
    return min(max(probability, SMALLEST), 1 - SMALLEST)


def score_of(anchors: Anchors, probability: float) -> int:
    """Return the integer score by a model's frozen anchors."""
    return math.floor(float(anchors.scores(np.array([probability]))[0]) + 1e-9)
