"""What a night asks of many customers at once: what has changed, what came true, and what weighs how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.drift_words import Change
from domain.interval import Interval
from domain.learning_rows import Sample
from domain.scoring_policy import WeightPolicy


@dataclass(frozen=True)
class Hindsight:
    """Chances beside what happened: how many left, of how many were expected to."""

    observed: int
    expected: float
    ratio: Interval
    """Observed over expected."""
    log_loss: Interval
    """Mean of one row per customer, in nats."""

    @property
    def is_off(self) -> bool:
        """Whether the interval of the ratio leaves out 1."""
        return not self.ratio.low <= 1 <= self.ratio.high


@dataclass(frozen=True)
class WeightEvidence:
    """What outcomes say of one segment's weights; in the order of the components."""

    rows: int
    customers: int
    left: int
    """Customers that left."""
    needed: int
    """Further customers that must have left before anything is proposed."""
    weights: tuple[float, ...]
    """The present ones where nothing is proposed; they add up to 1."""
    moved: float = 0.0
    """Share of the way from the present weights to those that fit best."""
    present_auc: Interval | None = None
    proposed_auc: Interval | None = None
    difference: Interval | None = None
    """Proposed less present, on later dates and other customers than those that were learned from."""

    @property
    def verdict(self) -> str:
        """`not_enough`, `better`, `worse`, `no_difference`; `untested` where no later dates are known yet."""
        if self.needed:
            return "not_enough"
        if self.difference is None:
            return "untested"
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else "no_difference"


class Statistician(Protocol):
    """Reckons over many customers. `rows`: one per customer, a value per name, NaN where unknown."""

    def describe(
        self, names: Sequence[str], rows: Sequence[Sequence[float]]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Return what each column looks like, as stored: what later rows are compared with."""
        ...

    def changes(
        self, then: Mapping[str, Mapping[str, Any]], names: Sequence[str], rows: Sequence[Sequence[float]]
    ) -> Mapping[str, Change]:
        """Compare each column that was described then with how it is now."""
        ...

    def look_back(self, left: Sequence[bool], foreseen: Sequence[float]) -> Hindsight:
        """Compare chances with what happened, one entry per customer."""
        ...

    def weigh(
        self,
        samples: Sequence[Sample],
        present: Sequence[float],
        horizon: int,
        limits: WeightPolicy,
    ) -> WeightEvidence:
        """Ask outcomes of one segment which weights would have ranked customers better.

        A sample's values are its component scores (0 to 100), in the order of the present weights.
        """
        ...
