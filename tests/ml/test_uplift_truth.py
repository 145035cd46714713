"""The nightly report in worlds of known effect: its intervals keep their word, and harm is found."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.trial_labels import Measure
from domain.trials import Arm
from ml.simulation.cohorts import (
    COHORTS,
    GLOBAL_SHARE,
    OWN_SHARE,
    TRUTH_CUSTOMERS,
    rows_of,
    truth_of,
)
from ml.uplift_truth import measure, power_of_needed, wilson

INTERVALS = (
    "effect_90",
    "effect_as_shown_95",
    "early_proxy_95",
    "segments_drawn_together_95",
    "share_of_departures_prevented_90",
)
BY_NAME = {one.playbook: one for one in COHORTS}


def measured(seeds: int, customers: int, truth_customers: int = TRUTH_CUSTOMERS) -> dict[str, Any]:
    nights = measure(range(1, seeds + 1), customers, truth_customers=truth_customers)
    return list(nights)[-1].document()


def test_intervals_of_a_few_installations_cover_the_truth_at_their_stated_rate() -> None:
    found = measured(3, 900, 4_000)
    assert [key for key in INTERVALS if not found[key]["holds"]] == []
    assert found["do_not_disturb_of_others"]["said"] == 0
    assert found["verdicts_of_the_wrong_sign"]["said"] <= 1


@pytest.mark.proof
def test_over_twenty_installations_intervals_keep_their_word_and_harmful_playbooks_are_found(
    record_property: Callable[[str, object], None],
) -> None:
    found = measured(20, 3_000)
    for name, figure in found.items():
        record_property(name, figure)
    assert [key for key in INTERVALS if not found[key]["holds"]] == []
    assert found["harmful_playbooks_found"]["share"] > 0.7
    assert found["harm_said_of_harmless_playbooks"]["share_95"][0] < 0.025
    assert found["do_not_disturb_precision"]["share_95"][1] == pytest.approx(1)
    assert found["do_not_disturb_of_others"]["share_95"][0] < 0.01


@pytest.mark.parametrize("base", [0.05, 0.2])
def test_the_number_of_customers_said_to_be_needed_finds_what_is_worth_finding(base: float) -> None:
    found = power_of_needed(base, trials=200)["found"]
    assert 0.72 < found["share"] < 0.92


def test_rows_are_dealt_by_the_products_own_draw_and_the_newest_have_not_matured() -> None:
    rows = rows_of(BY_NAME["personal-note"], 2_000, 2)
    shares = {arm: sum(one.arm == arm for one in rows) / len(rows) for arm in Arm}
    assert shares[Arm.GLOBAL_HOLDOUT] == pytest.approx(GLOBAL_SHARE, abs=0.02)
    assert shares[Arm.HOLDOUT] == pytest.approx((1 - GLOBAL_SHARE) * OWN_SHARE, abs=0.03)
    assert all(Measure.RECOVERED in one.good for one in rows)
    assert 0.6 < sum(Measure.STAYED in one.good for one in rows) / len(rows) < 0.9
    assert rows == rows_of(BY_NAME["personal-note"], 2_000, 2)


def test_the_truth_of_a_playbook_is_by_segment_where_its_customers_differ() -> None:
    truth = truth_of(BY_NAME["nudge-by-size"], 4_000)
    assert truth["small"].stayed > 0.03 > -0.03 > truth["enterprise"].stayed
    assert truth["small"].prevented == pytest.approx(truth["small"].stayed / truth["small"].base)


def test_the_interval_of_a_share_is_the_published_one() -> None:
    assert wilson(15, 20) == pytest.approx((0.531, 0.888), abs=0.001)
