"""What the director sees of a customer: ids, enums, numbers and dates, loaded in one go."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.departures import KnownDeparture
from domain.playbook import Playbook
from domain.time import BusinessInstant
from domain.trials import Trial
from domain.unpaid import UnpaidInvoice
from domain.uplift import Uplifts
from domain.vocabulary import (
    CustomerDate,
    CustomerStatus,
    HealthComponent,
    HealthStatus,
    InterventionState,
    Motion,
    NoticeKind,
    Outcome,
    RiskTier,
    Segment,
    Severity,
    SignalKind,
    TouchTier,
)
from domain.win_back_policy import WinBackPolicy


@dataclass(frozen=True)
class OpenSignal:
    """A signal that holds now. A baseline one sets state and triggers nothing."""

    id: uuid.UUID
    kind: SignalKind
    severity: Severity
    title: str
    opened_at: BusinessInstant
    is_baseline: bool = False
    dedupe_key: str = ""


@dataclass(frozen=True)
class Driver:
    """One reason of the risk score, by the family it belongs to."""

    family: HealthComponent
    sentence: str
    points: float


@dataclass(frozen=True)
class OpenRun:
    """An intervention that has not ended."""

    id: uuid.UUID
    playbook_key: str
    motion: Motion
    priority: int
    reason: str
    state: InterventionState


@dataclass(frozen=True)
class EndedRun:
    """When and how the last run of a playbook ended, and what it was opened for."""

    playbook_key: str
    ended_at: BusinessInstant
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class ResolvedSignal:
    """A signal that has ended lately."""

    id: uuid.UUID
    kind: SignalKind
    resolved_at: BusinessInstant


@dataclass(frozen=True)
class RunRequest:
    """Somebody's wish that a run be opened. An urgent one opens it beside others, and soon after another."""

    id: uuid.UUID
    playbook_key: str
    is_urgent: bool
    by: str


@dataclass(frozen=True)
class CustomerState:
    """One customer at one instant."""

    customer_id: uuid.UUID
    status: CustomerStatus
    touch_tier: TouchTier
    tier: RiskTier | None
    health_status: HealthStatus | None
    holdout: bool
    do_not_contact: bool
    is_observed: bool
    """The relation's silence can be heard: some source tells of touchpoints."""
    renewal_on: dt.date | None
    started_at: BusinessInstant | None
    last_touch_at: BusinessInstant | None
    watchlisted_at: BusinessInstant | None
    arr_minor: int = 0
    currency: str = "USD"
    drivers: tuple[Driver, ...] = ()
    signals: tuple[OpenSignal, ...] = ()
    open_runs: tuple[OpenRun, ...] = ()
    ended_runs: tuple[EndedRun, ...] = ()
    heads_up_keys: frozenset[str] = frozenset()
    heard_since: BusinessInstant | None = None
    """When the first source that tells of touchpoints was connected: silence before it was deafness."""
    first_seen_at: BusinessInstant | None = None
    """When the director first looked at this customer."""
    tier_is_baseline: bool = False
    """The tier has not moved since the first score: it is known, and it triggers nothing."""
    health_was_better: bool = False
    """Health has had a better status since we first looked."""
    churn_probability: float | None = None
    dates: Mapping[CustomerDate, BusinessInstant] = field(default_factory=dict)
    resolved: tuple[ResolvedSignal, ...] = ()
    performed: Mapping[tuple[str, dt.timedelta], float] = field(default_factory=dict)
    """How often their people did what playbooks ask for, by name and window."""
    unfit: frozenset[str] = frozenset()
    """Playbooks whose `only_if` does not hold of this customer."""
    requests: tuple[RunRequest, ...] = ()
    resting: Mapping[str, BusinessInstant | None] = field(default_factory=dict)
    """Playbooks that a person has ordered to rest for this customer, and until when."""
    owner_load: int = 0
    """Open tasks of the person who owns the customer."""
    segment: Segment | None = None
    unpaid: tuple[UnpaidInvoice, ...] = ()
    """Open invoices that we could collect and that have no case yet."""
    departure: KnownDeparture | None = None
    """How a customer that is gone has left; None while they are here, or nobody knows when they left."""


@dataclass(frozen=True)
class HeardNotice:
    """One outbox row as the director hears it."""

    kind: NoticeKind
    payload: dict[str, Any]
    occurred_at: BusinessInstant


@dataclass(frozen=True)
class KnownPlaybook:
    """A published version that may be started."""

    version_id: uuid.UUID
    document: Playbook
    released: bool


@dataclass(frozen=True)
class DirectorPolicy:
    """What the installation allows and asks for."""

    playbooks: tuple[KnownPlaybook, ...]
    longest_silence_days: dict[TouchTier, int]
    release_left: int | None = None
    """Runs that may still be released today; None without a rate."""
    parts: frozenset[str] = frozenset()
    """What of an installation is there: billing, in_app, calendar, deals."""
    most_tasks_of_an_owner: int = 60
    """An owner with so many open tasks gets no more from playbooks; an escalation is heard all the same."""
    uplifts: Uplifts = field(default_factory=dict)
    """What playbooks were measured to save of the expected loss; the others are taken at their word."""
    trial: Trial | None = None
    """By what chance playbooks are withheld to measure them; None where nothing is measured."""
    remind_before: dt.timedelta = dt.timedelta()
    """How long before its due date an invoice that is paid by transfer gets its case."""
    win_back: WinBackPolicy | None = None
    """How departures are answered; loaded only for who has left."""


class Memory(BaseModel):
    """What the director keeps of a customer between decisions; add-only, with defaults."""

    model_config = ConfigDict(frozen=True)

    phase: str = "new"
    refused: dict[str, str] = {}
    """The reason last given per playbook, so that the same refusal is written once."""
    told: dict[str, BusinessInstant] = {}
    """When each refusal of the last day (`playbook:reason`) last held: what flickers is written once."""
    silence_from: BusinessInstant | None = None
    """Where the count of the longest silence starts anew after we acted on one."""
    withheld: dict[str, BusinessInstant] = {}
    """Until when a customer counts as left without a playbook: as long as a run and its rest would take."""
    covered: tuple[str, ...] = ()
    """Signals whose own warning rests while a wider one speaks for them."""
    began_at: BusinessInstant | None = None
    """When this customer was first decided on: nobody is told off for silence before it."""
    renewal_on: dt.date | None = None
    """The end of the term that we last knew: a later one means that a term has begun."""
    departure_at: BusinessInstant | None = None
    """The last departure that was answered: with a case, or with the reason why there is none."""
