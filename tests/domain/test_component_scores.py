from dataclasses import replace

import pytest

from domain.adoption import AdoptionNorms
from domain.component_scores import bought_use, outcomes_score, value_realised
from domain.features import AdoptionNumbers, CustomerFeatures, OutcomeNumbers
from tests.support.features import AS_OF, customer, everything_told

USED = {"first_on": AS_OF.date(), "users_peak_28": 5}


def without(*kinds: str, **changes: object) -> CustomerFeatures:
    told = everything_told()
    return customer(freshness=told | {kind: replace(told[kind], provided=False) for kind in kinds}, **changes)


def test_value_realised_is_goals_met_and_use_of_what_was_bought() -> None:
    found = customer(usage=USED, outcomes={"goals": 6, "achieved": 1, "overdue": 3})
    assert bought_use(found) == 0.5
    assert value_realised(found) == pytest.approx((0.25 + 0.5) / 2)


def test_what_was_bought_is_seats_limits_and_what_peers_on_the_plan_use() -> None:
    found = customer(usage={**USED, "limits_used": 0.25}, adoption=AdoptionNumbers(("export",), 20, 4))
    assert bought_use(found) == pytest.approx((0.5 + 0.25 + 0.75) / 3)
    over = customer(usage={"first_on": AS_OF.date(), "users_peak_28": 40})
    assert bought_use(over) == 1.0


def test_progress_and_value_raise_the_score_and_overdue_goals_lower_it() -> None:
    well = customer(usage=USED, outcomes={"goals": 2, "achieved": 2, "progress": 1.0})
    badly = customer(usage=USED, outcomes={"goals": 2, "achieved": 0, "progress": 0.1, "overdue": 1})
    high, low = outcomes_score(well), outcomes_score(badly)
    assert high is not None
    assert low is not None
    assert high > 85
    assert low < 40


def test_without_goals_the_score_rests_on_use_alone_and_without_both_it_abstains() -> None:
    assert outcomes_score(without("goal", usage=USED)) == pytest.approx(62.5)
    assert outcomes_score(without("goal", "usage", usage=USED)) is None
    assert outcomes_score(without("goal", usage={"first_on": None})) is None
    unsold = customer(
        usage={"first_on": AS_OF.date(), "users_peak_28": None}, outcomes={"goals": 0, "progress": None}
    )
    assert outcomes_score(unsold) is None


def test_goals_of_a_silent_source_say_nothing() -> None:
    told = everything_told()
    silent = told | {"goal": replace(told["goal"], silent=True)}
    features = customer(freshness=silent, usage=USED, outcomes={"goals": 3, "overdue": 3, "progress": 0.0})
    assert outcomes_score(features) == pytest.approx(62.5)
    assert replace(features, outcomes=OutcomeNumbers()).outcomes.goals == 0


def test_norms_tell_how_many_features_are_usual() -> None:
    norms = AdoptionNorms({"mid_market/365": 9}, {"mid_market/365": ("export", "report")})
    measured = norms.measure(customer(usage={"first_on": AS_OF.date(), "used_91": frozenset({"report"})}))
    assert (measured.adoption.lagging, measured.adoption.usual) == (("export",), 2)
