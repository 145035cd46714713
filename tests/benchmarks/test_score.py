"""The benchmark of scoring: a small night works; a large one, as a proof, is quick and costs what it must."""

from collections.abc import Callable

import pytest

from settings import load_settings
from workers.bench.score import ScoreOptions, bench_score

MOST_SECONDS, MOST_MB = 120, 2048
LINEAR = 1.3
"""A customer of a portfolio thirty times as large costs at most so many times as much."""


@pytest.mark.e2e
def test_a_small_night_is_scored_by_the_model_through_its_own_workflow() -> None:
    options = ScoreOptions(customers=300, workers=1, asked=5)
    document = bench_score(load_settings(), options, print).document()
    figures, limits = document["figures"], document["limits"]
    assert figures["found"]["scored"] == figures["stored"]["scores"] == figures["stored"]["customers"] == 300
    assert figures["stored"]["by_the_model"] == 300
    assert figures["stored"]["drivers_each"] > 0
    assert figures["peak_rss_mb"] > 0
    assert 0 < figures["on_demand_p50_ms"] <= figures["on_demand_p99_ms"]
    assert [one["customers"] for one in figures["growth"]] == [300]
    assert min(limits.values()) > 0
    assert document["ratios"]["of_floor"] > 0


@pytest.mark.proof
def test_a_night_over_100000_customers_is_quick_and_grows_with_their_number(
    record_property: Callable[[str, object], None],
) -> None:
    options = ScoreOptions(sizes=(10_000, 300_000))
    document = bench_score(load_settings(), options, print).document()
    record_property("score", document)
    figures = document["figures"]
    assert figures["wall_seconds"] < MOST_SECONDS
    assert figures["peak_rss_mb"] < MOST_MB
    small, *_, large = [one["seconds_per_10000"] for one in figures["growth"]]
    assert large <= LINEAR * small
