"""Which playbooks a customer's state calls for, worthiest first, each with its causes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.calendar import spread
from domain.customer_state import CustomerState, DirectorPolicy, KnownPlaybook, OpenSignal
from domain.signal_families import speaks_of
from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import RiskTier

JITTER = timedelta(hours=6)
CATCH_UP = timedelta(days=14)
"""Over how long countdowns that had begun before we came are taken up."""


@dataclass(frozen=True)
class Candidate:
    """A playbook that the state calls for. `reason` tells runs of the same playbook apart."""

    playbook: KnownPlaybook
    reason: str
    sentence: str
    causes: tuple[dict[str, Any], ...]
    allowed_again: BusinessInstant | None


def find_candidates(state: CustomerState, policy: DirectorPolicy, now: BusinessInstant) -> list[Candidate]:
    """Return every playbook that applies to this customer now: escalations first, then by priority."""
    found = [
        candidate
        for known in policy.playbooks
        if state.touch_tier in known.document.audience
        for candidate in _of(known, state, policy, now)
    ]
    return sorted(found, key=lambda one: _worth(one.playbook))


def _worth(known: KnownPlaybook) -> tuple[bool, int, str]:
    """Sort by this: the worthiest first."""
    return not known.document.replaces, -known.document.priority, known.document.key


def _of(
    known: KnownPlaybook, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> Iterator[Candidate]:
    trigger = known.document.trigger
    if trigger.tier is not None:
        yield from _by_tier(known, state, policy)
    elif trigger.signals:
        yield from _by_signal(known, state)
    else:
        yield from _by_renewal(known, state, now)


def _allowed_again(known: KnownPlaybook, state: CustomerState) -> BusinessInstant | None:
    ends = [run.ended_at for run in state.ended_runs if run.playbook_key == known.document.key]
    return BusinessInstant(max(ends) + known.document.cooldown) if ends else None


def _by_tier(known: KnownPlaybook, state: CustomerState, policy: DirectorPolicy) -> Iterator[Candidate]:
    """High opens the playbook of the main driver; critical the one that names critical."""
    trigger = known.document.trigger
    if state.tier is None or state.tier is not trigger.tier or state.tier_is_baseline:
        return
    if state.tier is RiskTier.HIGH and _playbook_of_main_driver(state, policy) is not known:
        return
    signals = [
        signal for signal in state.signals if not trigger.drivers or speaks_of(signal.kind, trigger.drivers)
    ]
    drivers = [driver for driver in state.drivers if not trigger.drivers or driver.family in trigger.drivers]
    causes: list[dict[str, Any]] = [{"tier": state.tier.value}]
    causes += [{"family": driver.family.value, "points": driver.points} for driver in drivers[:3]]
    causes += [_signal_cause(signal) for signal in signals]
    main = drivers[0].sentence if drivers else "several small changes together"
    sentence = f"Churn risk is {state.tier.value}; the main reason is that {main}."
    yield Candidate(known, f"tier:{state.tier.value}", sentence, tuple(causes), _allowed_again(known, state))


def _playbook_of_main_driver(state: CustomerState, policy: DirectorPolicy) -> KnownPlaybook | None:
    """Walk the drivers from the heaviest: the first family that has a playbook decides.

    Without one it is a playbook that is meant for any reason, if there is one: an apology for tickets that
    nobody has opened is worse than none.
    """
    open_to = [
        known
        for known in policy.playbooks
        if known.document.trigger.tier is state.tier and state.touch_tier in known.document.audience
    ]
    ranked = sorted(open_to, key=_worth)
    running = {run.playbook_key for run in state.open_runs}
    for known in ranked:
        if known.document.key in running:
            return known
    for driver in state.drivers:
        for known in ranked:
            if driver.family in known.document.trigger.drivers:
                return known
    return next((known for known in ranked if not known.document.trigger.drivers), None)


def _by_signal(known: KnownPlaybook, state: CustomerState) -> Iterator[Candidate]:
    wanted = [signal for signal in state.signals if signal.kind in known.document.trigger.signals]
    live = [signal for signal in wanted if not signal.is_baseline]
    if not live:
        return
    first = min(live, key=lambda signal: (signal.opened_at, signal.id))
    causes = tuple(_signal_cause(signal) for signal in wanted)
    yield Candidate(
        known, f"signal:{first.kind.value}", f"{first.title}.", causes, _allowed_again(known, state)
    )


def _signal_cause(signal: OpenSignal) -> dict[str, Any]:
    return {"signal": signal.kind.value, "signal_id": str(signal.id)}


def renewal_opening(state: CustomerState, renewal_on: date, lead: timedelta) -> BusinessInstant:
    """Return when a countdown may begin; those that began before we came are taken up one by one."""
    renewal, key = start_of_day(renewal_on), f"renewal/{state.customer_id}"
    opens, seen = BusinessInstant(renewal - lead), state.first_seen_at
    if seen is None or seen <= opens:
        return BusinessInstant(opens + spread(key, JITTER))
    left = max(renewal - seen, timedelta())
    return BusinessInstant(seen + spread(key, min(CATCH_UP, left / 3)))


def _by_renewal(known: KnownPlaybook, state: CustomerState, now: BusinessInstant) -> Iterator[Candidate]:
    lead = known.document.trigger.before_renewal
    if lead is None or state.renewal_on is None or state.tier is RiskTier.CRITICAL:
        return
    if not renewal_opening(state, state.renewal_on, lead) <= now < start_of_day(state.renewal_on):
        return
    days = (state.renewal_on - now.date()).days
    causes = ({"renewal_on": state.renewal_on.isoformat()},)
    reason = f"renewal:{state.renewal_on.isoformat()}"
    yield Candidate(
        known, reason, f"The contract renews in {days} days.", causes, _allowed_again(known, state)
    )
