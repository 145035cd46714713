"""What the registry knows of a trained model: what it is for, where it stands, what scoring needs of it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domain.time import BusinessInstant


class ModelTarget(StrEnum):
    """What a model foretells."""

    CHURN = "churn"
    """A customer decides to leave."""
    INVOLUNTARY = "involuntary"
    """Payment fails for good: nobody decided to leave, and other things foretell it."""
    EXPANSION = "expansion"
    """Recurring revenue grows by a tenth."""

    @property
    def horizon_days(self) -> int:
        """Days within which it happens."""
        return 60 if self is ModelTarget.EXPANSION else 90

    @property
    def is_churn(self) -> bool:
        """Whether it is about leaving."""
        return self is not ModelTarget.EXPANSION


class ModelState(StrEnum):
    """Where a model stands. One per target is the champion, and only that one is acted on."""

    CHALLENGER = "challenger"
    """Trained; not judged yet, or waiting for a person's review."""
    SHADOW = "shadow"
    """Judged better: it scores every night beside the champion, and nobody acts on it."""
    CHAMPION = "champion"
    RETIRED = "retired"
    REJECTED = "rejected"


@dataclass(frozen=True)
class StoredModel:
    """A model as the registry holds it, with all that scoring needs."""

    name: str
    target: ModelTarget
    state: ModelState
    form: str
    horizon_days: int
    columns: tuple[str, ...]
    base_rate: float
    calibration: Mapping[str, Any]
    anchors: Mapping[str, Any]
    churners: int
    """Customers whose event it learned from: the evidence that its weight grows with."""
    other_rate: float
    """Share of customers that left for another cause within the horizon, where that has no model."""
    artefact: bytes
    """The model as ml.mean_model writes it: CatBoost's own binary form, lines in its metadata."""


@dataclass(frozen=True)
class NewModel:
    """A model fresh from its training, as it is filed."""

    target: ModelTarget
    training: str
    form: str
    columns: tuple[str, ...]
    base_rate: float
    calibration: Mapping[str, Any]
    anchors: Mapping[str, Any]
    churners: int
    other_rate: float
    data_hash: str
    trained_until: dt.date
    judged_until: dt.date
    """The last day that the judged twin knew of."""
    artefact: bytes
    judged: bytes
    """The same recipes fitted on what was known before the window that the gate judged: its twin."""
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Twin:
    """A model as the gate judges it: fitted on what was known up to a day, and on nothing later."""

    model: StoredModel
    judged_until: dt.date
    checks: Mapping[str, Mapping[str, Any]]
    """The safeguards on its card."""


@dataclass(frozen=True)
class Filed:
    """A model as it is used and as it was judged, each with the day up to which it has learned."""

    used: StoredModel
    trained_until: dt.date
    """Last as-of date of the one in use; it knows the outcomes of the horizon after it."""
    judged: StoredModel
    judged_until: dt.date
    """The last day that the judged one knew of."""


@dataclass(frozen=True)
class ModelDecision:
    """What became of a model, by whom and why."""

    state: ModelState
    by: str
    why: str
    at: BusinessInstant
    figures: Mapping[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """Return it as kept."""
        said = {"state": self.state.value, "by": self.by, "why": self.why, "at": self.at.isoformat()}
        return said | ({"figures": dict(self.figures)} if self.figures is not None else {})


GATE = "gate"
"""Who decides by figures alone."""


def ruling_of(decisions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return what the gate decided about a model, as kept; None: it has not judged it yet."""
    return next((one for one in decisions if one["by"] == GATE), None)


def waits_for_review(state: ModelState, decisions: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the gate has judged a model and left it to a person."""
    return state is ModelState.CHALLENGER and ruling_of(decisions) is not None


def evidence_weight(churners: int, enough: float) -> float:
    """Return the share of a verdict that a model carries: half where `enough` churners taught it.

    An empirical-Bayes shrinkage n / (n + k): with few events a model is mostly chance, and points that anyone
    can add up are better than chance.
    """
    return churners / (churners + enough) if churners > 0 else 0.0
