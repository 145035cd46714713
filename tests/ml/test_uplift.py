"""Intervals hold their level over many trials of known effect, and small groups learn from relatives."""

import numpy as np
import pytest

from domain.trial_sizes import needed_per_arm
from ml.hierarchy import Pair, drawn_together, expect
from ml.uplift import Rate, difference, rate, share, standardised

TRIALS = 200
CHANCE = 0.045
"""Three standard errors of a share of 95 % among so many trials."""


def drawn(random: np.random.Generator, size: int, share_of: float) -> Rate:
    return Rate(random.binomial(size, share_of) / size, size)


@pytest.mark.parametrize(
    ("base", "effect", "customers"),
    [(0.2, 0.06, 2_000), (0.05, 0.0, 800), (0.05, 0.02, 2_000), (0.1, -0.05, 1_500)],
)
def test_the_interval_covers_the_true_effect_at_its_stated_rate(
    base: float, effect: float, customers: int
) -> None:
    random = np.random.default_rng(3)
    covered, held_out = 0, customers // 10
    for seed in range(TRIALS):
        treated = drawn(random, customers - held_out, 1 - base + effect)
        found = difference(treated, drawn(random, held_out, 1 - base), seed=seed)
        covered += found.low <= effect <= found.high
    assert covered / TRIALS == pytest.approx(0.95, abs=CHANCE)


def test_unequal_chances_are_evened_out_and_cost_size() -> None:
    random = np.random.default_rng(4)
    likely = random.random(60_000) < 0.5
    propensity = np.where(likely, 0.9, 0.1)
    got_it = random.random(60_000) < propensity
    good = random.random(60_000) < np.where(likely, 0.4, 0.8)
    found = rate(good[got_it], propensity[got_it])
    assert good[got_it].mean() == pytest.approx(0.44, abs=0.01)
    assert found.share == pytest.approx(0.6, abs=0.02)
    assert found.size < got_it.sum()


def test_equal_chances_leave_a_plain_share_of_all() -> None:
    found = rate(np.array([True, True, False, True]), np.full(4, 0.9))
    assert [found.share, found.size] == pytest.approx([0.75, 4.0])
    assert share(found).low < 0.75 < share(found).high


def test_a_small_segment_is_drawn_towards_its_playbook_and_a_large_one_keeps_its_own() -> None:
    relatives = [Pair(Rate(0.9, 4_000), Rate(0.8, 4_000)), Pair(Rate(0.92, 4_000), Rate(0.84, 4_000))]
    small, large = (Pair(Rate(0.8, size), Rate(0.85, size)) for size in (30, 30_000))
    alone = difference(small.treated, small.untreated)
    together = drawn_together(small, expect(relatives))
    assert alone.value < 0 < together.value
    assert together.high - together.low < alone.high - alone.low
    assert drawn_together(large, expect(relatives)).value == pytest.approx(-0.05, abs=0.01)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_drawing_together_keeps_its_level_where_groups_differ_as_much_as_is_plausible(spread: float) -> None:
    random = np.random.default_rng(5)
    hits = []
    for seed in range(20):
        base = random.uniform(0.05, 0.3, 3)
        odds = (1 - base) / base * np.exp(random.normal(0.3, spread, 3))
        treated = odds / (1 + odds)
        pairs = [
            Pair(drawn(random, 600, good), drawn(random, 70, 1 - bad))
            for good, bad in zip(treated, base, strict=True)
        ]
        for place, pair in enumerate(pairs):
            others = [other for number, other in enumerate(pairs) if number != place]
            found = drawn_together(pair, expect(others), seed=seed)
            hits.append(found.low <= treated[place] - (1 - base[place]) <= found.high)
    assert np.mean(hits) > 0.88


def test_standardising_compares_like_with_like() -> None:
    calm = (Rate(0.98, 900), Rate(0.95, 100), 900.0)
    troubled = (Rate(0.7, 100), Rate(0.6, 900), 100.0)
    found = standardised([calm, troubled])
    assert found.value == pytest.approx(0.9 * 0.03 + 0.1 * 0.1)
    assert found.low < found.value < found.high


def test_the_customers_needed_are_those_of_the_published_formula() -> None:
    table = {0.03: (48_289, 11_452, 4_812, 1_531), 0.2: (6_036, 1_445, 612, 197)}
    for base, expected in table.items():
        assert tuple(needed_per_arm(base, cut)[1] for cut in (0.1, 0.2, 0.3, 0.5)) == expected
    treated, untreated = needed_per_arm(0.05, 0.2, ratio=9)
    assert untreated < 6_743 < treated
