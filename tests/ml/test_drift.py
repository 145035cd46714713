import math

import numpy as np
import pytest

from ml.drift import (
    Reference,
    log_loss,
    look_back,
    read_reference,
    reference_of,
    shift_of,
)
from ml.samples import Floats

RANDOM = np.random.default_rng(4)
THEN = RANDOM.normal(10, 2, 1000)


def drawn(mean: float, count: int = 1000) -> Floats:
    return np.random.default_rng(9).normal(mean, 2, count)


def test_the_index_is_the_published_sum_over_ten_bins() -> None:
    reference = reference_of(THEN)
    assert len(reference.edges) == 9
    assert reference.shares[:-1] == pytest.approx([0.1] * 10, abs=0.002)
    now = drawn(11.5)
    counts = np.histogram(now, bins=[-np.inf, *reference.edges, np.inf])[0] / len(now)
    counts = np.maximum(counts, 0.5 / len(now))
    counts /= counts.sum()
    expected = float(((counts - 0.1) * np.log(counts / 0.1)).sum())
    assert shift_of(reference, now).psi == pytest.approx(expected, rel=0.01)


def test_nothing_moved_is_within_chance_and_a_shift_is_not() -> None:
    reference = reference_of(THEN)
    same, moved = shift_of(reference, drawn(10)), shift_of(reference, drawn(11.5))
    assert same.psi < same.noise < 0.1
    assert moved.psi > 0.25
    assert moved.moved > 0.25
    assert moved.median is not None
    assert moved.median_before is not None
    assert moved.median > moved.median_before


def test_chance_exceeds_the_noise_about_once_in_a_thousand() -> None:
    random = np.random.default_rng(1)
    beyond = 0
    for _ in range(1500):
        shift = shift_of(reference_of(random.normal(size=400)), random.normal(size=400))
        beyond += shift.psi > shift.noise
    assert beyond <= 8


def test_unknown_values_are_a_bin_of_their_own() -> None:
    now = THEN.copy()
    now[:400] = np.nan
    shift = shift_of(reference_of(THEN), now)
    assert (shift.unknown_before, shift.unknown) == (0.0, 0.4)
    assert shift.psi > 0.25
    gone = shift_of(reference_of(THEN), np.full(1000, np.nan))
    assert gone.median is None
    assert gone.moved == pytest.approx(1.0)


@pytest.mark.parametrize(
    "values", [np.zeros(50), np.full(50, np.nan), np.array([0.0, 1.0] * 25), np.zeros(0)]
)
def test_columns_of_few_values_are_described_and_equal_to_themselves(values: Floats) -> None:
    reference = reference_of(values)
    assert read_reference(reference.document()) == reference
    assert shift_of(reference, values).psi == pytest.approx(0.0)


def test_a_value_never_seen_before_moves_a_constant_column() -> None:
    shift = shift_of(reference_of(np.zeros(500)), np.r_[np.zeros(250), np.ones(250)])
    assert shift.moved == pytest.approx(0.5) or shift.psi > 0.25


def test_calibration_in_the_large_covers_one_when_probabilities_are_right() -> None:
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        chance = random.uniform(0.01, 0.2, 800)
        found = look_back(random.random(800) < chance, chance)
        covered += not found.is_off
    assert covered / 400 > 0.92


def test_calibration_tells_when_twice_as_many_left_and_when_nobody_did() -> None:
    chance = np.full(2000, 0.05)
    twice = look_back(np.arange(2000) % 10 == 0, chance)
    assert twice.observed == 200
    assert twice.expected == pytest.approx(100)
    assert twice.is_off
    nobody = look_back(np.zeros(2000, dtype=bool), chance)
    assert nobody.ratio.high == pytest.approx(0.03)
    assert nobody.is_off
    assert not look_back(np.zeros(20, dtype=bool), np.full(20, 0.05)).is_off


def test_log_loss_has_an_interval() -> None:
    found = log_loss(np.array([True, False, False, False]), np.array([0.25] * 4))
    assert found.value == pytest.approx(-(math.log(0.25) + 3 * math.log(0.75)) / 4)
    assert found.low < found.value < found.high


def test_a_reference_is_plain_data() -> None:
    assert isinstance(reference_of(THEN), Reference)
    assert set(reference_of(THEN).document()) == {"edges", "shares", "rows", "median"}
