"""The director: one pure function that arbitrates between every motion for one customer.

It looks at levels, not at events: notices only say that it is time to look again, so that a lost, late or
doubled one changes nothing. Every refusal is a directive too, written once per reason.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.customer_state import CustomerState, DirectorPolicy, HeardNotice, Memory
from domain.directives import (
    AnswerRequest,
    CloseHeadsUp,
    Directive,
    EndRun,
    OpenDunning,
    OpenHeadsUp,
    ReleaseRun,
    RingRun,
    Ruling,
    SetWatchlist,
)
from domain.openings import next_opening_of, renewal_opening
from domain.run_rulings import rule_on_runs
from domain.signal_warnings import warn_of_signals
from domain.silence import silence
from domain.time import BusinessInstant, after, start_of_day
from domain.vocabulary import (
    CustomerStatus,
    InterventionState,
    NoticeKind,
    Outcome,
    RiskTier,
    Severity,
)
from domain.win_back_openings import answer_departure

WATCHLIST = "watchlist"


def decide(
    state: CustomerState,
    notices: Sequence[HeardNotice],
    policy: DirectorPolicy,
    memory: Memory,
    now: BusinessInstant,
) -> Ruling:
    """Rule on one customer. Deterministic: the same arguments give the same ruling."""
    memory = _with_beginning(memory, notices, now)
    state = replace(state, first_seen_at=memory.began_at)
    cases, next_case = _unpaid(state, policy, now)
    if state.status is CustomerStatus.CHURNED:
        return _farewell(state, policy, memory, cases, next_case)
    heard = silence(state, notices, policy, memory, now)
    state = heard.state
    heads_ups, memory = warn_of_signals(state, heard.notices, heard.memory)
    watch = _watchlist(state)
    runs, memory, next_try = rule_on_runs(state, policy, memory, now)
    rings = _rings(state, heard.notices, runs)
    directives = (*heard.directives, *watch, *heads_ups, *runs, *rings, *cases)
    occasions = [next_opening_of(known.document, state, now) for known in policy.playbooks]
    looks = [_renewal_look(state, policy, now), next_try, next_case, *occasions]
    future = [look for look in looks if look is not None and look > now]
    phase = state.tier.value if state.tier is not None else "unscored"
    kept = {"phase": phase, "renewal_on": state.renewal_on or memory.renewal_on}
    begins_term, kept_memory = _begins_term(state, memory), memory.model_copy(update=kept)
    return Ruling(kept_memory, directives, min(future, default=None), begins_term, heard.watched)


def _begins_term(state: CustomerState, memory: Memory) -> bool:
    """Tell whether the contract has got a later end since we last looked."""
    before, now = memory.renewal_on, state.renewal_on
    return before is not None and now is not None and now > before


def _with_beginning(memory: Memory, notices: Sequence[HeardNotice], now: BusinessInstant) -> Memory:
    """Keep when we first looked, and count a silence anew after a touch."""
    if memory.began_at is None:
        memory = memory.model_copy(update={"began_at": now})
    if any(notice.kind is NoticeKind.TOUCHPOINT for notice in notices):
        memory = memory.model_copy(update={"silence_from": None})
    return memory


def _unpaid(
    state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> tuple[list[Directive], BusinessInstant | None]:
    """Open a case for each invoice that needs care, and say when the next one will: owed is owed."""
    times = {one: one.opens_at(policy.remind_before) for one in state.unpaid}
    due: list[Directive] = [OpenDunning(one.id, one.sentence) for one, at in times.items() if at <= now]
    return due, min((at for at in times.values() if at > now), default=None)


def _farewell(
    state: CustomerState,
    policy: DirectorPolicy,
    memory: Memory,
    cases: Sequence[Directive],
    next_case: BusinessInstant | None,
) -> Ruling:
    """End what runs for a customer that has left, ask for what they owe, and try to win them back."""
    ended = tuple(
        EndRun(run.id, Outcome.CHURNED, "The customer has left: what was planned is cancelled.")
        for run in state.open_runs
    )
    closed = tuple(CloseHeadsUp(key, "the customer has left") for key in sorted(state.heads_up_keys))
    off = (SetWatchlist(on=False, sentence="The customer has left."),) if state.watchlisted_at else ()
    answers = tuple(
        AnswerRequest(one.id, one.playbook_key, "churned", "The customer has left.") for one in state.requests
    )
    kept = memory.model_copy(update={"phase": "churned", "refused": {}})
    state, kept = _with_answer(state, kept)
    won_back = answer_departure(state, policy)
    return Ruling(kept, (*ended, *closed, *off, *answers, *won_back, *cases), next_case)


def _with_answer(state: CustomerState, memory: Memory) -> tuple[CustomerState, Memory]:
    """Answer each departure once: what was said of it before is not said again."""
    departure = state.departure
    if departure is None:
        return state, memory
    if memory.departure_at == departure.at:
        departure = replace(departure, is_answered=True)
    return replace(state, departure=departure), memory.model_copy(update={"departure_at": departure.at})


def _watchlist(state: CustomerState) -> list[Directive]:
    """Medium or worse is on the watchlist, with one heads-up if it got there lately; low is off it."""
    watched = state.tier is not None and state.tier.rank >= RiskTier.MEDIUM.rank
    if watched and state.watchlisted_at is None:
        drivers = "; ".join(driver.sentence for driver in state.drivers[:2]) or "several small changes"
        tier = state.tier.value if state.tier else ""
        watch = SetWatchlist(on=True, sentence=f"Churn risk is {tier}: {drivers}.")
        if state.tier_is_baseline:
            return [watch]
        title, body = f"Churn risk has risen to {tier}", f"Main reasons: {drivers}."
        return [watch, OpenHeadsUp(WATCHLIST, Severity.MEDIUM, title, body)]
    if not watched and state.watchlisted_at is not None:
        off: list[Directive] = [SetWatchlist(on=False, sentence="Churn risk is low again.")]
        if WATCHLIST in state.heads_up_keys:
            off.append(CloseHeadsUp(WATCHLIST, "churn risk is low again"))
        return off
    return []


def _renewal_look(
    state: CustomerState, policy: DirectorPolicy, now: BusinessInstant
) -> BusinessInstant | None:
    """Return the next instant at which a playbook counts back from the renewal date."""
    if state.renewal_on is None:
        return None
    leads = [known.document.trigger.before_renewal for known in policy.playbooks]
    looks = [renewal_opening(state, state.renewal_on, lead) for lead in leads if lead is not None]
    looks.append(after(start_of_day(state.renewal_on), timedelta(days=1)))
    return min((look for look in looks if look > now), default=now)


def _rings(
    state: CustomerState, notices: Sequence[HeardNotice], runs: Sequence[Directive]
) -> list[Directive]:
    """Ring every run that goes on, when there is news; a run that ends is rung by its ending."""
    if all(notice.kind is NoticeKind.SILENCE for notice in notices):
        return []
    ending = {directive.intervention_id for directive in runs if isinstance(directive, EndRun | ReleaseRun)}
    return [
        RingRun(run.id)
        for run in state.open_runs
        if run.state is not InterventionState.PLANNED and run.id not in ending
    ]


LOOKS = (_farewell, silence, _watchlist, warn_of_signals, rule_on_runs, _rings, _unpaid)
"""What `decide` looks at, in this order: docs/director.md is printed from it."""
