from statistics import NormalDist

import numpy as np
import pytest

from ml.simulation.archetypes import Archetype
from ml.simulation.causes import MEASURED
from ml.simulation.population import Mask
from ml.simulation.treatments import CONTROL, TREATMENTS
from ml.simulation.trials import Trial, TrialPlan, run_trial, true_effects, true_policy_effects

CALLS = {CONTROL: 0.5, "value-conversation": 0.5}
NUDGES = {CONTROL: 0.5, "usage-nudge": 0.5}
HALF_90 = NormalDist().inv_cdf(0.95)


def difference(trial: Trial, among: Mask, days: int = 90) -> tuple[float, float]:
    """The plain difference of shares and its standard error."""
    left, treated = trial.churned(days), trial.arms != CONTROL
    sides = [left[among & side].astype(float) for side in (treated, ~treated)]
    error = float(np.sqrt(sum(side.var() / len(side) for side in sides)))
    return float(sides[0].mean() - sides[1].mean()), error


def test_the_same_plan_gives_the_same_trial() -> None:
    first, second = run_trial(TrialPlan(200, 3)), run_trial(TrialPlan(200, 3))
    assert (first.arms == second.arms).all()
    assert (first.left_after == second.left_after).all()


def test_arms_are_drawn_with_the_odds_and_propensities_say_so() -> None:
    plan = TrialPlan(4000, odds={CONTROL: 0.2, "usage-nudge": 0.5, "escalated-save": 0.3})
    trial = run_trial(plan)
    for arm, odds in plan.odds.items():
        assert (trial.arms == arm).mean() == pytest.approx(odds, abs=0.03)
        assert trial.propensities[trial.arms == arm] == pytest.approx(odds)


def test_odds_may_differ_by_story() -> None:
    silent = {CONTROL: 0.9, "usage-nudge": 0.1}
    trial = run_trial(TrialPlan(3000, odds=NUDGES, odds_by_story={Archetype.SILENT: silent}))
    among = np.array([story is Archetype.SILENT for story in trial.stories])
    assert (trial.arms[among] == CONTROL).mean() == pytest.approx(0.9, abs=0.05)
    assert (trial.arms[~among] == CONTROL).mean() == pytest.approx(0.5, abs=0.05)


def test_plain_intervals_cover_the_truth_at_their_rate_over_twenty_seeds() -> None:
    truth = true_effects(TrialPlan(1), "value-conversation", 90)["all"].effect
    covered = 0
    for seed in range(20):
        found, error = difference(run_trial(TrialPlan(1500, seed, odds=CALLS)), np.ones(1500, dtype=bool))
        covered += abs(found - truth) < HALF_90 * error
    assert covered >= 15


def test_care_helps_most_and_harms_those_who_sleep() -> None:
    calls = true_effects(TrialPlan(1), "value-conversation", 90, customers=8000)
    nudges = true_effects(TrialPlan(1), "usage-nudge", 90, customers=8000)
    assert calls["all"].effect < -0.03
    assert nudges["silent"].effect > 0.05
    assert nudges["failing_payment"].effect < -0.05
    assert max(abs(each["healthy"].effect) for each in (calls, nudges)) < 0.01


def test_a_harmful_playbook_shows_in_a_trial_of_those_it_harms() -> None:
    plan = TrialPlan(2000, 5, odds=NUDGES, shares={Archetype.SILENT: 1.0}, false_alarms=0.0)
    found, error = difference(run_trial(plan), np.ones(2000, dtype=bool))
    assert found - HALF_90 * error > 0


def test_the_early_proxy_goes_with_what_comes_late() -> None:
    trial = run_trial(TrialPlan(3000))
    assert trial.churned(180)[trial.recovered].mean() < trial.churned(180)[~trial.recovered].mean() - 0.2
    treated = trial.arms != CONTROL
    assert trial.recovered[treated].mean() > trial.recovered[~treated].mean()


def test_a_policy_that_leaves_sleepers_alone_beats_one_for_everybody() -> None:
    everybody = true_effects(TrialPlan(1), "usage-nudge", 90)["all"].effect
    only = dict.fromkeys((Archetype.DECLINING, Archetype.FAILING_PAYMENT), "usage-nudge")
    assert true_policy_effects(TrialPlan(1), only, 90)["all"].effect < everybody


def test_control_changes_nothing() -> None:
    assert {one.effect for one in true_effects(TrialPlan(1), CONTROL, 90, customers=2000).values()} == {0.0}


def test_every_story_of_trouble_has_its_causes_and_control_no_step() -> None:
    assert set(MEASURED) == set(TrialPlan(1).world.troubles)
    assert TREATMENTS[CONTROL] == ()
