import datetime as dt
from dataclasses import replace

import pytest

from domain.disagreement import (
    Held,
    Step,
    Voices,
    next_step,
    stance_of_forecast,
    stance_of_health,
    stance_of_risk,
)
from domain.scoring_policy import DisagreementPolicy
from domain.stances import Forecast, Stance
from domain.time import BusinessInstant
from domain.vocabulary import HealthStatus, RiskTier

POLICY = DisagreementPolicy()
NOW = BusinessInstant(dt.datetime(2026, 6, 15, 2, tzinfo=dt.UTC))
STAY, LEAVE, NONE = Stance.STAYING, Stance.LEAVING, Stance.NONE
APART = Voices(STAY, LEAVE, NONE)
AGREED = Voices(STAY, STAY, NONE)


def ago(days: float) -> BusinessInstant:
    return BusinessInstant(NOW - dt.timedelta(days=days))


def asked(**changes: object) -> Held:
    held = Held(APART, began_at=ago(10), opened_at=ago(3), due_at=ago(-2))
    return replace(held, **changes)  # type: ignore[arg-type]  # fields by name


def test_views_that_say_neither_disagree_with_nobody() -> None:
    assert stance_of_health(HealthStatus.NEUTRAL, limited=False) is NONE
    assert stance_of_health(HealthStatus.AT_RISK, limited=True) is NONE
    assert stance_of_risk(RiskTier.MEDIUM) is NONE
    assert stance_of_forecast(None) is NONE
    assert not Voices(STAY, NONE, NONE).disagree
    assert Voices(NONE, stance_of_risk(RiskTier.LOW), stance_of_forecast(Forecast.WILL_LEAVE)).disagree


def test_a_disagreement_is_put_to_a_person_only_when_it_has_lasted() -> None:
    assert next_step(None, APART, NOW, POLICY) is Step.BEGIN
    assert next_step(Held(APART, ago(6)), APART, NOW, POLICY) is Step.NOTHING
    assert next_step(Held(APART, ago(7)), APART, NOW, POLICY) is Step.OPEN
    assert next_step(Held(APART, ago(6)), AGREED, NOW, POLICY) is Step.FORGET


@pytest.mark.parametrize(
    ("held", "voices", "step"),
    [
        (asked(), APART, Step.NOTHING),
        (asked(answer=LEAVE), APART, Step.ANSWER),
        (asked(answer=LEAVE), AGREED, Step.ANSWER),
        (asked(due_at=ago(0)), APART, Step.SETTLE),
        (asked(due_at=ago(0)), AGREED, Step.QUIET),
        (asked(decided=LEAVE), APART, Step.NOTHING),
        (asked(decided=LEAVE, due_at=ago(30)), APART, Step.NOTHING),
        (asked(decided=LEAVE), Voices(LEAVE, STAY, NONE), Step.BEGIN_ANEW),
        (asked(quiet_since=ago(1)), APART, Step.LOUD),
        (asked(quiet_since=ago(1)), AGREED, Step.NOTHING),
        (asked(quiet_since=ago(7)), AGREED, Step.END),
    ],
)
def test_what_was_asked_is_asked_once(held: Held, voices: Voices, step: Step) -> None:
    assert next_step(held, voices, NOW, POLICY) is step


def test_after_the_deadline_the_policy_settles_it() -> None:
    assert APART.settled(POLICY) is LEAVE
    assert APART.settled(DisagreementPolicy(settle="health")) is STAY
    assert Voices(STAY, NONE, LEAVE).settled(DisagreementPolicy(settle="risk")) is LEAVE


def test_the_sentence_names_both_sides() -> None:
    said = Voices(STAY, LEAVE, STAY).sentence()
    assert said == ("health by rules and the CSM's forecast speak for staying, the churn risk for leaving")
