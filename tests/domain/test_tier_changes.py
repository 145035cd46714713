import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.nights import due_at, next_night
from domain.risk import tier_of
from domain.scoring_policy import RiskPolicy
from domain.tier_changes import ActedTier, next_acted
from domain.time import BusinessInstant
from domain.vocabulary import RiskTier

POLICY = RiskPolicy()
START = BusinessInstant(dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.UTC))


def live_through(scores: list[int], tier: RiskTier) -> list[RiskTier]:
    """Score once a day and return the acted tier of each day."""
    acted, found = ActedTier(tier, BusinessInstant(START - dt.timedelta(days=30))), []
    for day, score in enumerate(scores):
        recent = ([scores[0]] * POLICY.dwell_days + scores[:day])[-POLICY.dwell_days :]
        acted = next_acted(acted, score, recent, POLICY, BusinessInstant(START + dt.timedelta(days=day)))
        found.append(acted.tier)
    return found


def test_the_first_score_is_taken_as_it_is() -> None:
    assert next_acted(None, 60, (), POLICY, START) == ActedTier(RiskTier.HIGH, START)


def test_flicker_at_a_floor_changes_nothing() -> None:
    assert set(live_through([49, 50, 51] * 7, RiskTier.MEDIUM)) == {RiskTier.MEDIUM}
    assert set(live_through([51, 50, 49] * 7, RiskTier.HIGH)) == {RiskTier.HIGH}


def test_a_clear_rise_is_acted_on_at_once_over_several_tiers() -> None:
    assert live_through([10, 80], RiskTier.LOW) == [RiskTier.LOW, RiskTier.CRITICAL]


def test_a_rise_to_the_edge_is_acted_on_when_it_lasts() -> None:
    assert live_through([40, 50, 50, 50, 50], RiskTier.MEDIUM)[-1] is RiskTier.HIGH


def test_relief_is_acted_on_only_when_it_lasts() -> None:
    found = live_through([60, 10, 10, 10, 10, 10], RiskTier.HIGH)
    assert found[:3] == [RiskTier.HIGH] * 3
    assert found[-1] is RiskTier.LOW


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40), st.sampled_from(RiskTier))
def test_a_steady_score_is_always_reached(scores: list[int], tier: RiskTier) -> None:
    steady = scores + [scores[-1]] * (2 * POLICY.dwell_days + 1)
    assert live_through(steady, tier)[-1] is tier_of(scores[-1])


@pytest.mark.parametrize(
    ("now", "scored", "due", "next_due"),
    [
        ("2026-06-15T02:00", "2026-06-14", "2026-06-15", "2026-06-16"),
        ("2026-06-15T01:59", "2026-06-14", None, "2026-06-15"),
        ("2026-06-15T23:00", "2026-06-15", None, "2026-06-16"),
        ("2026-07-20T12:00", "2026-06-15", "2026-07-20", "2026-07-21"),
        ("2026-06-15T01:00", None, "2026-06-14", "2026-06-15"),
        ("2024-12-31T12:00", "2026-06-15", "2024-12-31", "2025-01-01"),
        ("2026-03-29T02:30", "2026-03-28", "2026-03-29", "2026-03-30"),
    ],
)
def test_a_night_is_due_at_two_utc_whatever_clocks_people_change(
    now: str, scored: str | None, due: str | None, next_due: str
) -> None:
    instant = BusinessInstant(dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))
    night = next_night(instant, dt.date.fromisoformat(scored) if scored else None)
    assert night.due_date == (dt.date.fromisoformat(due) if due else None)
    assert night.next_due == due_at(dt.date.fromisoformat(next_due))
    assert night.next_due > instant
