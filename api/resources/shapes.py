"""The API on the wire. Fields may be added, never renamed or dropped. Money: minor units and currency."""

import datetime as dt
import uuid
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.vocabulary import (
    Attention,
    CancellationReason,
    ContactRole,
    CustomerStatus,
    DecisionKind,
    HeadsUpState,
    HealthStatus,
    InterventionState,
    Motion,
    Outcome,
    RiskTier,
    Role,
    Segment,
    Severity,
    SignalKind,
    StepState,
    TaskOutcome,
    TaskState,
    TouchTier,
)


class Shape(BaseModel):
    """A resource; it takes what it knows from a row."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Customer(Shape):
    """A customer with its current state. Risk: high is bad. Health: high is good."""

    id: uuid.UUID
    external_id: str
    source_id: str
    name: str
    domain: str | None
    industry: str | None
    country: str | None
    segment: Segment
    plan: str | None
    touch_tier: TouchTier
    status: CustomerStatus
    arr_minor: int
    currency: str
    csm_id: uuid.UUID | None
    sales_owner_id: uuid.UUID | None
    started_at: dt.datetime | None
    renewal_on: dt.date | None
    churned_at: dt.datetime | None
    cancellation_reason: CancellationReason | None
    do_not_contact: bool
    holdout: bool
    churn_probability: float | None
    churn_risk_score: int | None
    churn_risk_tier: RiskTier | None
    renewal_probability: float | None
    expansion_probability: float | None
    health_score: int | None
    health_status: HealthStatus | None
    watchlisted_at: dt.datetime | None
    last_touch_at: dt.datetime | None
    last_usage_on: dt.date | None
    attention: Attention


class Score(Shape):
    """The newest score, with what drives it and how old its data is."""

    as_of: dt.date
    scored_at: dt.datetime
    churn_probability: float
    churn_risk_score: int
    churn_risk_tier: RiskTier
    health_score: int
    components: dict[str, Any]
    drivers: list[dict[str, Any]]
    horizon_days: int
    model_version: str
    data_on: dt.date | None
    renewal_probability: float | None
    expansion_probability: float | None
    outlook_missing: str | None


class Assessment(Shape):
    """The verdict in words."""

    assessed_at: dt.datetime
    health_status: HealthStatus
    limited_since: dt.date | None
    reason: str
    changes: list[dict[str, Any]]
    next_best_action: str
    components: dict[str, Any]
    data_on: dt.date | None
    renewal_probability: float | None
    expansion_probability: float | None
    outlook_missing: str | None


class Contact(Shape):
    """A person at the customer. Suppressed ones get no mail."""

    id: uuid.UUID
    name: str
    email: str | None
    department: str | None
    role: ContactRole
    suppressed: bool


class OpenSignal(Shape):
    """An observed change that still holds, with its evidence."""

    id: uuid.UUID
    kind: SignalKind
    severity: Severity
    title: str
    evidence: dict[str, Any]
    opened_at: dt.datetime
    updated_at: dt.datetime


class OpenIntervention(Shape):
    """A run that has not ended."""

    id: uuid.UUID
    playbook_key: str
    reason: str
    state: InterventionState
    planned_at: dt.datetime
    started_at: dt.datetime | None
    expected_wake_at: dt.datetime | None


class CustomerDetail(Customer):
    """A customer with what we think of it and what we do about it."""

    score: Score | None
    assessment: Assessment | None
    contacts: list[Contact]
    signals: list[OpenSignal]
    interventions: list[OpenIntervention]


class TimelineEvent(Shape):
    """Something that happened; `kind` says what, `state` how it stands."""

    id: uuid.UUID
    kind: str
    at: dt.datetime
    title: str
    state: str | None


class Decision(Shape):
    """Why something was done, refused, put off, or would have been done."""

    id: uuid.UUID
    intervention_id: uuid.UUID | None
    case_id: uuid.UUID | None = None
    decided_at: dt.datetime
    kind: DecisionKind
    action: str
    subject: str
    reason: str
    sentence: str
    evidence: dict[str, Any]


class Ground(Shape):
    """One thing that speaks against a run, by its name and in words."""

    reason: str
    sentence: str


class Why(Shape):
    """Why a playbook acted or did not: what was decided, and what stands against a run now."""

    playbook: str
    open_run: uuid.UUID | None
    decisions: list[Decision]
    grounds: list[Ground]


class LedgerDecision(Decision):
    """A decision with the customer that it was about."""

    customer_id: uuid.UUID


class Task(Shape):
    """Human work."""

    id: uuid.UUID
    customer_id: uuid.UUID
    intervention_id: uuid.UUID | None
    case_id: uuid.UUID | None
    kind: str
    title: str
    body: str
    severity: Severity
    assignee_id: uuid.UUID | None
    state: TaskState
    created_at: dt.datetime
    due_at: dt.datetime
    snoozed_until: dt.datetime | None
    outcome: TaskOutcome | None
    note: str | None
    closed_at: dt.datetime | None
    closed_by_id: uuid.UUID | None


class HeadsUp(Shape):
    """An early warning for the owner of a customer."""

    id: uuid.UUID
    customer_id: uuid.UUID
    signal_id: uuid.UUID | None
    owner_id: uuid.UUID | None
    severity: Severity
    title: str
    body: str
    arr_minor: int
    currency: str
    state: HeadsUpState
    opened_at: dt.datetime
    snoozed_until: dt.datetime | None
    closed_at: dt.datetime | None
    closed_reason: str | None


class Intervention(OpenIntervention):
    """One run of a playbook version for one customer for one reason."""

    customer_id: uuid.UUID
    playbook_version: int
    causes: list[dict[str, Any]]
    ended_at: dt.datetime | None
    outcome: Outcome | None
    outcome_reason: str | None
    receipt: dict[str, Any] | None


class Step(Shape):
    """One visit of one step of a run."""

    step_id: str
    occurrence: int
    kind: str
    state: StepState
    reason: str | None
    due_at: dt.datetime | None
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


class InterventionDetail(Intervention):
    """A run with its steps in the order in which they began."""

    steps: list[Step]


class Playbook(Shape):
    """A recipe. Until it is released its runs are only planned."""

    key: str
    name: str
    motion: Motion
    current_version: int
    released_at: dt.datetime | None
    archived_at: dt.datetime | None
    planned: int
    running: int


class PlaybookDetail(Playbook):
    """A recipe with the document of its current version."""

    document: dict[str, Any]


class Installation(Shape):
    """The switches: whether anything is sent, and how quickly what was planned is let go."""

    company_name: str
    product_name: str
    released_at: dt.datetime | None
    release_per_day: int | None
    effects_stopped_at: dt.datetime | None
    customers_told: int = 0


class Colleague(Shape):
    """One of our users, for owners and assignees."""

    id: uuid.UUID
    name: str
    email: str
    role: Role
    title: str
    team: str | None
    time_zone: str
    disabled_at: dt.datetime | None


class Import(Shape):
    """One import with its counts per file."""

    id: uuid.UUID
    source_id: str
    mapping: str
    state: str
    files: dict[str, Any]
    error: str | None
    started_at: dt.datetime
    finished_at: dt.datetime | None


class QuarantinedRow(Shape):
    """A row that could not be stored, with where it stood and why."""

    id: uuid.UUID
    import_run_id: uuid.UUID | None
    source_id: str
    file: str
    line: int
    kind: str
    field: str
    reason: str
    raw: dict[str, Any]
    state: str
    quarantined_at: dt.datetime
    settled_at: dt.datetime | None
