"""What workflows know of cases: one step forward, one letter, one deed at the billing provider."""

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass

from temporalio import activity

from activities.contracts import Wake
from domain.case_vocabulary import CaseOutcome
from domain.time import BusinessInstant

LETTER = "letter"
"""The kind of an order that the queue `email` carries out; every other kind is a deed on `billing`."""


@dataclass(frozen=True)
class CaseOrder:
    """One effect of one step of a case; the activity loads everything else."""

    case_id: uuid.UUID
    kind: str
    step: str
    occurrence: int

    @property
    def origin(self) -> str:
        """How the key of its effect begins."""
        return f"case/{self.case_id}/{self.step}/{self.occurrence}/"


@dataclass(frozen=True)
class AdvanceCaseInput:
    """One look at a case. `seq` makes a retried attempt return the stored result."""

    case_id: uuid.UUID
    seq: int
    woken_for: BusinessInstant | None = None
    given_up: CaseOrder | None = None
    """An order whose every attempt failed: the case goes on without it."""


@dataclass(frozen=True)
class AdvanceCaseResult:
    """What the workflow does next: have something done, wait, or end."""

    order: CaseOrder | None = None
    wake: Wake | None = None
    outcome: CaseOutcome | None = None


@dataclass
class CaseRunState:
    """All state of a case's workflow. Add-only, with defaults."""

    case_id: uuid.UUID
    seq: int = 0


class CaseContract(ABC):
    """Progress and deeds of cases. Task queue `billing`."""

    @activity.defn(name="advance_case")
    @abstractmethod
    async def advance_case(self, request: AdvanceCaseInput) -> AdvanceCaseResult:
        """Look at the evidence as it is now, decide, and write the decision, in one transaction."""

    @activity.defn(name="perform_case_step")
    @abstractmethod
    async def perform_case_step(self, order: CaseOrder) -> str:
        """Do what was ordered exactly once, and return what became of it; safe to repeat at any point."""


class CaseMailContract(ABC):
    """Letters of cases. Task queue `email`."""

    @activity.defn(name="send_case_letter")
    @abstractmethod
    async def send_case_letter(self, order: CaseOrder) -> str:
        """Send one letter exactly once, or say why not."""
