"""Figures of a replay, against what can be counted by hand."""

import datetime as dt

import pytest

from domain.backtest import Cut, Gone, Look, Replay, top
from domain.backtest_figures import calibration, document, false_alarms, mix, precision, ratio
from domain.backtest_leads import MARKS, leads
from tests.support.replays import ALARM, FIRST, SLOW_END, SLOW_FLAGGED, SUDDEN_END, WEEKS, replay

DAY = dt.timedelta(days=1)


def test_a_lead_runs_from_the_first_flag_that_was_never_taken_back_to_the_end() -> None:
    sudden, slow = leads(replay(), Cut.TIER)
    assert (slow.days, slow.is_open) == ((SLOW_END - SLOW_FLAGGED).days, False)
    assert slow.was == slow.held == dict.fromkeys(MARKS, True)
    assert (sudden.days, sudden.was) == (0, dict.fromkeys(MARKS, False))


def test_a_flag_that_was_taken_back_counts_on_its_day_and_not_as_held() -> None:
    days = [FIRST + 7 * place * DAY for place in range(20)]
    flickers = {place: [Look("a", 0.5, 10 if place == 12 else 90, 1, "EUR")] for place in range(20)}
    found = Replay(
        {day: flickers[place] for place, day in enumerate(days)},
        [Gone("a", days[-1] + DAY, "voluntary")],
        days[-1] + DAY,
    )
    (lead,) = leads(found, Cut.TIER)
    assert lead.days == (days[-1] + DAY - days[13]).days
    assert (lead.was[90], lead.held[90], lead.held[30]) == (True, False, True)


def test_who_was_no_customer_so_long_before_is_not_counted_as_missed() -> None:
    days = [FIRST + 7 * place * DAY for place in range(20)]
    late = {day: [Look("a", 0.5, 90, 1, "EUR")] if day > days[12] else [] for day in days}
    found = Replay(late, [Gone("a", days[-1], "voluntary")], days[-1])
    (lead,) = leads(found, Cut.TIER)
    assert lead.was == {30: True, 60: None, 90: None}


def test_how_somebody_left_is_told_by_use_two_months_before_the_end() -> None:
    found = replay()
    assert {one.customer: found.pace(one) for one in found.gone} == {"slow": "slow", "sudden": "sudden"}
    assert found.pace(Gone("nobody", SLOW_END, "voluntary")) == "unknown"


def test_precision_is_the_share_of_flagged_days_after_which_the_customer_left() -> None:
    found, said = replay(), precision(replay(), Cut.TIER, 90)
    flagged = [day for day in found.days if SLOW_FLAGGED <= day < SLOW_END]
    right = [day for day in flagged if day >= SLOW_END - 90 * DAY]
    assert (said["precision"]["hits"], said["precision"]["of"]) == (len(right), len(flagged) + len(ALARM))
    assert said["precision"]["low"] < said["precision"]["value"] <= said["precision"]["high"]
    assert said["lift"]["value"] == pytest.approx(said["precision"]["value"] / said["base_rate"]["value"])


def test_weeks_of_one_customer_are_not_independent_evidence() -> None:
    alone = ratio({str(place): (place % 2, 1) for place in range(100)})
    together = ratio({str(place): (10 * (place % 2), 10) for place in range(10)})
    assert alone.value == together.value == pytest.approx(0.5)
    assert together.spread > 3 * alone.spread
    assert ratio({}).document() == {"value": None, "low": None, "high": None, "hits": 0, "of": 0}


def test_capacity_takes_the_most_likely_and_says_how_many_of_them_left() -> None:
    looks = [Look(name, chance, 0, 0, "EUR") for name, chance in (("b", 0.2), ("a", 0.2), ("c", 0.9))]
    assert top(looks, 2) == ["c", "a"]
    found = replay(capacity=1)
    assert all(len(names) == 1 for names in found.flagged[Cut.CAPACITY].values())
    slow = [day for day, names in found.flagged[Cut.CAPACITY].items() if names == {"slow"}]
    assert slow[0] == SLOW_FLAGGED
    assert replay(capacity=None).room(40) == 4


def test_a_run_of_flags_after_which_nobody_leaves_is_a_false_alarm() -> None:
    said = false_alarms(replay(), Cut.TIER)
    assert (said["runs"], said["false"], said["median_days"]) == (2, 1, 7 * len(ALARM))


def test_nothing_is_judged_whose_outcome_is_not_known_yet() -> None:
    found = replay()
    assert found.matured(90)[-1] <= found.settled - 90 * DAY
    assert sum(month["looks"] for month in calibration(found)) == sum(
        len(found.looks[day]) for day in found.matured(90)
    )


def test_revenue_is_that_of_the_last_look_and_caught_when_flagged_a_month_before() -> None:
    (said,) = document(replay())["cuts"]["tier"]["lead"]["revenue"]
    assert (said["lost_mrr_minor"], said["caught_mrr_minor"], said["share"]) == (120_000, 90_000, 0.75)


def test_the_mix_adds_up_on_every_day() -> None:
    for day in mix(replay()):
        assert sum(day[tier] for tier in ("low", "medium", "high", "critical")) == pytest.approx(1)


def test_the_document_says_how_much_was_replayed_and_groups_departures() -> None:
    said = document(replay())
    assert (said["days"], said["departures"], said["customers"]) == (WEEKS, 2, 18)
    groups = said["cuts"]["tier"]["lead"]["by"]
    assert groups["pace"]["slow"]["flagged"]["90"] == {"share": 1.0, "of": 1}
    assert set(groups) == {"pace", "cause", "reason", "group"}
    assert groups["reason"]["not told"]["departures"] == 1
    assert sum(bar["departures"] for bar in said["cuts"]["tier"]["lead"]["histogram"]) == 2


def test_a_replay_of_nothing_has_no_figures_and_no_errors() -> None:
    said = document(Replay({}, (), SUDDEN_END))
    assert said["cuts"]["tier"]["precision"][0]["precision"]["value"] is None
    assert said["cuts"]["capacity"]["lead"]["quartiles"] == []
