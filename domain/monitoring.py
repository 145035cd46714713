"""What can go wrong with what should go on by itself, and what a person may do about each."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.time import BusinessInstant, WallInstant

SHORTEST_GRACE = dt.timedelta(hours=1)
"""Business time by which a wake may be late before anybody is told."""
WALL_GRACE = dt.timedelta(minutes=2)
"""The same on the wall, for news that nobody hears, and for compressed time, whose hour is soon over."""


class Trouble(StrEnum):
    """One kind of finding."""

    OVERSLEPT_RUN = "overslept_run"
    OVERSLEPT_CUSTOMER = "overslept_customer"
    OVERSLEPT_CASE = "overslept_case"
    LOST_WORKFLOW = "lost_workflow"
    FAILING_WORKFLOW = "failing_workflow"
    NO_OUTCOME = "no_outcome"
    UNCERTAIN_EFFECT = "uncertain_effect"
    UNHEARD_NOTICE = "unheard_notice"


class Repair(StrEnum):
    """What a person may do about a finding."""

    RETRY = "retry"
    RESTART_WORKFLOW = "restart_workflow"
    SKIP = "skip"
    RESTART = "restart"
    STOP = "stop"
    SENT = "sent"
    NOT_SENT = "not_sent"


OF_RUNS = (Repair.RETRY, Repair.RESTART_WORKFLOW, Repair.SKIP, Repair.RESTART, Repair.STOP)
OF_CUSTOMERS = (Repair.RETRY, Repair.RESTART_WORKFLOW)
REPAIRS: Mapping[Trouble, tuple[Repair, ...]] = {
    Trouble.OVERSLEPT_RUN: OF_RUNS,
    Trouble.OVERSLEPT_CUSTOMER: OF_CUSTOMERS,
    Trouble.OVERSLEPT_CASE: OF_CUSTOMERS,
    Trouble.LOST_WORKFLOW: OF_RUNS,
    Trouble.FAILING_WORKFLOW: OF_RUNS,
    Trouble.NO_OUTCOME: (Repair.STOP,),
    Trouble.UNCERTAIN_EFFECT: (Repair.SENT, Repair.NOT_SENT),
    Trouble.UNHEARD_NOTICE: OF_CUSTOMERS,
}
"""The repairs of each finding, the mildest first. Customers' workflows and cases have no steps to skip."""


@dataclass(frozen=True)
class Finding:
    """One thing that does not go on by itself. `key` names it until it is mended."""

    trouble: Trouble
    id: str
    customer_id: uuid.UUID
    customer: str
    sentence: str
    since: dt.datetime
    is_wall: bool = False
    """Whether `since` is of the machine's clock and not of business time."""
    run_id: uuid.UUID | None = None
    playbook: str | None = None
    """The playbook of the run, or the kind of the case."""
    case_id: uuid.UUID | None = None

    @property
    def key(self) -> str:
        """What a repair is ordered with."""
        return f"{self.trouble.value}:{self.id}"

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What may be done about it."""
        if self.run_id is None and self.trouble in {Trouble.LOST_WORKFLOW, Trouble.FAILING_WORKFLOW}:
            return OF_CUSTOMERS
        return REPAIRS[self.trouble]


@dataclass(frozen=True)
class Look:
    """When Temporal was last asked, and what kept it from answering."""

    at: WallInstant
    looked_at: int
    problem: str | None


def late_since(now: BusinessInstant, rate: float) -> BusinessInstant:
    """Return the instant before which whatever should have woken has overslept."""
    return BusinessInstant(now - max(SHORTEST_GRACE, WALL_GRACE * rate))
