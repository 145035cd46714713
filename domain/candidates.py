"""Which playbooks a customer's state calls for, worthiest first, each with its causes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from domain.customer_state import CustomerState, DirectorPolicy, KnownPlaybook, OpenSignal, RunRequest
from domain.money import whole_units
from domain.openings import openings, renewal_opening
from domain.playbook_triggers import OWN
from domain.signal_families import speaks_of
from domain.time import BusinessInstant, start_of_day
from domain.uplift import say_uplift, uplift_of
from domain.vocabulary import InterventionState, RiskTier, rank

ASKED = "asked:"
"""How the reason of a run begins that somebody asked for."""
RESOLVED_LATELY = timedelta(days=3)
"""For so long after its end a signal may still open what its end calls for."""


@dataclass(frozen=True)
class Candidate:
    """A playbook that the state calls for. `reason` tells runs of the same playbook apart."""

    playbook: KnownPlaybook
    reason: str
    sentence: str
    causes: tuple[dict[str, Any], ...]
    allowed_again: BusinessInstant | None
    expected_value: float = 0.0
    uplift: str = ""
    """What the expected value rests on, in words."""
    request: RunRequest | None = None


def find_candidates(state: CustomerState, policy: DirectorPolicy, now: BusinessInstant) -> list[Candidate]:
    """Return every playbook that applies to this customer now: escalations first, then by priority."""
    found = [
        candidate
        for known in policy.playbooks
        if state.touch_tier in known.document.audience and known.document.key not in state.unfit
        for candidate in _of(known, state, policy, now)
    ]
    wished = (*_by_request(state, policy), *_planned_by_request(state, policy))
    return sorted(
        (_valued(one, state, policy) for one in (*wished, *found)),
        key=lambda one: _worth(one.playbook, state, policy),
    )


def _valued(candidate: Candidate, state: CustomerState, policy: DirectorPolicy) -> Candidate:
    """Say what a run is thought to save: probability of leaving times revenue times uplift."""
    document = candidate.playbook.document
    loss = (state.churn_probability or 0.0) * whole_units(state.arr_minor, state.currency)
    return replace(
        candidate,
        expected_value=loss * uplift_of(document, state.segment, policy.uplifts),
        uplift=say_uplift(document, state.segment, policy.uplifts),
    )


def _worth(
    known: KnownPlaybook, state: CustomerState, policy: DirectorPolicy
) -> tuple[bool, float, int, str]:
    """Sort by this: the worthiest first. What may be lost is the same for all, so uplift decides."""
    document = known.document
    uplift = uplift_of(document, state.segment, policy.uplifts)
    return not document.replaces, -uplift, -document.priority, document.key


def _by_request(state: CustomerState, policy: DirectorPolicy) -> Iterator[Candidate]:
    """Yield what people and other systems ask for, whatever the state calls for."""
    known_by_key = {known.document.key: known for known in policy.playbooks}
    for request in state.requests:
        known = known_by_key.get(request.playbook_key)
        if known is not None:
            sentence = f"{request.by} asked for it."
            again = None if request.is_urgent else _allowed_again(known, state)
            cause = {"request_id": str(request.id)}
            yield Candidate(known, f"{ASKED}{request.id}", sentence, (cause,), again, request=request)


def _planned_by_request(state: CustomerState, policy: DirectorPolicy) -> Iterator[Candidate]:
    """Yield what somebody asked for and is only planned: it waits for a release and for nothing else."""
    known_by_key = {known.document.key: known for known in policy.playbooks}
    for run in state.open_runs:
        known = known_by_key.get(run.playbook_key)
        is_planned = run.state is InterventionState.PLANNED and run.reason.startswith(ASKED)
        if known is not None and is_planned:
            yield Candidate(known, run.reason, "Somebody asked for it.", (), None)


def _of(
    known: KnownPlaybook, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> Iterator[Candidate]:
    trigger = known.document.trigger
    if trigger.tier is not None:
        yield from _by_tier(known, state, policy)
    elif trigger.signals or trigger.own_signals:
        yield from _by_signal(known, state)
    elif trigger.before_renewal is not None:
        yield from _by_renewal(known, state, now)
    else:
        yield from _by_occasion(known, state, now)


def _by_occasion(known: KnownPlaybook, state: CustomerState, now: BusinessInstant) -> Iterator[Candidate]:
    """Yield what has happened or is due; an occasion that comes but once opens at most one run."""
    calendar = [
        (one.reason, one.sentence, {"occasion": one.reason})
        for one in openings(known.document, state, now)
        if one.is_open(now)
    ]
    last = next((run.reason for run in state.ended_runs if run.playbook_key == known.document.key), None)
    unique = [one for one in (*_resolved(known, state, now), *calendar) if one[0] != last]
    for reason, sentence, cause in (*_fallen(known, state), *_performed(known, state), *unique):
        yield Candidate(known, reason, sentence, (cause,), _allowed_again(known, state))


Occasion = tuple[str, str, dict[str, Any]]


def _resolved(known: KnownPlaybook, state: CustomerState, now: BusinessInstant) -> Iterator[Occasion]:
    still_open = {signal.kind for signal in state.signals}
    for signal in state.resolved:
        is_late = now - signal.resolved_at > RESOLVED_LATELY
        if signal.kind in known.document.trigger.resolved and signal.kind not in still_open and not is_late:
            words = signal.kind.value.replace("_", " ")
            yield f"resolved:{signal.id}", f"The signal “{words}” has ended.", {"resolved": signal.kind.value}


def _fallen(known: KnownPlaybook, state: CustomerState) -> Iterator[Occasion]:
    wanted, status = known.document.trigger.health, state.health_status
    if wanted is None or status is None or not state.health_was_better:
        return
    if rank(status) >= rank(wanted):
        words = status.value.replace("_", " ")
        yield f"health:{wanted.value}", f"Health has fallen to {words}.", {"health": wanted.value}


def _performed(known: KnownPlaybook, state: CustomerState) -> Iterator[Occasion]:
    wanted = known.document.trigger.event
    if wanted is None:
        return
    times = state.performed.get((wanted.performed, wanted.within), 0)
    if times >= wanted.times:
        sentence = f"Their people did “{wanted.performed}” {times:g} times within {wanted.within.days} days."
        yield f"event:{wanted.performed}", sentence, {"performed": wanted.performed}


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
    ranked = sorted(open_to, key=lambda known: _worth(known, state, policy))
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
    trigger = known.document.trigger
    own = {f"{OWN}{key}" for key in trigger.own_signals}
    wanted = [one for one in state.signals if one.kind in trigger.signals or one.dedupe_key in own]
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
