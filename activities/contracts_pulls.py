"""What the pull workflow knows of the pull activities. Address, secrets and cursors are in the database."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from temporalio import activity

from domain.time import WallInstant


@dataclass(frozen=True)
class PlanPullInput:
    """Which connection, and when its last pass ended."""

    source_id: str
    last_pass_at: WallInstant | None = None
    is_asked: bool = False
    """Whether somebody wants a pass now."""


@dataclass(frozen=True)
class PlanPullResult:
    """The streams to read now, in their order; with none, when to look again (None: when rung)."""

    streams: tuple[str, ...] = ()
    wake_at: WallInstant | None = None
    is_gone: bool = False
    is_whole: bool = False
    """Whether this is a pass over everything, and not only over what was asked for beside."""


@dataclass(frozen=True)
class PullStreamInput:
    """Which stream to read to its present end."""

    source_id: str
    stream: str


@dataclass(frozen=True)
class PullStreamResult:
    """What was read, in this attempt."""

    read: int = 0
    stored: int = 0
    restarts: int = 0


@dataclass(frozen=True)
class FinishPullInput:
    """How a pass ended; a problem is a sentence without personal data."""

    source_id: str
    problem: str | None = None


@dataclass(frozen=True)
class FinishPullResult:
    """When the pass ended."""

    at: WallInstant


@dataclass
class PullState:
    """All state of a pull workflow, carried through continue-as-new. Add-only, with defaults."""

    source_id: str
    last_pass_at: WallInstant | None = None
    is_asked: bool = False
    passes: int = 0
    """Passes of this run."""


class PullContract(ABC):
    """Reading of connected providers. Task queue `bulk`."""

    @activity.defn(name="plan_pull")
    @abstractmethod
    async def plan_pull(self, request: PlanPullInput) -> PlanPullResult:
        """Say what is to be read now, or when to look again."""

    @activity.defn(name="pull_stream")
    @abstractmethod
    async def pull_stream(self, request: PullStreamInput) -> PullStreamResult:
        """Read one stream page by page; a repeated attempt goes on behind the last page."""

    @activity.defn(name="finish_pull")
    @abstractmethod
    async def finish_pull(self, request: FinishPullInput) -> FinishPullResult:
        """Note how the pass ended, where people see it."""
