import pytest

from domain.impact import Verdict
from domain.win_back_effect import LEAST_PER_ARM, WinBackArm, compare


def test_few_cases_give_shares_and_no_verdict() -> None:
    found = compare(WinBackArm(200, 40), WinBackArm(LEAST_PER_ARM - 3, 0))
    assert (found.verdict, found.difference, found.missing) == (Verdict.NOT_ENOUGH, None, (0, 3))
    assert found.treated.share == pytest.approx(0.2)
    assert WinBackArm(0, 0).share is None


def test_the_interval_is_newcombes() -> None:
    """Newcombe 1998, table II: 56/70 against 48/80 is 0.2, from 0.0524 to 0.3339."""
    found = compare(WinBackArm(70, 56), WinBackArm(80, 48))
    assert found.difference is not None
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.low == pytest.approx(0.0524, abs=1e-4)
    assert found.difference.high == pytest.approx(0.3339, abs=1e-4)
    assert found.verdict is Verdict.WORKS


def test_a_difference_on_both_sides_of_nothing_is_none_and_one_below_does_harm() -> None:
    assert compare(WinBackArm(100, 12), WinBackArm(100, 10)).verdict is Verdict.NO_DIFFERENCE
    assert compare(WinBackArm(200, 5), WinBackArm(200, 60)).verdict is Verdict.HARMS
