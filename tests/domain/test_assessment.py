import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assessment import Assessment, Override, Previous, assess
from domain.features import CustomerFeatures
from domain.health import ComponentStatus, assess_health, component_status, trend_word
from domain.risk import Scorecard
from domain.scoring_policy import HealthPolicy, RiskPolicy
from domain.time import BusinessInstant
from domain.vocabulary import HealthComponent, HealthStatus, Segment
from tests.support.features import AS_OF, customer, everything_told, week

POLICY = HealthPolicy()


def said(
    features: CustomerFeatures, previous: Assessment | None = None, override: Override | None = None
) -> Assessment:
    health = assess_health(features, POLICY)
    before = None if previous is None else Previous(previous.components, previous.inputs_hash)
    return assess(features, health, Scorecard(RiskPolicy()).assess(features), override, before)


def untold() -> CustomerFeatures:
    told = {name: replace(fresh, provided=False) for name, fresh in everything_told().items()}
    return customer(freshness=told)


def test_a_customer_in_good_standing_is_well_and_may_grow() -> None:
    verdict = said(customer())
    assert verdict.health_status.is_good
    assert verdict.limited_since is None
    assert verdict.next_best_action.startswith("Suggest the next use case")
    assert verdict.data_on == dt.date(2026, 6, 14)


def test_the_reason_names_the_two_heaviest_families_in_one_sentence() -> None:
    verdict = said(customer(usage=week(9, usual=41), support={"overdue": 2, "oldest_overdue_days": 5}))
    assert verdict.reason == (
        "Use fell from 41 to 9 actions a week and 2 tickets are overdue, the oldest by 5 days."
    )
    assert "champion" in verdict.next_best_action


def test_what_changed_comes_before_what_was_there_already() -> None:
    first = said(customer(usage=week(9, usual=41)))
    second = said(customer(usage=week(9, usual=41), commercial={"past_due_days": 20}), previous=first)
    assert second.reason.startswith("An invoice is 20 days past due")
    assert [change["component"] for change in second.changes] == ["commercial"]
    assert second.inputs_hash != first.inputs_hash


def test_the_same_inputs_have_the_same_hash_whatever_the_day() -> None:
    tomorrow = BusinessInstant(AS_OF + dt.timedelta(days=1))
    assert said(customer()).inputs_hash == said(replace(customer(), as_of=tomorrow)).inputs_hash


def test_a_customer_of_whom_nobody_tells_has_a_status_and_says_since_when() -> None:
    verdict = said(untold())
    assert verdict.health_status is HealthStatus.NEUTRAL
    assert verdict.limited_since == dt.date(2026, 6, 14)
    assert verdict.reason.startswith("Limited data since 14 June")


def test_a_person_overrules_until_the_expiry() -> None:
    later = BusinessInstant(AS_OF + dt.timedelta(days=1))
    held = said(customer(), override=Override(HealthStatus.AT_RISK, later))
    assert held.health_status is HealthStatus.AT_RISK
    assert held.reason.startswith("Set by hand to at risk until 16 June; the rules say thriving, ")
    assert said(customer(), override=Override(HealthStatus.AT_RISK, AS_OF)).health_status.is_good
    assert (
        said(customer(), override=Override(HealthStatus.AT_RISK, None)).health_status is HealthStatus.AT_RISK
    )


def test_an_absent_component_gives_its_weight_to_the_others() -> None:
    told = everything_told()
    told["goal"] = replace(told["goal"], provided=False)
    health = assess_health(customer(freshness=told), POLICY)
    outcomes = health.components[HealthComponent.OUTCOMES]
    assert (outcomes.score, outcomes.status, outcomes.limited) == (None, ComponentStatus.UNKNOWN, True)
    assert sum(part.weight for part in health.components.values()) == pytest.approx(1)


def test_the_trend_is_against_the_score_of_thirty_days_before() -> None:
    health = assess_health(customer(usage=week(20)), POLICY, {"usage": 80})
    trend = health.components[HealthComponent.USAGE].trend
    assert trend is not None
    assert trend < -5
    assert trend_word(trend) == "down"
    assert health.components[HealthComponent.SUPPORT].trend is None


@pytest.mark.parametrize(
    ("score", "word"),
    [
        (100, "strong"),
        (80, "strong"),
        (79, "good"),
        (50, "fair"),
        (35, "weak"),
        (0, "poor"),
        (None, "unknown"),
    ],
)
def test_a_component_has_a_word_of_its_own(score: float | None, word: str) -> None:
    assert component_status(score).value == word


WORSE: dict[str, tuple[str, int, int]] = {
    "days_since_last": ("usage", 0, 100),
    "overdue": ("support", 0, 9),
    "past_due_days": ("commercial", 0, 90),
    "qbr_missed": ("relationship", 0, 5),
    "touch_in_days": ("relationship", 0, 300),
}


@pytest.mark.parametrize("name", WORSE)
@given(data=st.data())
def test_worse_facts_never_raise_health(name: str, data: st.DataObject) -> None:
    group, low, high = WORSE[name]
    better, worse = sorted(data.draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    extra: dict[str, Any] = {"touch_out_days": None} if name == "touch_in_days" else {}
    scores = [
        assess_health(customer(**{group: {name: value} | extra}), POLICY).score for value in (better, worse)
    ]
    assert scores[0] >= scores[1]


@given(st.sampled_from(Segment), st.integers(0, 60), st.integers(0, 9), st.booleans())
def test_nobody_is_ever_without_a_status_and_a_sentence(
    segment: Segment,
    days: int,
    overdue: int,
    told: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    features = replace(
        customer(usage={"days_since_last": days}, support={"overdue": overdue}) if told else untold(),
        segment=segment,
    )
    verdict = said(features)
    assert verdict.health_status in HealthStatus
    assert verdict.reason.endswith(".")
    assert verdict.reason[0].isupper() or verdict.reason[0].isdigit()
    assert verdict.next_best_action


def test_weights_with_a_hole_are_refused() -> None:
    with pytest.raises(ValueError, match="every segment"):
        HealthPolicy(weights={})
