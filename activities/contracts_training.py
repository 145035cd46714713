"""What the training workflow knows of its activities."""

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass

from temporalio import activity

from domain.trained_model import ModelState, ModelTarget


@dataclass(frozen=True)
class TrainingInput:
    """What is trained, and as of which business date."""

    target: ModelTarget
    business_date: dt.date

    @property
    def key(self) -> str:
        """The name under which this training is kept, and the end of its workflow's id."""
        return f"{self.target.value}/{self.business_date.isoformat()}"


@dataclass(frozen=True)
class PlanTrainingResult:
    """The dates to look back at; none where there is too little to learn from."""

    dates: tuple[dt.date, ...]


@dataclass(frozen=True)
class GatherSamplesInput:
    """Which dates to gather for which training."""

    key: str
    dates: tuple[dt.date, ...]


@dataclass(frozen=True)
class GatherSamplesResult:
    """What was gathered."""

    dates: int
    rows: int


@dataclass(frozen=True)
class TrainModelInput:
    """Which training has gathered all that it needs."""

    key: str


@dataclass(frozen=True)
class TrainModelResult:
    """The model that was filed; None where too little was there to learn from."""

    model: str | None


@dataclass(frozen=True)
class JudgeModelResult:
    """Where the model stands now; None where there is none."""

    state: ModelState | None


class TrainingContract(ABC):
    """Models of what customers will do. Task queue `scoring`."""

    @activity.defn(name="plan_training")
    @abstractmethod
    async def plan_training(self, request: TrainingInput) -> PlanTrainingResult:
        """Note that a training begins, and choose the dates to look back at."""

    @activity.defn(name="gather_samples")
    @abstractmethod
    async def gather_samples(self, request: GatherSamplesInput) -> GatherSamplesResult:
        """Look at everyone as of each date; a repeated attempt goes on behind the last date that was kept."""

    @activity.defn(name="train_model")
    @abstractmethod
    async def train_model(self, request: TrainModelInput) -> TrainModelResult:
        """Learn, and file a challenger."""

    @activity.defn(name="judge_model")
    @abstractmethod
    async def judge_model(self, request: TrainModelInput) -> JudgeModelResult:
        """Hold the challenger against what is in use, and end the training."""
