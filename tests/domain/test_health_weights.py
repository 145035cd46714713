import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInputError
from domain.health import assess_health, overall
from domain.health_preview import (
    Scored,
    in_hundredths,
    mark_of,
    preview_weights,
    quarter_of,
    read_weights,
    weights_document,
)
from domain.scoring_policy import HealthPolicy
from domain.vocabulary import HealthComponent, HealthStatus, Segment
from tests.support.features import customer, week

POLICY = HealthPolicy()
USAGE, SUPPORT = HealthComponent.USAGE, HealthComponent.SUPPORT


def scored(usage: int | None, support: int | None, arr: int = 100) -> Scored:
    scores = dict.fromkeys(HealthComponent) | {USAGE: usage, SUPPORT: support}
    return Scored(uuid.uuid4(), "Acme", Segment.SMALL, arr, "USD", scores)


@given(st.floats(0, 200), st.integers(0, 4))
def test_health_is_the_same_from_stored_component_scores_as_from_facts(used: float, overdue: int) -> None:
    verdict = assess_health(customer(usage=week(used), support={"overdue": overdue}), POLICY)
    stored = {name: part.document()["score"] for name, part in verdict.components.items()}
    assert overall(stored, POLICY.weights[Segment.MID_MARKET]) == verdict.score


def test_a_preview_counts_who_would_change_and_lists_them_by_revenue() -> None:
    wanted = {
        segment: {name: 1.0 if name is SUPPORT else 0.0 for name in HealthComponent} for segment in Segment
    }
    people = [scored(90, 20), scored(90, 20, arr=900), scored(90, 90), scored(None, None)]
    seen = preview_weights(people, POLICY, wanted)
    assert seen.customers == 4
    assert [move.customer.arr_minor for move in seen.moves] == [900, 100]
    assert {move.new_status for move in seen.moves} == {HealthStatus.AT_RISK}
    assert seen.worse == 2
    assert seen.after[HealthStatus.AT_RISK] == 2
    assert sum(seen.before.values()) == sum(seen.after.values()) == 4


def test_the_mark_changes_with_either_side() -> None:
    other = read_weights(weights_document(POLICY.weights) | {"small": {"usage": 1.0}})
    assert mark_of(POLICY.weights, other) != mark_of(POLICY.weights, POLICY.weights)
    assert mark_of(POLICY.weights, other) != mark_of(other, POLICY.weights)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"usage": -1.0}, "from 0 to 100"),
        ({"usage": float("nan")}, "from 0 to 100"),
        ({"usge": 1.0}, "no component 'usge'"),
        ({"usage": 0.0}, "at least one component"),
    ],
)
def test_weights_that_make_no_sense_are_refused_with_the_reason(cells: dict[str, float], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_weights(weights_document(POLICY.weights) | {"small": cells})


@given(st.lists(st.floats(0.01, 10), min_size=7, max_size=7))
def test_hundredths_add_up_to_one(values: list[float]) -> None:
    found = in_hundredths(dict(zip(HealthComponent, values, strict=True)))
    assert round(sum(found.values()), 9) == 1
    assert all(weight >= 0 for weight in found.values())


def test_quarters_have_names() -> None:
    assert [quarter_of(dt.date(2026, month, 1)) for month in (1, 3, 4, 12)] == [
        "2026-Q1", "2026-Q1", "2026-Q2", "2026-Q4",
    ]  # fmt: skip
