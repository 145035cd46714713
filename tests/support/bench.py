"""Customers before the director: building them, ruling on them, and keeping what was ruled."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from domain.customer_state import (
    CustomerState,
    DirectorPolicy,
    Driver,
    EndedRun,
    HeardNotice,
    KnownPlaybook,
    Memory,
    OpenRun,
    OpenSignal,
)
from domain.directives import (
    AnswerRequest,
    CloseHeadsUp,
    Directive,
    EndRun,
    OpenHeadsUp,
    OpenSilence,
    ReleaseRun,
    ResolveSignal,
    Ruling,
    SetWatchlist,
    StartRun,
)
from domain.director import decide
from domain.time import BusinessInstant, business
from domain.vocabulary import (
    CustomerStatus,
    HealthComponent,
    HealthStatus,
    InterventionState,
    NoticeKind,
    Outcome,
    RiskTier,
    Severity,
    SignalKind,
    TouchTier,
)
from models.playbooks import read_library

NOW = business(datetime(2026, 6, 15, 8, tzinfo=UTC))
DAY = timedelta(days=1)
SILENCE = {TouchTier.STRATEGIC: 21, TouchTier.MANAGED: 30, TouchTier.TECH_TOUCH: 45}
FEW = {
    "escalated-save",
    "executive-check-in",
    "low-engagement",
    "renewal-check-in",
    "stay-in-touch",
    "support-frustration",
}
"""Enough of the library for each rule: a ruling of a test must not change with every new playbook."""
DOCUMENTS = {
    document.key: document
    for document in read_library(Path(__file__).resolve().parents[2] / "playbooks")
    if document.key in FEW
}
Said = TypeVar("Said", bound=Directive)


def known(shipped: str, /, *, released: bool = True, **changes: Any) -> KnownPlaybook:
    """A shipped playbook, perhaps under another key or with another content."""
    document = DOCUMENTS[shipped].model_copy(update=changes)
    return KnownPlaybook(uuid.uuid5(uuid.NAMESPACE_URL, document.key), document, released)


SHIPPED = tuple(known(key) for key in sorted(DOCUMENTS))
POLICY = DirectorPolicy(SHIPPED, SILENCE)
OBSERVING = DirectorPolicy(tuple(known(key, released=False) for key in sorted(DOCUMENTS)), SILENCE)
QUIET = CustomerState(
    customer_id=uuid.UUID(int=7),
    status=CustomerStatus.ACTIVE,
    touch_tier=TouchTier.MANAGED,
    tier=RiskTier.LOW,
    health_status=HealthStatus.ENGAGED,
    holdout=False,
    do_not_contact=False,
    is_observed=True,
    renewal_on=None,
    started_at=None,
    last_touch_at=NOW,
    watchlisted_at=None,
)


def driver(family: HealthComponent = HealthComponent.USAGE, points: float = 30.0) -> Driver:
    return Driver(family, f"{family.value} is worse than usual", points)


def signal(kind: SignalKind, number: int = 1, **more: Any) -> OpenSignal:
    return OpenSignal(uuid.UUID(int=number), kind, Severity.HIGH, kind.value, NOW, **more)


def open_run(
    key: str, state: InterventionState = InterventionState.RUNNING, reason: str = "tier:high"
) -> OpenRun:
    document = DOCUMENTS[key]
    identity = uuid.uuid5(uuid.NAMESPACE_OID, key)
    return OpenRun(identity, key, document.motion, document.priority, reason, state)


def notice(kind: NoticeKind, **payload: Any) -> HeardNotice:
    return HeardNotice(kind, payload, NOW)


def high(*families: HealthComponent, **more: Any) -> CustomerState:
    """A customer of high risk with drivers of these families, heaviest first."""
    drivers = tuple(driver(family, 30.0 - place) for place, family in enumerate(families))
    base: dict[str, Any] = {"tier": RiskTier.HIGH, "drivers": drivers, "watchlisted_at": NOW}
    return replace(QUIET, **(base | more))


@dataclass
class Bench:
    """One customer over time; what is ruled is kept as the database keeps it."""

    state: CustomerState = QUIET
    policy: DirectorPolicy = POLICY
    memory: Memory = field(default_factory=Memory)
    now: BusinessInstant = NOW
    ids: int = 1000
    ruling: Ruling = field(init=False)

    def __post_init__(self) -> None:
        """A customer that has a renewal date was known before its countdown began."""
        if self.state.renewal_on is not None and self.memory == Memory():
            self.memory = Memory(began_at=BusinessInstant(self.now - 100 * DAY))

    def rule(self, *notices: HeardNotice, after: timedelta = timedelta(), **changes: Any) -> Ruling:
        """Let time pass, change the customer, decide, and keep the ruling."""
        self.now = BusinessInstant(self.now + after)
        self.state = replace(self.state, **changes)
        self.ruling = decide(self.state, notices, self.policy, self.memory, self.now)
        # through JSON, as it is stored
        self.memory = Memory.model_validate(self.ruling.memory.model_dump(mode="json"))
        for directive in self.ruling.directives:
            self._keep(directive)
        return self.ruling

    def _keep(self, directive: Directive) -> None:
        if isinstance(directive, StartRun | AnswerRequest):
            left = tuple(one for one in self.state.requests if one.id != directive.request_id)
            self.state = replace(self.state, requests=left)
        if isinstance(directive, StartRun | ReleaseRun | EndRun):
            self._keep_run(directive)
        elif isinstance(directive, OpenHeadsUp | CloseHeadsUp):
            opened = frozenset({directive.dedupe_key})
            keys = self.state.heads_up_keys
            kept = keys | opened if isinstance(directive, OpenHeadsUp) else keys - opened
            self.state = replace(self.state, heads_up_keys=kept)
        elif isinstance(directive, OpenSilence | ResolveSignal):
            self._keep_signal(directive)
        elif isinstance(directive, SetWatchlist):
            self.state = replace(self.state, watchlisted_at=self.now if directive.on else None)

    def _keep_run(self, directive: StartRun | ReleaseRun | EndRun) -> None:
        if isinstance(directive, StartRun):
            document = directive.playbook.document
            assert not [run for run in self.state.open_runs if run.playbook_key == document.key]
            self.ids += 1
            state = InterventionState.PLANNED if directive.observed else InterventionState.RUNNING
            run = OpenRun(
                uuid.UUID(int=self.ids),
                document.key,
                document.motion,
                document.priority,
                directive.reason,
                state,
            )
            self.state = replace(self.state, open_runs=(*self.state.open_runs, run))
            return
        (run,) = [run for run in self.state.open_runs if run.id == directive.intervention_id]
        others = tuple(other for other in self.state.open_runs if other is not run)
        if isinstance(directive, ReleaseRun):
            assert run.state is InterventionState.PLANNED
            released = replace(run, state=InterventionState.RUNNING)
            self.state = replace(self.state, open_runs=(*others, released))
            return
        self.state = replace(self.state, open_runs=others)
        if run.state is not InterventionState.PLANNED:
            self.end(run.playbook_key, directive.outcome)

    def end(self, key: str, outcome: Outcome = Outcome.NO_CHANGE) -> None:
        """Let a run end by itself, now."""
        kept = tuple(run for run in self.state.open_runs if run.playbook_key != key)
        ended = tuple(run for run in self.state.ended_runs if run.playbook_key != key)
        reason = next((run.reason for run in self.state.open_runs if run.playbook_key == key), "")
        self.state = replace(
            self.state, open_runs=kept, ended_runs=(*ended, EndedRun(key, self.now, outcome, reason))
        )

    def end_runs(self) -> None:
        """Let every run end by itself, now."""
        for run in self.state.open_runs:
            self.end(run.playbook_key)

    def _keep_signal(self, directive: OpenSilence | ResolveSignal) -> None:
        if isinstance(directive, ResolveSignal):
            kept = tuple(each for each in self.state.signals if each.id != directive.signal_id)
            assert kept != self.state.signals
            self.state = replace(self.state, signals=kept)
            return
        opened = OpenSignal(
            directive.signal_id, directive.kind, directive.severity, directive.title, self.now
        )
        self.state = replace(self.state, signals=(*self.state.signals, opened))

    def said(self, kind: type[Said]) -> list[Said]:
        """Return the directives of one kind in the last ruling."""
        return said(self.ruling, kind)

    @property
    def started(self) -> list[str]:
        """Keys of the playbooks that the last ruling started."""
        return [start.playbook.document.key for start in self.said(StartRun)]


def said(ruling: Ruling, kind: type[Said]) -> list[Said]:
    """Return the directives of one kind."""
    return [directive for directive in ruling.directives if isinstance(directive, kind)]


def reasons(refusals: Sequence[Any]) -> list[tuple[str, str]]:
    """Return what was refused, and why."""
    return [(refusal.playbook_key, refusal.reason) for refusal in refusals]


def renewing(in_days: int) -> date:
    """Return a renewal date so many days ahead."""
    return (NOW + in_days * DAY).date()
