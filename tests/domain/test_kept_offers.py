"""How an offer of a run ends, case by case."""

import datetime as dt

import pytest

from domain.case_vocabulary import OfferState
from domain.kept_offers import Making, end_of_granted, end_of_proposed, is_promised, making_of
from domain.time import after, business, wall
from domain.vocabulary import EffectState, Outcome

NOW = business(dt.datetime(2026, 11, 17, 10, tzinfo=dt.UTC))
WALL = wall(NOW)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("told", "days_left", "end"),
    [
        ("used", -1, OfferState.REDEEMED),  # used is used, whatever else is true
        ("broken", -1, OfferState.EXPIRED),  # its provider has ended it: nothing is to be taken back
        ("promised", 0, OfferState.EXPIRED),
        ("broken", 1, OfferState.WITHDRAWN),
        ("broken", None, OfferState.WITHDRAWN),
        ("promised", 1, None),
        ("promised", None, None),
    ],
)
def test_one_that_was_made(told: str, days_left: int | None, end: OfferState | None) -> None:
    expires = None if days_left is None else after(NOW, days_left * DAY)
    found = end_of_granted(
        is_redeemed=told == "used", expires_at=expires, is_promised=told == "promised", now=NOW
    )
    assert found is end


@pytest.mark.parametrize(
    ("effect", "lease", "making"),
    [
        (EffectState.FAILED, None, Making.NOT_MADE),
        (EffectState.CLAIMED, None, Making.NOT_MADE),  # given back
        (EffectState.CLAIMED, WALL + DAY, Making.UNDER_WAY),
        (EffectState.CLAIMED, WALL, Making.UNKNOWN),
        (EffectState.SENT, None, Making.UNKNOWN),
        (EffectState.CONFIRMED, None, Making.UNKNOWN),
        (EffectState.UNCERTAIN, None, Making.UNKNOWN),
    ],
)
def test_one_that_is_recorded_as_proposed(
    effect: EffectState, lease: dt.datetime | None, making: Making
) -> None:
    assert making_of(effect, None if lease is None else wall(lease), WALL) is making


def test_what_was_not_made_ends_with_its_run() -> None:
    assert end_of_proposed(has_ended=False, is_agreed=True) is None
    assert end_of_proposed(has_ended=True, is_agreed=True) is OfferState.WITHDRAWN
    assert end_of_proposed(has_ended=True, is_agreed=False) is OfferState.EXPIRED


def test_only_a_run_that_ended_badly_breaks_its_promise() -> None:
    assert is_promised(has_ended=False, outcome=None)
    assert is_promised(has_ended=True, outcome=Outcome.SAVED)
    assert not is_promised(has_ended=True, outcome=Outcome.CHURNED)
    assert not is_promised(has_ended=True, outcome=None)
