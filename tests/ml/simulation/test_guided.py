"""A company that is looked after in simulated time, by the product's own rules."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.customer_state import KnownPlaybook
from domain.trial_labels import Measure
from domain.trials import Arm
from ml.loop_truth import loop
from ml.overlap_truth import overlap
from ml.simulation.guided import lived
from ml.simulation.guided_plan import RUNS, Guided, GuidedPlan
from ml.simulation.worlds import Preset
from models.playbooks import read_library

LIBRARY = read_library(Path(__file__).resolve().parents[3] / "playbooks")
PLAYBOOKS = [KnownPlaybook(uuid.uuid5(uuid.NAMESPACE_URL, one.key), one, released=True) for one in LIBRARY]
LIVELY = GuidedPlan(60, 63, 3, preset=Preset.DEMO)


@pytest.fixture(scope="module")
def guided() -> Guided:
    """A lively company of nine weeks."""
    return lived(LIVELY, PLAYBOOKS)


def test_the_same_company_lives_the_same_life(guided: Guided) -> None:
    again = lived(LIVELY, PLAYBOOKS)
    assert np.array_equal(again.left, guided.left)
    assert again.rows == guided.rows


def test_the_holdout_of_everything_lives_as_if_nobody_cared(guided: Guided) -> None:
    alone = lived(LIVELY, PLAYBOOKS, guided=False)
    assert np.array_equal(alone.left[alone.holdout], guided.left[guided.holdout])
    assert not np.array_equal(alone.left, guided.left)
    assert (guided.runs > 0, alone.runs) == (True, 0)


def test_every_run_and_every_omission_is_kept_with_its_chance(guided: Guided) -> None:
    plain = [one for one in guided.rows if not one.step]
    arms = Counter(one.arm for one in plain)
    assert set(arms) == {one.value for one in Arm}
    assert all(0 < one.propensity <= 1 for one in guided.rows)
    assert {one.playbook for one in plain} <= set(RUNS)
    assert any(Measure.RECOVERED in one.good for one in plain)
    dealt = {(one.playbook, one.customer_id): one.arm for one in guided.rows if one.step}
    assert all(dealt[one.playbook, one.customer_id] == one.arm for one in guided.rows if one.step)


def test_care_cuts_departures_against_the_untreated_twin_of_the_same_luck() -> None:
    (found,) = list(loop([replace(LIVELY, customers=120)], PLAYBOOKS))
    told = found.document()
    assert told["holdout_against_its_twin_90"] == {"value": 0, "low": 0, "high": 0}
    assert told["against_untreated_twin_90"]["high"] < 0
    assert told["churn_treated"] < told["churn_untreated"]


@pytest.mark.proof
@pytest.mark.parametrize(("preset", "days"), [(Preset.DEMO, 84), (Preset.COMPANY, 450)])
def test_over_twenty_companies_the_loop_cuts_churn(
    preset: Preset, days: int, record_property: Callable[[str, object], None]
) -> None:
    plans = [GuidedPlan(300, days, seed, preset=preset) for seed in range(1, 21)]
    told = [one.document() for one in loop(plans, PLAYBOOKS)][-1]
    for name, figure in told.items():
        record_property(name, figure)
    assert told["against_untreated_twin_90"]["high"] < 0
    if preset is Preset.DEMO:
        assert told["against_holdout_90"]["high"] < 0


def test_the_truth_of_playbooks_that_overlap_comes_from_twins_with_and_without_one() -> None:
    plan = GuidedPlan(90, 190, 5, global_share=0.05, own_share=0.3, preset=Preset.DEMO, learns=False)
    (found,) = list(overlap([plan], PLAYBOOKS, ["usage-nudge"]))
    told = found["usage-nudge"]
    assert told["stated"] == 0.9
    assert told["twins"] > 0
    assert -1 < told["truth"] < 1
