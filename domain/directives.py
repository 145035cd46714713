"""What the director may say. The decide activity writes each down; two of them reach the workflow."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from domain.customer_state import KnownPlaybook, Memory
from domain.departures import KnownDeparture
from domain.time import BusinessInstant
from domain.trials import Assignment
from domain.vocabulary import Outcome, Severity, SignalKind
from domain.win_back_policy import WinBackPolicy


@dataclass(frozen=True)
class StartRun:
    """Open a run; `observed` only plans it, to be shown and released by a person."""

    playbook: KnownPlaybook
    reason: str
    sentence: str
    causes: tuple[dict[str, Any], ...]
    observed: bool = False
    expected_value: float = 0.0
    """Probability of leaving times revenue times uplift, in whole units of the customer's currency."""
    uplift: str = ""
    """Whether that uplift was measured or is assumed, in words."""
    request_id: uuid.UUID | None = None
    """Whose wish it answers."""
    assignment: Assignment | None = None
    """By which chance it opens; None where nothing is measured, or where it is only planned."""


@dataclass(frozen=True)
class ReleaseRun:
    """A planned run may go."""

    intervention_id: uuid.UUID
    sentence: str
    causes: tuple[dict[str, Any], ...] = ()
    """What calls for it now, which may be other signals than when it was planned."""
    assignment: Assignment | None = None


@dataclass(frozen=True)
class EndRun:
    """Close a run from outside: replaced by a worthier one, or the customer left."""

    intervention_id: uuid.UUID
    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class RingRun:
    """Something changed that the run may care about."""

    intervention_id: uuid.UUID


@dataclass(frozen=True)
class Refuse:
    """A run that was considered and not opened, and why."""

    playbook_key: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class Withhold:
    """A run that would have opened and is left out by chance: what the others are held against."""

    playbook: KnownPlaybook
    assignment: Assignment


@dataclass(frozen=True)
class AnswerRequest:
    """A wish for a run that is not granted, and why."""

    request_id: uuid.UUID
    playbook_key: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class OpenHeadsUp:
    """Warn the owner."""

    dedupe_key: str
    severity: Severity
    title: str
    body: str
    signal_id: uuid.UUID | None = None


@dataclass(frozen=True)
class CloseHeadsUp:
    """The reason of a warning is gone."""

    dedupe_key: str
    reason: str


@dataclass(frozen=True)
class OpenSilence:
    """Nobody has spoken with the customer for longer than its touch tier allows."""

    signal_id: uuid.UUID
    kind: SignalKind
    severity: Severity
    title: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class ResolveSignal:
    """A signal that the director opened has ended."""

    signal_id: uuid.UUID
    reason: str


@dataclass(frozen=True)
class SetWatchlist:
    """Put the customer on the watchlist, or take it off."""

    on: bool
    sentence: str


@dataclass(frozen=True)
class OpenDunning:
    """An unpaid invoice gets a case of its own."""

    invoice_id: uuid.UUID
    sentence: str


@dataclass(frozen=True)
class OpenWinBack:
    """Open a case for a departure; one that chance leaves alone is opened too, and does nothing."""

    departure: KnownDeparture
    policy: WinBackPolicy
    """As the case keeps it."""
    assignment: Assignment | None
    """By which chance it is treated or left alone; None where nothing is measured."""
    sentence: str


@dataclass(frozen=True)
class RefuseWinBack:
    """A departure that is not answered, and why."""

    reason: str
    sentence: str


Directive = (
    StartRun
    | ReleaseRun
    | EndRun
    | RingRun
    | Refuse
    | Withhold
    | AnswerRequest
    | OpenHeadsUp
    | CloseHeadsUp
    | OpenSilence
    | ResolveSignal
    | SetWatchlist
    | OpenDunning
    | OpenWinBack
    | RefuseWinBack
)


@dataclass(frozen=True)
class Silence:
    """Since when nobody has spoken with the customer, and when that has lasted too long.

    Contacts move both, and most come without a decision. So the relay watches over it and rings when it is
    over: a timer of the workflow would wake it every few weeks to find that somebody has spoken.
    """

    since: BusinessInstant
    due_at: BusinessInstant


@dataclass(frozen=True)
class Ruling:
    """The director's answer: new memory, what to do, and when to look again at the latest."""

    memory: Memory
    directives: tuple[Directive, ...] = field(default=())
    next_look: BusinessInstant | None = None
    begins_term: bool = False
    """The contract was renewed: the workflow leaves its history behind."""
    silence: Silence | None = None
