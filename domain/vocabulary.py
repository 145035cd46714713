"""The words of the product, the same in code, tables, YAML and pages; docs/glossary.md explains them."""

import functools
from enum import StrEnum


@functools.lru_cache(maxsize=None, typed=True)
def rank(member: StrEnum) -> int:
    """Return the place of a word in its vocabulary, 0 for the first; the same word may stand in several."""
    return list(type(member)).index(member)


class CustomerDate(StrEnum):
    """The dates of a customer that playbooks count from."""

    RENEWAL = "renewal"
    NOTICE_DEADLINE = "notice_deadline"
    STARTED = "started"
    ONBOARDED = "onboarded"
    FIRST_VALUE = "first_value"


class Role(StrEnum):
    """What one of our users may do."""

    ADMIN = "admin"
    MANAGER = "manager"
    CSM = "csm"
    SALES = "sales"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class ContactRole(StrEnum):
    """What a person is to the customer they work for."""

    CHAMPION = "champion"
    EXECUTIVE_SPONSOR = "executive_sponsor"
    ADMIN = "admin"
    BILLING = "billing"
    END_USER = "end_user"


class TouchTier(StrEnum):
    """How much human attention a customer gets."""

    STRATEGIC = "strategic"
    MANAGED = "managed"
    TECH_TOUCH = "tech_touch"


class Segment(StrEnum):
    """The size of the customer, which scales thresholds and weights."""

    SMALL = "small"
    MID_MARKET = "mid_market"
    ENTERPRISE = "enterprise"


class CustomerStatus(StrEnum):
    """Where the commercial relation stands."""

    TRIAL = "trial"
    ACTIVE = "active"
    CHURNED = "churned"


class RiskTier(StrEnum):
    """Churn risk in four steps; high is bad."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return rank(self)


class HealthStatus(StrEnum):
    """Health in words; high is good."""

    THRIVING = "thriving"
    ENGAGED = "engaged"
    NEUTRAL = "neutral"
    NEEDS_ATTENTION = "needs_attention"
    AT_RISK = "at_risk"

    @property
    def is_good(self) -> bool:
        """Thriving or engaged."""
        return self in {HealthStatus.THRIVING, HealthStatus.ENGAGED}


class HealthComponent(StrEnum):
    """The seven things that health is made of."""

    USAGE = "usage"
    ADOPTION = "adoption"
    SUPPORT = "support"
    SENTIMENT = "sentiment"
    RELATIONSHIP = "relationship"
    COMMERCIAL = "commercial"
    OUTCOMES = "outcomes"


class SignalKind(StrEnum):
    """The observed changes that matter. A Temporal signal is a notice in our code, never this."""

    USAGE_DROP = "usage_drop"
    LOGIN_SILENCE = "login_silence"
    FEATURE_DROP_OFF = "feature_drop_off"
    ONBOARDING_STALL = "onboarding_stall"
    TICKET_OVERDUE = "ticket_overdue"
    SUPPORT_SURGE = "support_surge"
    SENTIMENT_DROP = "sentiment_drop"
    POOR_SURVEY = "poor_survey"
    CHAMPION_LEFT = "champion_left"
    EXECUTIVE_SILENCE = "executive_silence"
    QBR_MISSED = "qbr_missed"
    NO_CONTACT = "no_contact"
    LIMIT_PROXIMITY = "limit_proximity"
    USAGE_SURGE = "usage_surge"
    BREADTH_GROWTH = "breadth_growth"
    CONTRACT_STAGNATION = "contract_stagnation"
    INVOICE_PAST_DUE = "invoice_past_due"
    PAYMENT_FAILING = "payment_failing"
    SLA_BREACH = "sla_breach"
    TICKET_UNRESOLVED = "ticket_unresolved"
    ADOPTION_LAG = "adoption_lag"
    UPSELL_POTENTIAL_LOW = "upsell_potential_low"
    EXPANSION_BLOCKER = "expansion_blocker"
    HEALTH_DROP = "health_drop"
    COMPOUND_RISK = "compound_risk"
    OWN = "own"
    """Declared by the tenant: which one is in its dedupe key, `own:<key>`."""


class SignalState(StrEnum):
    """Open until the evidence reverses."""

    OPEN = "open"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Motion(StrEnum):
    """What a playbook is for."""

    ONBOARDING = "onboarding"
    RETENTION = "retention"
    RENEWAL = "renewal"
    EXPANSION = "expansion"
    DUNNING = "dunning"
    WIN_BACK = "win_back"


class Purpose(StrEnum):
    """Consent class of a message."""

    TRANSACTIONAL = "transactional"
    LIFECYCLE = "lifecycle"
    MARKETING = "marketing"


class Direction(StrEnum):
    """Who started a touchpoint: out is from us."""

    OUT = "out"
    IN = "in"


class Channel(StrEnum):
    """Where a touchpoint happened."""

    EMAIL = "email"
    CALL = "call"
    MEETING = "meeting"
    NOTE = "note"
    CHAT = "chat"
    IN_APP = "in_app"


class TouchpointState(StrEnum):
    """Life of one contact with one person."""

    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    RECEIVED = "received"


class EffectState(StrEnum):
    """Life of one effect on the world in the ledger."""

    CLAIMED = "claimed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class InterventionState(StrEnum):
    """Planned waits for release; the rest is one run."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


GOING_ON = (InterventionState.RUNNING, InterventionState.PAUSED)
"""Begun and not ended: a run that rests listens, and has a time at which it looks again."""


class StepState(StrEnum):
    """Life of one step of a run."""

    PLANNED = "planned"
    STARTED = "started"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    DEFERRED = "deferred"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a run or a relation ended; a label for training."""

    SAVED = "saved"
    CHURNED = "churned"
    RENEWED = "renewed"
    EXPANDED = "expanded"
    REACTIVATED = "reactivated"
    LOST = "lost"
    NO_CHANGE = "no_change"
    REPLACED = "replaced"
    STOPPED = "stopped"


class TaskState(StrEnum):
    """Human work."""

    OPEN = "open"
    SNOOZED = "snoozed"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskOutcome(StrEnum):
    """What came of human work; asked when a task is done."""

    REACHED = "reached"
    NO_ANSWER = "no_answer"
    RESOLVED = "resolved"
    NOT_NEEDED = "not_needed"
    ESCALATED = "escalated"
    APPROVED = "approved"
    REJECTED = "rejected"


class MessageState(StrEnum):
    """Life of one event on its way to one endpoint."""

    WAITING = "waiting"
    TAKEN = "taken"
    FAILED = "failed"


class PromptState(StrEnum):
    """Life of a message inside the product."""

    OFFERED = "offered"
    SHOWN = "shown"
    CLICKED = "clicked"
    DISMISSED = "dismissed"
    EXPIRED = "expired"


class PauseScope(StrEnum):
    """What a person has ordered to rest."""

    EVERYTHING = "everything"
    SEGMENT = "segment"
    PLAYBOOK = "playbook"
    CUSTOMER = "customer"
    RUN = "run"


class RequestState(StrEnum):
    """Life of a wish for a run."""

    OPEN = "open"
    OPENED = "opened"
    REFUSED = "refused"


class WorkflowAction(StrEnum):
    """What a person has ordered of a workflow; the relay carries it out."""

    RING = "ring"
    """Look again; a workflow that is gone is started anew."""
    RESTART = "restart"
    """End it and start it anew: where it stood is in the database."""


class WorkflowTrouble(StrEnum):
    """What is wrong with a workflow, as Temporal tells it."""

    MISSING = "missing"
    FAILING = "failing"


class HeadsUpState(StrEnum):
    """An early warning shown to its owner."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class DecisionKind(StrEnum):
    """Done, refused, put off, or what would have been done while observing."""

    DIRECTIVE = "directive"
    REFUSAL = "refusal"
    DEFERRAL = "deferral"
    OBSERVED = "observed"


class Attention(StrEnum):
    """What a list says to look at first."""

    NOW = "now"
    SCHEDULED = "scheduled"
    PROACTIVE = "proactive"
    NONE = "none"


class NoticeKind(StrEnum):
    """What an outbox row tells the customer's workflow."""

    SIGNAL_OPENED = "signal_opened"
    SIGNAL_RESOLVED = "signal_resolved"
    TIER_CHANGED = "tier_changed"
    RE_ENGAGED = "re_engaged"
    CUSTOMER_ADDED = "customer_added"
    CUSTOMER_CHURNED = "customer_churned"
    CUSTOMER_CHANGED = "customer_changed"
    TOUCHPOINT = "touchpoint"
    TASK_DONE = "task_done"
    PAYMENT = "payment"
    PAYMENT_FAILED = "payment_failed"
    CASE_ENDED = "case_ended"
    CONSENT_CHANGED = "consent_changed"
    INTERVENTION_ENDED = "intervention_ended"
    RELEASED = "released"
    SWITCHED = "switched"
    CLOCK_CHANGED = "clock_changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    PERFORMED = "performed"
    PLAYBOOK_EDITED = "playbook_edited"
    RUN_REQUESTED = "run_requested"
    SILENCE = "silence"


class CancellationReason(StrEnum):
    """Why a customer left, in Stripe's words."""

    CUSTOMER_SERVICE = "customer_service"
    LOW_QUALITY = "low_quality"
    MISSING_FEATURES = "missing_features"
    SWITCHED_SERVICE = "switched_service"
    TOO_COMPLEX = "too_complex"
    TOO_EXPENSIVE = "too_expensive"
    UNUSED = "unused"
    OTHER = "other"
