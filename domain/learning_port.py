"""What a training asks of whoever learns: to keep snapshots, to learn from them, and to judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.learning_rows import Snapshot, World
from domain.progress import Progress
from domain.scoring_policy import RiskPolicy
from domain.trained_model import NewModel, Twin
from domain.training_calendar import Training

LEAST_CHURNERS = 30
"""Customers with the event that a model needs to learn from; under so many it mostly learns chance."""


class TooLittleError(Exception):
    """Nothing can be learned yet; says how much is there and how much is needed."""


@dataclass(frozen=True)
class Check:
    """One safeguard: a failed one rejects, a suspicious one waits for a person."""

    name: str
    passed: bool
    said: str
    is_suspicion: bool = False
    """Too good to be true is no proof of a leak: a person looks, and says what was found."""

    def document(self) -> dict[str, Any]:
        """Return it as it stands on the card."""
        return {"passed": self.passed, "said": self.said, "is_suspicion": self.is_suspicion}


@dataclass(frozen=True)
class Ruling:
    """What the gate says, in words and figures."""

    is_won: bool
    needs_review: bool
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]

    @property
    def why(self) -> str:
        """Return the reasons as one text."""
        return "; ".join(self.reasons)


@dataclass(frozen=True)
class Gathered:
    """All that a training has looked at."""

    world: World
    dates: tuple[bytes, ...]
    """The snapshots of each date, as the learner has packed them, oldest first."""


class Learner(Protocol):
    """Makes models of what became of customers. Learning and judging take minutes: call them in a thread."""

    def pack(self, columns: Sequence[str], snapshots: Sequence[Snapshot]) -> bytes:
        """Return the snapshots of one date as they are kept until all dates are there."""
        ...

    def learn(
        self, training: Training, gathered: Gathered, checks: Sequence[Check], progress: Progress
    ) -> NewModel:
        """Return a challenger with its card, on which `checks` of what was gathered stand beside its own.

        Raises TooLittleError.
        """
        ...

    def judge(
        self, challenger: Twin, champion: Twin | None, gathered: Gathered, policy: RiskPolicy
    ) -> Ruling:
        """Hold a challenger against what is in use, on the newest window that neither has learned from."""
        ...
