import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from api.web import sentences
from api.web.words import Say, compact, money, percent, plural, relative_days, words, zone_of
from domain.time import business
from domain.vocabulary import HealthStatus

NOW = business(dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC))
BERLIN = Say(NOW, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("minor", "currency", "said"),
    [
        (12_000_000, "USD", "$120,000"),
        (12_049, "EUR", "€120"),
        (5_000, "JPY", "¥5,000"),
        (120_000, "CHF", "CHF\N{NO-BREAK SPACE}1,200"),
        (-120_000, "GBP", "-£1,200"),
    ],
)
def test_money_is_said_in_whole_units_with_its_currency(minor: int, currency: str, said: str) -> None:
    assert money(minor, currency) == said


@pytest.mark.parametrize(
    ("minor", "said"), [(421_000_000, "$4.21M"), (54_540_000, "$545K"), (99_00, "$99"), (1_250_000, "$12.5K")]
)
def test_large_amounts_are_said_in_three_digits(minor: int, said: str) -> None:
    assert compact(minor, "USD") == said


def test_codes_are_said_as_words() -> None:
    assert words(HealthStatus.NEEDS_ATTENTION) == "Needs attention"
    assert words("qbr_missed") == "QBR missed"
    assert words(None) == "none"


def test_shares_and_counts_have_their_units() -> None:
    assert (percent(0.143), percent(0.009)) == ("14%", "0.9%")
    assert (plural(1, "run"), plural(1200, "run")) == ("1 run", "1,200 runs")


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (-1, "yesterday"),
        (5, "in 5 days"),
        (-13, "13 days ago"),
        (21, "in 3 weeks"),
        (-92, "3 months ago"),
        (800, "in 2 years"),
    ],
)
def test_distances_are_said_as_people_say_them(days: int, said: str) -> None:
    assert relative_days(days) == said


def test_days_are_those_of_the_reader() -> None:
    assert BERLIN.today == dt.date(2026, 11, 21)
    assert Say(NOW, ZoneInfo("UTC")).today == dt.date(2026, 11, 20)
    assert BERLIN.moment(NOW) == "21 Nov, 00:30"
    assert BERLIN.relative(business(NOW - dt.timedelta(hours=2))) == "2 hours ago"
    assert BERLIN.relative(business(NOW + dt.timedelta(days=2))) == "in 2 days"
    assert BERLIN.day(dt.date(2025, 3, 1)) == "1 Mar 2025"


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert zone_of("Mars/Olympus").key == "UTC"


def test_codes_of_runs_are_said_in_words() -> None:
    assert sentences.reason("tier:critical") == "Churn risk is critical"
    assert sentences.reason("signal:usage_drop") == "Usage drop"
    assert sentences.reason("renewal:2026-12-01") == "Renewal on 1 Dec 2026"
    assert sentences.cause({"family": "usage", "points": 12.0}) == "Usage: +12.0 points of risk"
    assert sentences.cause({"signal": "qbr_missed"}) == "Signal: QBR missed"
    assert sentences.span("5d") == "5 days"
    assert sentences.because("tier:high") == "churn risk is high"
    assert sentences.step_reason("timeout") == "Time is up"
    assert sentences.step_reason("task_done") == "Task done"
    assert sentences.because("quiet_hours") == "quiet hours"
    assert sentences.because("signal:qbr_missed") == "QBR missed"


def test_an_instant_of_the_ledger_is_told_on_the_readers_clock() -> None:
    told = BERLIN.told("Put off until 08 September 2026 23:13 UTC: it is a day off.")
    assert told == "Put off until 9 Sep, 01:13: it is a day off."
    assert BERLIN.told("Until 99 Never 2026 10:00 UTC") == "Until 99 Never 2026 10:00 UTC"


def test_a_receipt_names_each_cancelled_thing_once() -> None:
    receipt = {"cancelled_tasks": ["Call"], "cancelled_sends": ["mail"], "cancelled_steps": ["mail", "wait"]}
    assert sentences.cancelled(receipt) == ["Task “Call”", "E-mail of step mail", "Step wait"]
    assert sentences.cancelled(None) == []
