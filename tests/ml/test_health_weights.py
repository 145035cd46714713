import datetime as dt

import numpy as np
import pytest

from domain.scoring_policy import WeightPolicy
from domain.statistician import WeightEvidence
from ml.health_weights import blend, fitted, health_of, propose_weights
from ml.samples import NEVER, Floats, Samples, days_of

PRESENT = np.array([0.34, 0.18, 0.14, 0.10, 0.06, 0.12, 0.06])
HORIZON = 90
COUNT = 7


def world(customers: int, truth: Floats, *, months: int = 12, seed: int = 1, unknown: float = 0.1) -> Samples:
    """Monthly component scores of customers that leave by a known mixture of them."""
    random = np.random.default_rng(seed)
    levels = random.uniform(10, 95, (customers, COUNT))
    parts, who, when, events = [], [], [], []
    gone = np.zeros(customers, dtype=bool)
    start = days_of(dt.date(2025, 1, 1))
    for month in range(months):
        levels = np.clip(levels + random.normal(0, 8, levels.shape), 0, 100)
        chance = 1 / (1 + np.exp(2.2 + (levels - 50) @ truth / 6))
        leaves = random.random(customers) < chance / 2
        live = ~gone
        scores = np.where(random.random(levels.shape) < unknown, np.nan, levels)
        parts.append(scores[live])
        who.append(np.flatnonzero(live))
        when.append(np.full(live.sum(), start + 30 * month))
        events.append(np.where(leaves[live], 45.0, NEVER))
        gone |= leaves
    rows = sum(len(part) for part in parts)
    return Samples(
        columns=tuple("abcdefg"),
        matrix=np.concatenate(parts).astype(np.float32),
        customers=np.concatenate(who).astype(np.int64),
        as_of=np.concatenate(when).astype(np.int64),
        event_days=np.concatenate(events),
        observed_days=np.full(rows, 365.0),
        value=np.ones(rows),
    )


def proposed(samples: Samples) -> WeightEvidence:
    return propose_weights(samples, PRESENT, HORIZON, WeightPolicy(least_churned=20, prior_churned=50.0))


def test_weights_go_to_the_component_that_tells_who_leaves() -> None:
    truth = np.array([0.0, 0.0, 0.9, 0.0, 0.0, 0.1, 0.0])
    found = proposed(world(500, truth))
    assert found.needed == 0
    assert sum(found.weights) == pytest.approx(1)
    assert min(found.weights) >= 0
    assert np.argmax(found.weights) == 2
    assert found.verdict == "better"
    assert found.difference is not None
    assert found.difference.low > 0


def test_with_few_outcomes_nothing_is_proposed_and_the_number_still_needed_is_told() -> None:
    samples = world(60, np.array([0.3] * COUNT), months=2)
    found = proposed(samples)
    assert found.verdict == "not_enough"
    assert found.needed == 20 - found.left > 0
    assert found.weights == pytest.approx(PRESENT)


def test_the_fewer_have_left_the_nearer_the_proposal_stays_to_the_present_weights() -> None:
    truth = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    few, many = proposed(world(150, truth, months=6)), proposed(world(800, truth))
    assert few.left < many.left
    assert few.moved < many.moved < 1
    assert np.abs(np.array(few.weights) - PRESENT).sum() < np.abs(np.array(many.weights) - PRESENT).sum()


def test_where_health_says_nothing_of_who_leaves_no_difference_is_claimed() -> None:
    verdicts = {proposed(world(300, np.zeros(COUNT), seed=seed)).verdict for seed in range(4)}
    assert "better" not in verdicts


def test_a_component_that_points_the_wrong_way_gets_nothing_rather_than_less() -> None:
    samples = world(600, np.array([0.6, 0.0, -0.8, 0.0, 0.0, 0.0, 0.0]), unknown=0.0)
    matured = samples.matured(HORIZON)
    best = fitted(matured, matured.happened(HORIZON), PRESENT)
    assert best[2] == 0
    assert best.argmax() == 0


def test_absent_components_give_their_weight_away() -> None:
    matrix = np.array([[80.0, np.nan], [np.nan, np.nan]])
    assert health_of(matrix, np.array([0.25, 0.75])).tolist() == [80.0, 50.0]
    assert blend(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.25).tolist() == [0.75, 0.25]
