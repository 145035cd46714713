"""Which runs open, go, are replaced or refused: the director's arbitration between playbooks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.candidates import Candidate, find_candidates
from domain.customer_state import CustomerState, DirectorPolicy, Memory, OpenRun
from domain.directives import Directive, EndRun, Refuse, ReleaseRun, StartRun
from domain.time import BusinessInstant
from domain.vocabulary import InterventionState, Outcome, RiskTier, TouchTier

RATE_RETRY = timedelta(hours=24)
NO_PLAYBOOK = "none"


@dataclass(frozen=True)
class _Case:
    """One candidate before the bench: the customer, what may be done, and what is open by now."""

    candidate: Candidate
    state: CustomerState
    policy: DirectorPolicy
    open_runs: tuple[OpenRun, ...]
    now: BusinessInstant


def rule_on_runs(
    state: CustomerState, policy: DirectorPolicy, memory: Memory, now: BusinessInstant
) -> tuple[list[Directive], Memory, BusinessInstant | None]:
    """Open, release, replace or refuse runs, worthiest first; also say when to try again."""
    candidates = find_candidates(state, policy, now)
    directives = _stale_plans(candidates, state.open_runs)
    open_runs = _without_ended(state.open_runs, directives)
    refused: dict[str, str] = {}
    tries: list[BusinessInstant] = []
    for candidate in candidates:
        verdict = _rule(_Case(candidate, state, policy, open_runs, now))
        if isinstance(verdict, Refuse):
            refused[verdict.playbook_key] = verdict.reason
            directives += [] if memory.refused.get(verdict.playbook_key) == verdict.reason else [verdict]
            tries += [candidate.allowed_again] if candidate.allowed_again is not None else []
            continue
        directives += verdict
        open_runs = _as_they_will_be(open_runs, candidate, verdict)
        policy = _with_less_left(policy, verdict)
    unanswered = _unanswered(state, candidates)
    if unanswered is not None:
        refused[NO_PLAYBOOK] = unanswered.reason
        directives += [] if memory.refused.get(NO_PLAYBOOK) == unanswered.reason else [unanswered]
    if policy.release_left == 0 and any(run.state is InterventionState.PLANNED for run in state.open_runs):
        tries.append(BusinessInstant(now + RATE_RETRY))
    return directives, memory.model_copy(update={"refused": refused}), min(tries, default=None)


def _rule(case: _Case) -> list[Directive] | Refuse:
    """Return what to do with one candidate: start, release, nothing (it runs), or a refusal."""
    candidate = case.candidate
    same = [run for run in case.open_runs if run.playbook_key == candidate.playbook.document.key]
    if same:
        return _go_on(same[0], case)
    for objection in OBJECTIONS:
        if objection.applies(case):
            document = candidate.playbook.document
            sentence = objection.sentence.format(days=document.cooldown.days)
            return Refuse(document.key, objection.reason, sentence)
    observed = not candidate.playbook.released
    start = StartRun(candidate.playbook, candidate.reason, candidate.sentence, candidate.causes, observed)
    return [*_replaced(case, only_plans=observed), start]


def _go_on(run: OpenRun, case: _Case) -> list[Directive]:
    """Let what runs run; release a plan, or drop it where the customer may no longer be written to."""
    if run.state is not InterventionState.PLANNED:
        return []
    for objection in OBJECTIONS_TO_THE_CUSTOMER:
        if objection.applies(case):
            return [EndRun(run.id, Outcome.STOPPED, objection.sentence)]
    if not case.candidate.playbook.released or case.policy.release_left == 0:
        return []
    release = ReleaseRun(run.id, "A person has released this playbook.", case.candidate.causes)
    return [*_replaced(case, only_plans=False), release]


@dataclass(frozen=True)
class Objection:
    """A rule that speaks against a start, and how it is told."""

    reason: str
    sentence: str
    applies: Callable[[_Case], bool]


def _is_held_out(case: _Case) -> bool:
    exempt = case.state.touch_tier is TouchTier.STRATEGIC
    return case.state.holdout and case.candidate.playbook.document.holdout and not exempt


def _is_cooling_down(case: _Case) -> bool:
    again = case.candidate.allowed_again
    return again is not None and case.now < again


def _is_outranked(case: _Case) -> bool:
    return any(_outranks(run, case) for run in case.open_runs)


def _outranks(run: OpenRun, case: _Case) -> bool:
    """Tell whether an open run holds a candidate up.

    An escalation outranks all but a worthier escalation; a plan that nobody released outranks only plans.
    """
    playbook = case.candidate.playbook
    others = {known.document.key: known for known in case.policy.playbooks}
    other = others.get(run.playbook_key)
    is_mere_plan = run.state is InterventionState.PLANNED and other is not None and not other.released
    if is_mere_plan and playbook.released:
        return False
    escalates = other is not None and other.document.replaces
    if escalates is not playbook.document.replaces:
        return escalates
    return run.priority >= playbook.document.priority


OBJECTIONS_TO_THE_CUSTOMER = (
    Objection(
        "do_not_contact",
        "The customer asked not to be contacted.",
        lambda case: case.state.do_not_contact,
    ),
    Objection(
        "holdout",
        "The customer is in the holdout, from which optional outreach is withheld to measure it.",
        _is_held_out,
    ),
)
OBJECTIONS = (
    *OBJECTIONS_TO_THE_CUSTOMER,
    Objection("cooldown", "A run of this playbook ended less than {days} days ago.", _is_cooling_down),
    Objection("outranked", "A run of the same or higher priority is open for this customer.", _is_outranked),
)
"""What speaks against a start, in this order; the first that applies is told."""


def _replaced(case: _Case, *, only_plans: bool) -> list[Directive]:
    """End the other runs when an escalation opens; an escalation that is only planned ends only plans."""
    playbook = case.candidate.playbook.document
    if not playbook.replaces:
        return []
    stored = {run.id for run in case.state.open_runs}
    return [
        EndRun(run.id, Outcome.REPLACED, f"Replaced by {playbook.name}: the risk is critical.")
        for run in case.open_runs
        if run.playbook_key != playbook.key
        and run.id in stored
        and (run.state is InterventionState.PLANNED or not only_plans)
    ]


def _as_they_will_be(
    open_runs: Sequence[OpenRun], candidate: Candidate, verdict: Sequence[Directive]
) -> tuple[OpenRun, ...]:
    """Return the open runs after a verdict, so that the next candidate is weighed against them."""
    document = candidate.playbook.document
    opened = tuple(
        OpenRun(
            candidate.playbook.version_id,  # the run has no id yet; nothing in this ruling names it
            document.key,
            document.motion,
            document.priority,
            candidate.reason,
            InterventionState.PLANNED if directive.observed else InterventionState.RUNNING,
        )
        for directive in verdict
        if isinstance(directive, StartRun)
    )
    return (*_without_ended(open_runs, verdict), *opened)


def _without_ended(open_runs: Sequence[OpenRun], verdict: Sequence[Directive]) -> tuple[OpenRun, ...]:
    ended = {directive.intervention_id for directive in verdict if isinstance(directive, EndRun)}
    return tuple(run for run in open_runs if run.id not in ended)


def _with_less_left(policy: DirectorPolicy, verdict: Sequence[Directive]) -> DirectorPolicy:
    """Count releases against the day's rate."""
    released = sum(isinstance(directive, ReleaseRun) for directive in verdict)
    if policy.release_left is None or not released:
        return policy
    return replace(policy, release_left=max(policy.release_left - released, 0))


def _stale_plans(candidates: Sequence[Candidate], open_runs: Sequence[OpenRun]) -> list[Directive]:
    """Drop plans that nothing calls for any more: what is shown for release is what would be done now."""
    called_for = {candidate.playbook.document.key for candidate in candidates}
    return [
        EndRun(run.id, Outcome.STOPPED, "It was only planned, and nothing calls for it any more.")
        for run in open_runs
        if run.state is InterventionState.PLANNED and run.playbook_key not in called_for
    ]


def _unanswered(state: CustomerState, candidates: Sequence[Candidate]) -> Refuse | None:
    """Say so where a high risk has reasons that no playbook is meant for: a wrong one would do harm."""
    tier = state.tier
    if tier is None or tier.rank < RiskTier.HIGH.rank or state.tier_is_baseline or state.open_runs:
        return None
    if any(candidate.playbook.document.trigger.tier is tier for candidate in candidates):
        return None
    sentence = f"Churn risk is {tier.value}, and no playbook is meant for its reasons."
    return Refuse(NO_PLAYBOOK, "no_playbook", sentence)
