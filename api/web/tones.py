"""Which colour a word takes. Colour never speaks alone: the word always stands beside it."""

from collections.abc import Mapping
from typing import Any

from domain.case_vocabulary import AttemptResult, CaseOutcome, CaseState, OfferState
from domain.vocabulary import Attention, DecisionKind, HealthStatus, Outcome, RiskTier, Severity, StepState

TIER_TONES: Mapping[Any, str] = {
    RiskTier.LOW: "low",
    RiskTier.MEDIUM: "medium",
    RiskTier.HIGH: "high",
    RiskTier.CRITICAL: "critical",
    None: "unknown",
}
"""Names of parts of a chart."""
GOOD, WATCH, BAD, GRAVE, INFO, PLAIN = "good", "watch", "bad", "grave", "info", "plain"
TONES: Mapping[Any, str] = {
    RiskTier.LOW: GOOD,
    RiskTier.MEDIUM: WATCH,
    RiskTier.HIGH: BAD,
    RiskTier.CRITICAL: GRAVE,
    HealthStatus.THRIVING: GOOD,
    HealthStatus.ENGAGED: GOOD,
    HealthStatus.NEUTRAL: PLAIN,
    HealthStatus.NEEDS_ATTENTION: BAD,
    HealthStatus.AT_RISK: GRAVE,
    Attention.NOW: GRAVE,
    Attention.SCHEDULED: WATCH,
    Attention.PROACTIVE: GOOD,
    Attention.NONE: PLAIN,
    Severity.INFO: INFO,
    Severity.MEDIUM: WATCH,
    Severity.HIGH: BAD,
    Severity.CRITICAL: GRAVE,
    Outcome.SAVED: GOOD,
    Outcome.RENEWED: GOOD,
    Outcome.EXPANDED: GOOD,
    Outcome.REACTIVATED: GOOD,
    Outcome.CHURNED: GRAVE,
    Outcome.LOST: GRAVE,
    DecisionKind.DIRECTIVE: GOOD,
    DecisionKind.REFUSAL: BAD,
    DecisionKind.DEFERRAL: WATCH,
    DecisionKind.OBSERVED: INFO,
    StepState.DONE: GOOD,
    StepState.FAILED: GRAVE,
    StepState.WAITING: INFO,
    StepState.STARTED: INFO,
    StepState.DEFERRED: WATCH,
    CaseState.OPEN: INFO,
    CaseState.HELD: WATCH,
    CaseOutcome.RECOVERED: GOOD,
    CaseOutcome.REACTIVATED: GOOD,
    CaseOutcome.EXHAUSTED: GRAVE,
    CaseOutcome.WRITTEN_OFF: GRAVE,
    CaseOutcome.ESCALATED: BAD,
    CaseOutcome.LOST: GRAVE,
    AttemptResult.SUCCEEDED: GOOD,
    AttemptResult.DECLINED: BAD,
    AttemptResult.UNCERTAIN: WATCH,
    AttemptResult.PENDING: INFO,
    OfferState.PROPOSED: WATCH,
    OfferState.GRANTED: INFO,
    OfferState.REDEEMED: GOOD,
    OfferState.REFUSED: BAD,
    "strong": GOOD,
    "good": GOOD,
    "fair": PLAIN,
    "weak": BAD,
    "poor": GRAVE,
}


def tone(value: object) -> str:
    """Return the tone of a word; words that judge nothing are plain."""
    return TONES.get(value, PLAIN) if value is not None else PLAIN
