"""The benchmarks of workflows: a small run of each works, and a whole year stays within its budget."""

from collections.abc import Callable

import pytest

from settings import load_settings
from workers.bench.cost import CostOptions, bench_cost, check_mix
from workers.bench.cost_table import table
from workers.bench.lifecycle import LifecycleOptions, bench_lifecycle

MOST_ACTIONS = 75


@pytest.mark.e2e
def test_three_weeks_of_one_customer_are_counted_beside_the_naive_design() -> None:
    options = CostOptions(customers=1, days=21, day_seconds=0.6, naive_customers=1)
    report = bench_cost(load_settings(), options, print)
    document = report.document()
    figures, limits = document["figures"], document["limits"]
    assert figures["runs"] == {"four-touches": 1}
    assert set(figures["parts"]) == {"lifecycle", "interventions"}
    assert limits["naive_actions_per_customer_year"] == pytest.approx(730, rel=0.05)
    assert figures["actions_per_customer_year"] > 0
    lines = list(table(report))
    assert any(line.startswith("ACTIVITY_TASK_SCHEDULED") for line in lines)


@pytest.mark.e2e
def test_a_few_customers_start_hear_step_and_wake_again() -> None:
    options = LifecycleOptions(customers=4, warm_up=2, old=1)
    document = bench_lifecycle(load_settings(), options, print).document()
    figures, limits = document["figures"], document["limits"]
    assert min(figures[name] for name in ("starts_per_second", "notices_per_second", "steps_per_second")) > 0
    assert min(limits.values()) > 0
    assert figures["cold_wake_ms"] > 0
    assert figures["cold_wake_events"] > 0


@pytest.mark.proof
def test_a_customers_reference_year_stays_within_its_actions(
    record_property: Callable[[str, object], None],
) -> None:
    document = bench_cost(load_settings(), CostOptions(), print).document()
    record_property("cost", document)
    check_mix(document)
    assert document["figures"]["actions_per_customer_year"] <= MOST_ACTIONS
