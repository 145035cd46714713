"""Whether the departure of a customer is answered with a win-back, and whom chance leaves alone."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from domain.customer_state import CustomerState, DirectorPolicy
from domain.departures import KnownDeparture
from domain.directives import Directive, OpenWinBack, RefuseWinBack
from domain.holdout import place_of
from domain.money import minor_per_unit, say_money
from domain.trials import Arm, Assignment, Odds, Trial, not_by_chance
from domain.vocabulary import TouchTier
from domain.win_back_policy import KEY, WinBackPolicy
from domain.withholding import DO_NOT_DISTURB


@dataclass(frozen=True)
class Case:
    """A departure, whose it is, and the policy that it is judged by."""

    state: CustomerState
    departure: KnownDeparture
    policy: WinBackPolicy
    trial: Trial | None = None


def answer_departure(state: CustomerState, policy: DirectorPolicy) -> tuple[Directive, ...]:
    """Open a case for a departure of which there is none, or say once why there will be none.

    What happened before its source was connected is history, and history triggers nothing.
    """
    departure, rules = state.departure, policy.win_back
    if departure is None or departure.is_answered or rules is None or not rules.is_on:
        return ()
    if departure.at < departure.connected_at:
        return ()
    case = Case(state, departure, rules, policy.trial)
    for rule in RULES:
        refusal = rule(case)
        if refusal is not None:
            return (refusal,)
    assignment = draw(state, rules, policy.trial)
    return (OpenWinBack(departure, rules, assignment, _sentence(case, assignment)),)


def _sentence(case: Case, assignment: Assignment | None) -> str:
    was = say_money(case.departure.arr_minor, case.departure.currency)
    whose = "payment failed" if case.departure.cause == "involuntary" else "they decided to leave"
    alone = assignment is not None and assignment.arm is not Arm.TREATED
    then = "; chance leaves them alone" if alone else ""
    return f"They left on {case.departure.at:%d %B %Y} with {was} a year: {whose}{then}."


def draw(state: CustomerState, policy: WinBackPolicy, trial: Trial | None) -> Assignment | None:
    """Return who is left alone by chance, and how likely it was; None where nothing is measured.

    Strategic customers are talked to by a person, and whoever asked not to be contacted is left alone for
    another reason than chance: neither is part of the trial.
    """
    if trial is None or state.do_not_contact:
        return None
    if state.touch_tier is TouchTier.STRATEGIC:
        return not_by_chance(KEY)
    odds = Odds(trial.global_share, policy.holdout_share)
    arm = Arm.GLOBAL_HOLDOUT if state.holdout else _own_arm(state.customer_id, odds, trial)
    return Assignment(arm, odds.of(arm), odds.everything, KEY)


def _own_arm(customer_id: uuid.UUID, odds: Odds, trial: Trial) -> Arm:
    return Arm.HOLDOUT if place_of(customer_id, salt=trial.salt, name=KEY) < odds.playbook else Arm.TREATED


def _of_cause(case: Case) -> RefuseWinBack | None:
    """Leave alone whose kind of departure the policy does not answer."""
    if case.departure.cause in case.policy.causes:
        return None
    return RefuseWinBack(
        "cause", f"No win-back: the policy answers no {case.departure.cause.value} departure."
    )


def _of_reason(case: Case) -> RefuseWinBack | None:
    """Leave alone who left for a reason that no letter mends."""
    reason = case.departure.reason
    if reason not in case.policy.no_win_back_for:
        return None
    return RefuseWinBack("reason", f"No win-back: they left for “{reason.value.replace('_', ' ')}”.")


def _of_segment(case: Case) -> RefuseWinBack | None:
    """Leave alone who is of another size than the policy asks for."""
    segment = case.state.segment
    if segment is None or segment in case.policy.segments:
        return None
    return RefuseWinBack("segment", f"No win-back: the policy leaves out {segment.value.replace('_', ' ')}.")


def _of_value(case: Case) -> RefuseWinBack | None:
    """Leave alone who was worth less than the policy asks for."""
    departure = case.departure
    least = case.policy.least_arr * minor_per_unit(departure.currency)
    if departure.arr_minor >= least:
        return None
    was, wanted = say_money(departure.arr_minor, departure.currency), say_money(least, departure.currency)
    return RefuseWinBack("revenue", f"No win-back: they paid {was} a year, less than {wanted}.")


def _of_harm(case: Case) -> RefuseWinBack | None:
    """Leave alone where win-back was measured to do harm, as a playbook is not opened there."""
    segment = case.state.segment
    if case.trial is None or segment is None or (KEY, segment) not in case.trial.quiet:
        return None
    words = segment.value.replace("_", " ")
    return RefuseWinBack(
        DO_NOT_DISTURB, f"No win-back: the do-not-disturb list leaves {words} customers in peace."
    )


RULES: tuple[Callable[[Case], RefuseWinBack | None], ...] = (
    _of_cause,
    _of_reason,
    _of_segment,
    _of_value,
    _of_harm,
)
