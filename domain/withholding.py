"""Which runs are left out to measure what they do, and how each opening and each omission is recorded."""

from collections.abc import Sequence

from domain.candidates import ASKED, Candidate
from domain.customer_state import CustomerState, DirectorPolicy, KnownPlaybook, Memory
from domain.directives import Withhold
from domain.time import BusinessInstant, after
from domain.trials import Arm, Assignment, assign, is_withheld, not_by_chance

HOLDOUT, OWN_HOLDOUT = "holdout", "playbook_holdout"
DO_NOT_DISTURB = "do_not_disturb"


def is_in_own_holdout(candidate: Candidate, state: CustomerState, policy: DirectorPolicy) -> bool:
    """Tell whether chance has left the customer without this playbook; what people wish for is no trial."""
    if policy.trial is None or _is_wished_for(candidate):
        return False
    return is_withheld(policy.trial, candidate.playbook.document, state.touch_tier, state.customer_id)


def does_harm(candidate: Candidate, state: CustomerState, policy: DirectorPolicy) -> bool:
    """Tell whether the playbook was measured to do harm in the customer's segment."""
    if policy.trial is None or state.segment is None or _is_wished_for(candidate):
        return False
    return (candidate.playbook.document.key, state.segment) in policy.trial.quiet


def opening(candidate: Candidate, state: CustomerState, policy: DirectorPolicy) -> Assignment | None:
    """Return how a run that opens is recorded, None where nothing is measured."""
    if policy.trial is None:
        return None
    if _is_wished_for(candidate):
        return not_by_chance(candidate.reason)
    document = candidate.playbook.document
    return assign(policy.trial, document, state.touch_tier, Arm.TREATED, candidate.reason)


def withheld(
    candidate: Candidate,
    reasons: Sequence[str],
    state: CustomerState,
    policy: DirectorPolicy,
    memory: Memory,
    now: BusinessInstant,
) -> Withhold | None:
    """Return the record of a run that only chance has left out: nothing else spoke against it.

    Counted once per occasion: for as long as the run and its rest would have taken, no other one of it could
    have opened either. A playbook that nobody has released has no runs to be held against.
    """
    document = candidate.playbook.document
    until = memory.withheld.get(document.key)
    is_chance = bool(reasons) and set(reasons) <= {HOLDOUT, OWN_HOLDOUT}
    if policy.trial is None or not is_chance or not candidate.playbook.released or _is_wished_for(candidate):
        return None
    if until is not None and now < until:
        return None
    arm = Arm.GLOBAL_HOLDOUT if HOLDOUT in reasons else Arm.HOLDOUT
    record = assign(policy.trial, document, state.touch_tier, arm, candidate.reason)
    return Withhold(candidate.playbook, record)


def remember_withheld(memory: Memory, omitted: Sequence[Withhold], now: BusinessInstant) -> Memory:
    """Keep until when each omission counts, and forget those that are over."""
    kept = {key: until for key, until in memory.withheld.items() if until > now}
    new = {one.playbook.document.key: _counts_until(one.playbook, now) for one in omitted}
    return memory.model_copy(update={"withheld": kept | new})


def _counts_until(playbook: KnownPlaybook, now: BusinessInstant) -> BusinessInstant:
    return after(now, playbook.document.goal.window + playbook.document.cooldown)


def _is_wished_for(candidate: Candidate) -> bool:
    return candidate.request is not None or candidate.reason.startswith(ASKED)
