"""Whether a source is talking as it should: the word for it, pure over what is known of it."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from domain.scoring_policy import FreshnessPolicy
from domain.time import BusinessInstant


class SourceState(StrEnum):
    """How a source is doing."""

    FRESH = "fresh"
    LATE = "late"
    SILENT = "silent"
    PAUSED = "paused"
    NEVER_SPOKE = "never_spoke"
    COMPLETE = "complete"
    """It told all that it will: a file."""


@dataclass(frozen=True)
class Voice:
    """What is known of a source's talking. `heard_at` counts repetitions too."""

    kind: str
    rhythm_hours: float | None
    heard_at: BusinessInstant | None
    is_paused: bool = False
    usual_gap_days: float | None = None
    """How rarely it speaks, from its own days, where nobody declared its rhythm."""


def state_of(voice: Voice, now: BusinessInstant, policy: FreshnessPolicy) -> SourceState:
    """Return the state: late after its own rhythm, silent when signals from it abstain."""
    if voice.kind == "upload":
        return SourceState.COMPLETE if voice.heard_at is not None else SourceState.NEVER_SPOKE
    if voice.is_paused:
        return SourceState.PAUSED
    if voice.heard_at is None:
        return SourceState.NEVER_SPOKE
    if is_silent(voice, now, policy):
        return SourceState.SILENT
    lag = now - voice.heard_at
    is_late = voice.rhythm_hours is not None and lag > dt.timedelta(hours=voice.rhythm_hours)
    return SourceState.LATE if is_late else SourceState.FRESH


def is_silent(voice: Voice, now: BusinessInstant, policy: FreshnessPolicy) -> bool:
    """Tell whether it fell silent; one that never spoke has not begun."""
    return voice.heard_at is not None and now - voice.heard_at > patience(voice, policy)


def patience(voice: Voice, policy: FreshnessPolicy) -> dt.timedelta:
    """Return for how long its silence means nothing."""
    if voice.rhythm_hours is None and voice.usual_gap_days is not None:
        return dt.timedelta(days=max(policy.learned_least_days, voice.usual_gap_days * policy.rhythms))
    rhythm = dt.timedelta(hours=(voice.rhythm_hours or 0.0) * policy.rhythms)
    return max(dt.timedelta(days=policy.silent_after_days), rhythm)
