"""What workflows know of activities: names, inputs and results. Workflows import this, never a class."""

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from temporalio import activity

from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import Outcome


@dataclass(frozen=True)
class Wake:
    """When to look again: the business deadline, and the wall instant at which it is expected."""

    due: BusinessInstant
    wall: WallInstant
    then: str | None = None
    """The step whose message is expected to be next: the activity that sends it looks again by itself."""
    lazily: bool = False
    """A timer that is armed for an earlier instant may stay: most deadlines only ever move away."""


@dataclass(frozen=True)
class DecideInput:
    """One decision on a customer. `seq` makes a retried attempt return the stored ruling."""

    customer_id: uuid.UUID
    seq: int
    woken_for: BusinessInstant | None = None
    """The deadline whose timer fired, None when rung."""


@dataclass(frozen=True)
class RunToStart:
    """An intervention whose workflow should run now."""

    intervention_id: uuid.UUID
    motion: str
    opens_with: str | None = None
    """A message that may go out as soon as it begins."""
    wake: Wake | None = None
    """When it begins, where its first step is a message that finds the doors closed now."""


@dataclass(frozen=True)
class DecideResult:
    """What the customer's workflow carries out, and when it looks again."""

    phase: str
    risk_tier: str
    starts: tuple[RunToStart, ...] = ()
    rings: tuple[uuid.UUID, ...] = ()
    wake: Wake | None = None
    begins_term: bool = False
    """The contract was renewed: a good moment to leave the history behind."""


@dataclass(frozen=True)
class SendEmailInput:
    """One message of one visit of one step; the activity loads everything else."""

    intervention_id: uuid.UUID
    step_id: str
    occurrence: int
    seq: int = 0
    """With a number the run is advanced behind the message; 0 is an order from before that was so."""
    looks_first: bool = False
    """Advance the run first, and send what that asks for: the step is only what was expected."""
    woken_for: BusinessInstant | None = None


@dataclass(frozen=True)
class PerformInput:
    """One visit of a step that another activity does; it loads everything else."""

    intervention_id: uuid.UUID
    step_id: str
    occurrence: int
    kind: str


@dataclass(frozen=True)
class AdvanceInput:
    """One step forward of a run."""

    intervention_id: uuid.UUID
    seq: int
    woken_for: BusinessInstant | None = None
    given_up: SendEmailInput | None = None
    """A send, or another step, whose every attempt failed: the run goes on without it."""


@dataclass(frozen=True)
class AdvanceResult:
    """What the run's workflow does next: send, have something done, wait, or end."""

    send: SendEmailInput | None = None
    wake: Wake | None = None
    outcome: Outcome | None = None
    perform: PerformInput | None = None


@dataclass(frozen=True)
class PerformResult:
    """What became of the step: its state and reason, as they are in its record."""

    state: str
    reason: str = ""


@dataclass(frozen=True)
class SendEmailResult:
    """What became of the send, in the ledger's words or `deferred` or `refused`; empty where none was due."""

    state: str
    reason: str = ""
    next: AdvanceResult | None = None
    """What the run does behind it, where the order had a number."""


class LifecycleContract(ABC):
    """Decisions on customers. Task queue `decisions`."""

    @activity.defn(name="decide")
    @abstractmethod
    async def decide(self, request: DecideInput) -> DecideResult:
        """Read the customer's notices, rule, and write the ruling down, in one transaction."""


class InterventionContract(ABC):
    """Progress of runs. Task queue `decisions`."""

    @activity.defn(name="advance")
    @abstractmethod
    async def advance(self, request: AdvanceInput) -> AdvanceResult:
        """Advance one run and write what was done, in one transaction."""


class MessagingContract(ABC):
    """Messages to people. Task queue `email`."""

    @activity.defn(name="send_email")
    @abstractmethod
    async def send_email(self, request: SendEmailInput) -> SendEmailResult:
        """Send one message exactly once, or say why not."""


class StepContract(ABC):
    """Steps that do something elsewhere. Task queue `bulk`."""

    @activity.defn(name="perform_step")
    @abstractmethod
    async def perform_step(self, request: PerformInput) -> PerformResult:
        """Do what a step says exactly once, and record what became of it; safe to repeat at any point."""


@dataclass
class LifecycleState:
    """All state of a customer's workflow, carried through continue-as-new. Add-only, with defaults."""

    customer_id: uuid.UUID
    seq: int = 0
    began_wall: WallInstant | None = None
    phase: str = ""
    risk_tier: str = ""
    is_settled: bool = False
    """The last decision still stands: the next run waits for what it named instead of deciding again."""
    wake: Wake | None = None


@dataclass
class InterventionRunState:
    """All state of a run's workflow."""

    intervention_id: uuid.UUID
    seq: int = 0
    sent: list[str] = field(default_factory=list)
    opens_with: str | None = None
    """A message that may go out as soon as the run begins, while it has not."""
    wake: Wake | None = None
    """When it begins, where that is not at once."""
