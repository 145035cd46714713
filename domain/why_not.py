"""Why a playbook has no run for a customer now: asked of the same rules as the director's, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.candidates import find_candidates
from domain.customer_state import CustomerState, DirectorPolicy, KnownPlaybook
from domain.openings import openings
from domain.playbook_triggers import Trigger
from domain.run_rulings import objections_to
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, InterventionState


@dataclass(frozen=True)
class Ground:
    """One thing that speaks against a run, by its name and in words."""

    reason: str
    sentence: str


def why_not(
    key: str, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> tuple[Ground, ...]:
    """Return every ground on which this playbook has no run now; none means that one is open, or would be."""
    if state.status is CustomerStatus.CHURNED:
        return (Ground("churned", "The customer has left."),)
    known = next((one for one in policy.playbooks if one.document.key == key), None)
    if known is None:
        return (Ground("archived", "There is no such playbook in use."),)
    runs = [run for run in state.open_runs if run.playbook_key == key]
    if any(run.state is not InterventionState.PLANNED for run in runs):
        return ()
    return (*_not_released(known), *_not_meant(known, state), *_not_called_for(known, state, policy, now))


def _not_released(known: KnownPlaybook) -> Iterator[Ground]:
    if not known.released:
        yield Ground("observing", "Nobody has released it: runs are only planned.")


def _not_meant(known: KnownPlaybook, state: CustomerState) -> Iterator[Ground]:
    document = known.document
    if state.touch_tier not in document.audience:
        meant = ", ".join(tier.value.replace("_", " ") for tier in document.audience)
        mine = state.touch_tier.value.replace("_", " ")
        yield Ground("audience", f"It is for {meant} customers; this one is {mine}.")
    if document.key in state.unfit:
        yield Ground("only_if", "Its own condition, only_if, does not hold of this customer.")


def _not_called_for(
    known: KnownPlaybook, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> Iterator[Ground]:
    key = known.document.key
    found = [one for one in find_candidates(state, policy, now) if one.playbook.document.key == key]
    if not found:
        yield Ground("not_called_for", _what_is_missing(known, state, now))
        return
    for refusal in objections_to(found[0], state, policy, now):
        yield Ground(refusal.reason, refusal.sentence)


def _what_is_missing(known: KnownPlaybook, state: CustomerState, now: BusinessInstant) -> str:
    """Say what would have to be so for it to open."""
    trigger = known.document.trigger
    if trigger.tier is not None:
        return _tier(trigger, state)
    if trigger.signals or trigger.own_signals:
        names = [*(kind.value.replace("_", " ") for kind in trigger.signals), *trigger.own_signals]
        return f"None of these signals is open with news in it: {', '.join(names)}."
    if trigger.health is not None:
        mine = state.health_status.value.replace("_", " ") if state.health_status else "unknown"
        wanted = trigger.health.value.replace("_", " ")
        return f"It opens when health falls to {wanted}; it is {mine}, or was never better."
    if trigger.manual:
        return "Only people and other systems open it."
    return _occasion(known, state, now)


def _occasion(known: KnownPlaybook, state: CustomerState, now: BusinessInstant) -> str:
    lead = known.document.trigger.before_renewal
    if lead is not None:
        renewal = state.renewal_on
        until = (
            "the customer has no renewal date"
            if renewal is None
            else f"it renews on {renewal.day} {renewal:%B %Y}"
        )
        return f"It opens {lead.days} days before the renewal; {until}."
    coming = [one.opens for one in openings(known.document, state, now) if one.opens > now]
    if coming:
        return f"Its next occasion begins on {min(coming):%d %B %Y}."
    return "Nothing that opens it has happened lately."


def _tier(trigger: Trigger, state: CustomerState) -> str:
    wanted = trigger.tier.value if trigger.tier is not None else ""
    mine = state.tier.value if state.tier is not None else "not scored yet"
    if state.tier is not trigger.tier:
        return f"It opens when churn risk becomes {wanted}; it is {mine}."
    if state.tier_is_baseline:
        return f"Churn risk was {mine} when we first looked, and has not moved since."
    reasons = ", ".join(family.value for family in trigger.drivers) or "any reason"
    return f"It is for {reasons}; another playbook is nearer to the main reason of the risk."
