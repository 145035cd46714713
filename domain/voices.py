"""Who speaks when customers are scored: whose word is acted on, and who only listens and learns."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.features import CustomerFeatures
from domain.risk import RiskModel
from domain.scoring_policy import RiskPolicy
from domain.trained_model import StoredModel


@dataclass(frozen=True)
class ShadowScore:
    """What one model that is not acted on says of one customer."""

    model: str
    customer_id: uuid.UUID
    probability: float
    score: int | None = None


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


class ModelReader(Protocol):
    """Makes voices of what the registry holds."""

    def read(self, stored: Sequence[StoredModel], policy: RiskPolicy) -> Voices:
        """Return champions with the scorecard, and shadows beside; at least one model is stored."""
        ...
