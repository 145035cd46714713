"""What the scoring workflows know of the scoring activities."""

import datetime as dt
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from temporalio import activity

from activities.contracts import Wake
from domain.time import BusinessInstant


@dataclass(frozen=True)
class PlanShardsInput:
    """Which business date is to be scored."""

    business_date: dt.date


@dataclass(frozen=True)
class Shard:
    """Customers with ids from `first` to `last`, both included."""

    first: uuid.UUID
    last: uuid.UUID
    customers: int


@dataclass(frozen=True)
class PlanShardsResult:
    """The instant as of which everyone is scored, and the parts of the portfolio."""

    as_of: BusinessInstant
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class ScoreShardInput:
    """One part of the portfolio, as of one instant."""

    shard: Shard
    as_of: BusinessInstant


@dataclass(frozen=True)
class ScoreShardResult:
    """What scoring found; a shard scored twice finds nothing the second time."""

    scored: int = 0
    assessments: int = 0
    signals_opened: int = 0
    signals_resolved: int = 0
    tier_changes: int = 0
    notices: int = 0

    def plus(self, other: "ScoreShardResult") -> "ScoreShardResult":
        """Add up two parts."""
        return ScoreShardResult(
            self.scored + other.scored,
            self.assessments + other.assessments,
            self.signals_opened + other.signals_opened,
            self.signals_resolved + other.signals_resolved,
            self.tier_changes + other.tier_changes,
            self.notices + other.notices,
        )


@dataclass(frozen=True)
class FinishScoringInput:
    """The sum of a nightly run, for the log."""

    business_date: dt.date
    total: ScoreShardResult


@dataclass(frozen=True)
class NextNightInput:
    """The last business date that was handed to scoring."""

    scored: dt.date | None
    woken_for: BusinessInstant | None = None
    """The deadline whose timer fired, None when rung."""


@dataclass(frozen=True)
class NextNightResult:
    """The date to score now, if one is due, and the next deadline in both times."""

    due_date: dt.date | None
    wake: Wake


@dataclass
class CalendarState:
    """All state of the calendar workflow, carried through continue-as-new."""

    scored: dt.date | None = None
    nights: int = 0
    """Nights of this run."""


@dataclass
class ScoringProgress:
    """How far a nightly run is; the answer of its query."""

    business_date: dt.date
    shards: int = 0
    done: int = 0
    total: ScoreShardResult = field(default_factory=ScoreShardResult)


class ScoringContract(ABC):
    """Scores of everyone. Task queue `scoring`."""

    @activity.defn(name="plan_shards")
    @abstractmethod
    async def plan_shards(self, request: PlanShardsInput) -> PlanShardsResult:
        """Cut the portfolio into parts and fix the instant."""

    @activity.defn(name="score_shard")
    @abstractmethod
    async def score_shard(self, request: ScoreShardInput) -> ScoreShardResult:
        """Score one part, a batch per transaction; a repeated attempt goes on where it stopped."""

    @activity.defn(name="finish_scoring")
    @abstractmethod
    async def finish_scoring(self, request: FinishScoringInput) -> None:
        """Record the end of a nightly run."""


class CalendarContract(ABC):
    """The business clock's nights. Task queue `decisions`."""

    @activity.defn(name="next_night")
    @abstractmethod
    async def next_night(self, request: NextNightInput) -> NextNightResult:
        """Ask the clock which date is due, and when the next one will be."""
