"""Which runs open, go, are replaced or refused: the director's arbitration between playbooks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from domain.candidates import Candidate, find_candidates
from domain.customer_state import CustomerState, DirectorPolicy, Memory, OpenRun, RunRequest
from domain.directives import AnswerRequest, Directive, EndRun, Refuse, ReleaseRun, StartRun, Withhold
from domain.time import BusinessInstant
from domain.uplift import declared_uplift, measured, uplift_of
from domain.vocabulary import InterventionState, Motion, Outcome, RiskTier, SignalKind, TouchTier
from domain.withholding import (
    DO_NOT_DISTURB,
    HOLDOUT,
    OWN_HOLDOUT,
    does_harm,
    is_in_own_holdout,
    opening,
    remember_withheld,
    withheld,
)

OWING = frozenset({SignalKind.INVOICE_PAST_DUE, SignalKind.PAYMENT_FAILING})
"""Signals while which nobody is asked for more money."""
RATE_RETRY = timedelta(hours=24)
TOLD_FOR = timedelta(hours=24)
NO_PLAYBOOK = "none"
RESTING = "resting"
"""Why nothing opens while a person has ordered a rest: at its end these customers are looked at again."""


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
    directives = _untimely_expansion(state)
    directives += _stale_plans(candidates, _without_ended(state.open_runs, directives))
    open_runs = _without_ended(state.open_runs, directives)
    refusals: list[Refuse] = []
    omitted: list[Withhold] = []
    tries: list[BusinessInstant] = []
    for candidate in candidates:
        verdict = _rule(_Case(candidate, state, policy, open_runs, now))
        if isinstance(verdict, Refuse) and candidate.request is not None:
            directives.append(_answer(verdict, candidate.request))
            continue
        if isinstance(verdict, Refuse):
            refusals.append(verdict)
            omitted += _omitted(verdict, _Case(candidate, state, policy, open_runs, now), memory)
            again = _try_again(verdict.reason, candidate, state, now)
            tries += [again] if again is not None else []
            continue
        directives += verdict
        open_runs = _as_they_will_be(open_runs, candidate, verdict)
        policy = _with_less_left(policy, verdict)
    directives += _unknown_wishes(state, policy)
    unanswered = _unanswered(state, candidates)
    refusals += [] if unanswered is None else [unanswered]
    directives += [refusal for refusal in refusals if _is_news(refusal, memory)]
    directives += omitted
    memory = remember_withheld(memory, omitted, now)
    if policy.release_left == 0 and any(run.state is InterventionState.PLANNED for run in state.open_runs):
        tries.append(BusinessInstant(now + RATE_RETRY))
    return directives, _remember(refusals, directives, memory, now), min(tries, default=None)


def _omitted(refusal: Refuse, case: _Case, memory: Memory) -> list[Withhold]:
    """Record what nothing but chance has left out."""
    if refusal.reason not in {HOLDOUT, OWN_HOLDOUT}:
        return []
    reasons = [objection.reason for objection in OBJECTIONS if objection.applies(case)]
    found = withheld(case.candidate, reasons, case.state, case.policy, memory, case.now)
    return [found] if found is not None else []


def _is_news(refusal: Refuse, memory: Memory) -> bool:
    is_told = memory.refused.get(refusal.playbook_key) == refusal.reason
    return not is_told and _name(refusal) not in memory.told


def _remember(
    refusals: Sequence[Refuse], directives: Sequence[Directive], memory: Memory, now: BusinessInstant
) -> Memory:
    """Keep what was refused for a day after its ground has gone, unless its playbook has begun since."""
    begun = {one.playbook.document.key for one in directives if isinstance(one, StartRun)}
    kept = {
        name: at
        for name, at in memory.told.items()
        if now - at < TOLD_FOR and name.partition(":")[0] not in begun
    }
    told = kept | {_name(refusal): now for refusal in refusals}
    refused = {refusal.playbook_key: refusal.reason for refusal in refusals}
    return memory.model_copy(update={"refused": refused, "told": told})


def _name(refusal: Refuse) -> str:
    return f"{refusal.playbook_key}:{refusal.reason}"


def _try_again(
    reason: str, candidate: Candidate, state: CustomerState, now: BusinessInstant
) -> BusinessInstant | None:
    """Return when a refusal may have lost its ground by mere passing of time."""
    if reason == RESTING:
        return state.resting.get(candidate.playbook.document.key)
    if reason == "capacity":
        return BusinessInstant(now + RATE_RETRY)
    return candidate.allowed_again


def _answer(refusal: Refuse, request: RunRequest) -> AnswerRequest:
    return AnswerRequest(request.id, refusal.playbook_key, refusal.reason, refusal.sentence)


def _unknown_wishes(state: CustomerState, policy: DirectorPolicy) -> list[Directive]:
    """Answer wishes for what is not there any more."""
    known = {one.document.key for one in policy.playbooks}
    return [
        AnswerRequest(one.id, one.playbook_key, "archived", "There is no such playbook any more.")
        for one in state.requests
        if one.playbook_key not in known
    ]


def _untimely_expansion(state: CustomerState) -> list[Directive]:
    """End what asks for more money where the customer is at risk, or owes us some."""
    if not _is_no_time_to_grow(state):
        return []
    return [
        EndRun(run.id, Outcome.STOPPED, "Expansion rests while risk is high or an invoice is past due.")
        for run in state.open_runs
        if run.motion is Motion.EXPANSION
    ]


def _is_no_time_to_grow(state: CustomerState) -> bool:
    at_risk = state.tier is not None and state.tier.rank >= RiskTier.HIGH.rank
    return at_risk or any(signal.kind in OWING for signal in state.signals)


def _rule(case: _Case) -> list[Directive] | Refuse:
    """Return what to do with one candidate: start, release, nothing (it runs), or a refusal."""
    candidate = case.candidate
    same = [run for run in case.open_runs if run.playbook_key == candidate.playbook.document.key]
    if same and candidate.request is not None:
        sentence = "A run of it is open for this customer."
        return Refuse(candidate.playbook.document.key, "already_open", sentence)
    if same:
        return _go_on(same[0], case)
    for objection in OBJECTIONS:
        if objection.applies(case):
            document = candidate.playbook.document
            sentence = objection.sentence.format(days=document.cooldown.days)
            return Refuse(document.key, objection.reason, sentence)
    observed = not candidate.playbook.released
    start = StartRun(
        candidate.playbook,
        candidate.reason,
        candidate.sentence,
        candidate.causes,
        observed,
        candidate.expected_value,
        candidate.uplift,
        candidate.request.id if candidate.request is not None else None,
        None if observed else opening(candidate, case.state, case.policy),
    )
    return [*_replaced(case, only_plans=observed), start]


def objections_to(
    candidate: Candidate, state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> list[Refuse]:
    """Return everything that speaks against opening a candidate's run now, not only what is told first."""
    case, document = _Case(candidate, state, policy, state.open_runs, now), candidate.playbook.document
    return [
        Refuse(document.key, one.reason, one.sentence.format(days=document.cooldown.days))
        for one in OBJECTIONS
        if one.applies(case)
    ]


def _go_on(run: OpenRun, case: _Case) -> list[Directive]:
    """Let what runs run; release a plan, or drop it where the customer may no longer be written to."""
    if run.state is not InterventionState.PLANNED:
        return []
    for objection in (*OBJECTIONS_TO_THE_CUSTOMER, WITHHELD):
        if objection.applies(case):
            return [EndRun(run.id, Outcome.STOPPED, objection.sentence)]
    if not case.candidate.playbook.released or case.policy.release_left == 0:
        return []
    release = ReleaseRun(
        run.id,
        "A person has released this playbook.",
        case.candidate.causes,
        opening(case.candidate, case.state, case.policy),
    )
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


def _was_once(case: _Case) -> bool:
    key = case.candidate.playbook.document.key
    was_run = any(run.playbook_key == key for run in case.state.ended_runs)
    return case.candidate.playbook.document.once and was_run


def _lacks_a_part(case: _Case) -> bool:
    return not set(case.candidate.playbook.document.requires) <= case.policy.parts


def _is_untimely(case: _Case) -> bool:
    return case.candidate.playbook.document.motion is Motion.EXPANSION and _is_no_time_to_grow(case.state)


def _is_overloaded(case: _Case) -> bool:
    """Tell whether the owner has more work than anybody can do; what replaces all else is heard anyway."""
    document = case.candidate.playbook.document
    makes_work = any(step.create_task is not None for step in document.steps)
    is_full = case.state.owner_load >= case.policy.most_tasks_of_an_owner
    return makes_work and is_full and not document.replaces and case.candidate.request is None


def _is_outranked(case: _Case) -> bool:
    request = case.candidate.request
    if request is not None and request.is_urgent:
        return False
    return any(_outranks(run, case) for run in case.open_runs)


def _outranks(run: OpenRun, case: _Case) -> bool:
    """Tell whether an open run holds a candidate up.

    An escalation outranks all but a worthier escalation; a plan that nobody released outranks only plans.
    Worthier is what saves more: as measured, else as declared, else by priority.
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
    uplifts, segment = case.policy.uplifts, case.state.segment
    assumed = other.document.assumed_uplift if other is not None else None
    found = measured(run.playbook_key, segment, uplifts)
    theirs = found.value if found is not None else declared_uplift(run.priority, assumed)
    return theirs >= uplift_of(playbook.document, segment, uplifts)


OBJECTIONS_TO_THE_CUSTOMER = (
    Objection(
        "do_not_contact",
        "The customer asked not to be contacted.",
        lambda case: case.state.do_not_contact,
    ),
    Objection(
        HOLDOUT,
        "The customer is in the holdout, from which optional outreach is withheld to measure it.",
        _is_held_out,
    ),
)
WITHHELD = Objection(
    OWN_HOLDOUT,
    "The customer is in this playbook's own holdout, from which it is withheld to measure what it does.",
    lambda case: is_in_own_holdout(case.candidate, case.state, case.policy),
)
"""Asked last: who is withheld is just who would have got a run, or the two could not be held together."""
OBJECTIONS = (
    *OBJECTIONS_TO_THE_CUSTOMER,
    Objection("not_available", "It needs a part that is not connected here.", _lacks_a_part),
    Objection(
        RESTING,
        "A person has ordered a rest that covers it.",
        lambda case: case.candidate.playbook.document.key in case.state.resting,
    ),
    Objection("once", "The customer has had a run of it, and it is for once only.", _was_once),
    Objection("untimely", "Nothing is sold while risk is high or an invoice is past due.", _is_untimely),
    Objection("cooldown", "A run of this playbook ended less than {days} days ago.", _is_cooling_down),
    Objection("outranked", "A run of the same or higher priority is open for this customer.", _is_outranked),
    Objection(
        DO_NOT_DISTURB,
        "It was measured to do harm in the customer's segment.",
        lambda case: does_harm(case.candidate, case.state, case.policy),
    ),
    Objection("capacity", "The owner has more open tasks than anybody can do.", _is_overloaded),
    WITHHELD,
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
    released = {directive.intervention_id for directive in verdict if isinstance(directive, ReleaseRun)}
    left = [
        replace(run, state=InterventionState.RUNNING) if run.id in released else run
        for run in _without_ended(open_runs, verdict)
    ]
    return (*left, *opened)


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
