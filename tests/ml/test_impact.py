"""The nightly report on trials of known effect: what it finds, what it does not, and what it lacks."""

from collections.abc import Sequence

import numpy as np
import pytest

from domain.impact import DeclaredExperiment, Grade, ImpactReport, TrialRow, Verdict
from domain.trial_labels import Measure
from domain.trials import Arm
from ml.impact import report
from tests.support.trials import BEGAN, SEGMENTS, World, trial

HELPS = World(effect=dict.fromkeys(SEGMENTS, 0.08), share=0.3)


def reported(rows: Sequence[TrialRow], *experiments: DeclaredExperiment) -> ImpactReport:
    return report(rows, experiments, BEGAN)


def test_what_helps_is_found_and_its_revenue_is_what_the_effect_is_worth() -> None:
    found = reported(trial(HELPS, 3_000, 1)).playbooks[0]
    assert (found.late.grade, found.late.verdict) == (Grade.RANDOMISED, Verdict.WORKS)
    assert found.late.measured is not None
    assert found.late.measured.low < 0.08 < found.late.measured.high
    saved = found.saved[0]
    assert saved.grade is Grade.RANDOMISED
    assert saved.minor == pytest.approx(found.late.measured.value * saved.customers * 1_000_000, abs=1)
    assert saved.low_minor is not None
    assert saved.low_minor > 0


def test_over_many_trials_the_report_covers_the_truth_at_its_rate() -> None:
    found = [reported(trial(HELPS, 900, seed)).playbooks[0].late.measured for seed in range(16)]
    assert np.mean([one is not None and one.low <= 0.08 <= one.high for one in found]) > 0.8


def test_a_segment_that_is_driven_away_is_found_and_the_others_are_left_alone() -> None:
    effect = {"small": 0.06, "mid_market": 0.05, "enterprise": -0.2}
    found = reported(trial(World(effect=effect, share=0.3), 3_000, 2)).playbooks[0]
    assert [one.segment for one in found.segments if one.does_harm] == ["enterprise"]


def test_what_surely_does_harm_as_a_whole_is_opened_nowhere_unless_segments_differ() -> None:
    alike, mixed = dict.fromkeys(SEGMENTS, -0.08), {"small": 0.05, "mid_market": 0.04, "enterprise": -0.5}
    found = reported(trial(World(effect=alike, share=0.3), 1_500, 3)).playbooks[0]
    assert found.late.verdict is Verdict.HARMS
    assert [one.segment for one in found.segments if one.does_harm] == sorted(SEGMENTS)
    worse = reported(trial(World(effect=mixed, share=0.3), 1_500, 3)).playbooks[0]
    assert worse.late.verdict is Verdict.HARMS
    assert [one.segment for one in worse.segments if one.does_harm] == ["enterprise"]


def test_without_an_effect_hardly_any_segment_is_called_harmed() -> None:
    nothing = World(share=0.3)
    segments = [
        one for seed in range(10) for one in reported(trial(nothing, 600, seed)).playbooks[0].segments
    ]
    assert sum(one.does_harm for one in segments) <= 1


def test_without_an_effect_about_one_trial_in_twenty_seems_to_show_one() -> None:
    verdicts = [reported(trial(World(share=0.3), 600, seed)).playbooks[0].late.verdict for seed in range(25)]
    assert sum(one in {Verdict.WORKS, Verdict.HARMS} for one in verdicts) <= 4


def test_segments_that_leave_at_different_rates_do_not_look_like_harm() -> None:
    base = {"small": 0.4, "mid_market": 0.1, "enterprise": 0.02}
    effect = {"small": 0.1, "mid_market": 0.03, "enterprise": 0.006}
    for seed in range(5):
        found = reported(trial(World(base=base, effect=effect), 1_500, seed)).playbooks[0]
        assert not [one.segment for one in found.segments if one.does_harm]


def test_too_few_customers_are_said_to_be_too_few_and_how_many_are_missing() -> None:
    late = reported(trial(World(), 60, 3)).playbooks[0].late
    assert late.verdict is Verdict.NOT_ENOUGH
    untreated = next(arm for arm in late.arms if arm.arm == Arm.HOLDOUT)
    assert late.missing == late.needed[1] - untreated.matured > 0


def test_without_a_holdout_of_its_own_a_playbook_is_held_against_that_of_everything() -> None:
    world = World(effect=dict.fromkeys(SEGMENTS, 0.1), share=0.0, global_share=0.3)
    found = reported(trial(world, 2_000, 4))
    assert found.playbooks[0].late.against == Arm.GLOBAL_HOLDOUT
    assert found.everything is not None
    assert found.everything.verdict is Verdict.WORKS


def test_a_playbook_without_chance_is_matched_with_the_untreated_of_others() -> None:
    free = World(effect=dict.fromkeys(SEGMENTS, 0.1), share=0.0, name="free")
    covered = 0
    for seed in range(10):
        rows = [*trial(World(share=0.5), 1_200, 100 + seed), *trial(free, 600, 200 + seed)]
        found = {one.playbook: one for one in reported(rows).playbooks}["free"]
        assert found.late.grade is found.saved[0].grade is Grade.MATCHED
        assert found.late.measured is not None
        covered += found.late.measured.low < 0.1 < found.late.measured.high
    assert covered >= 8


def test_what_is_held_against_nobody_is_a_claim() -> None:
    found = reported(trial(World(share=0.0), 50, 7)).playbooks[0]
    assert found.late.verdict is Verdict.NOT_ENOUGH
    assert {one.grade for one in found.saved} == {Grade.CLAIMED}
    assert found.saved[0].low_minor is None


def test_only_the_first_occasion_of_a_customer_counts() -> None:
    rows = trial(HELPS, 300, 8)
    assert reported([*rows, *rows]).playbooks == reported(rows).playbooks


def test_variants_are_shared_out_by_what_they_bring_and_per_segment_only_when_that_is_proven() -> None:
    random = np.random.default_rng(9)
    for means, is_personal in (((0.3, 0.7), True), ((0.7, 0.7), False)):
        rows = [dealt(one, random, means) for one in trial(World(), 1_500, 9)]
        declared = DeclaredExperiment(
            "low-engagement", "which", ("a", "b"), Measure.GOAL, 0.1, is_measured=True
        )
        found = reported(rows, declared).experiments[0]
        assert sum(one.next_share for one in found.variants) == pytest.approx(1)
        assert bool(found.by_segment) is is_personal
        if is_personal:
            assert found.by_segment["small"]["b"] < 0.2
            assert found.by_segment["enterprise"]["b"] > 0.8


def dealt(one: TrialRow, random: np.random.Generator, means: tuple[float, float]) -> TrialRow:
    """Variant b does well by segment, variant a the same everywhere."""
    arm = "ab"[random.integers(0, 2)]
    chance = 0.5 if arm == "a" else dict(zip(SEGMENTS, (means[0], 0.5, means[1]), strict=True))[one.segment]
    good = {Measure.GOAL: bool(random.random() < chance)}
    return TrialRow(**{**vars(one), "step": "which", "arm": arm, "propensity": 0.5, "good": good})
