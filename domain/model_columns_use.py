"""Columns about the use of the product: how much, how regular, how broad, and for what price."""

import math

from domain.features import CustomerFeatures
from domain.model_column import Column, mrr, price, ratio
from domain.risk_factors import (
    Reader,
    has_baseline,
    long_ratio,
    say_breadth,
    say_dropped,
    say_long,
    say_month,
    say_silence,
    say_usage_drop,
    seat_share,
    stalled_days,
)
from domain.vocabulary import HealthComponent
from domain.wording import count, number, percent

USAGE, ADOPTION = HealthComponent.USAGE, HealthComponent.ADOPTION
FIRST_TREND_WEEKS = 4
"""Weeks of use under which a trend or a variation says nothing."""


def _trend(f: CustomerFeatures) -> float | None:
    """Return the slope of the logarithm of weekly use: -0.1 is about a tenth less from week to week."""
    weeks = f.usage.weeks
    if len(weeks) < FIRST_TREND_WEEKS:
        return None
    levels = [math.log1p(max(week, 0.0)) for week in weeks]
    middle, mean = (len(weeks) - 1) / 2, sum(levels) / len(levels)
    spread = sum((age - middle) ** 2 for age in range(len(weeks)))
    return -sum((age - middle) * (level - mean) for age, level in enumerate(levels)) / spread


def _variation(f: CustomerFeatures) -> float | None:
    weeks = f.usage.weeks
    mean = sum(weeks) / len(weeks) if weeks else 0.0
    if len(weeks) < FIRST_TREND_WEEKS or mean <= 0:
        return None
    return math.sqrt(sum((week - mean) ** 2 for week in weeks) / len(weeks)) / mean


def _quarter(f: CustomerFeatures) -> float:
    return sum(f.usage.weeks) / len(f.usage.weeks) if f.usage.weeks else 0.0


def _value(f: CustomerFeatures) -> float:
    return sum(use.value_91 for use in f.usage.by_feature.values())


def _silence_in_gaps(f: CustomerFeatures) -> float | None:
    return ratio(f.usage.days_since_last, f.usage.usual_gap_days)


def _has_use(read: Reader) -> Reader:
    """Read only where the customer ever used the product: before that, zero would be a guess."""
    return lambda f: read(f) if f.usage.first_on is not None else None


def _say_trend(f: CustomerFeatures) -> str:
    change = math.expm1(_trend(f) or 0.0)
    verb = "shrinks" if change < 0 else "grows"
    return f"use {verb} by about {percent(abs(change))} a week over a quarter"


def _say_value(f: CustomerFeatures) -> str:
    return f"what they reach with the product is worth {number(_value(f))} a quarter, at {price(f)} a month"


def _say_use_per_price(f: CustomerFeatures) -> str:
    return f"{count(f.usage.month, 'action')} a week for {price(f)} a month"


USAGE_COLUMNS = (
    Column("usage.week", USAGE, "usage", "actions", 0, _has_use(lambda f: f.usage.week), say_usage_drop),
    Column("usage.month", USAGE, "usage", "actions a week", 0, _has_use(lambda f: f.usage.month), say_month),
    Column("usage.quarter", USAGE, "usage", "actions a week", 0, _has_use(_quarter), say_month),
    Column(
        "usage.week_over_baseline",
        USAGE,
        "usage",
        "ratio",
        -1,
        lambda f: f.usage.week / f.usage.baseline if has_baseline(f) else None,
        say_usage_drop,
    ),
    Column(
        "usage.month_over_before",
        USAGE,
        "usage",
        "ratio",
        -1,
        lambda f: ratio(f.usage.month, f.usage.month_before),
        say_month,
    ),
    Column("usage.month_over_long_ago", USAGE, "usage", "ratio", -1, long_ratio, say_long),
    Column("usage.trend", USAGE, "usage", "log per week", -1, _trend, _say_trend),
    Column(
        "usage.variation",
        USAGE,
        "usage",
        "ratio",
        0,
        _variation,
        lambda f: f"weekly use varies by {percent(_variation(f) or 0)}",
    ),
    Column(
        "usage.active_days_7",
        USAGE,
        "usage",
        "days",
        0,
        _has_use(lambda f: f.usage.active_days_7),
        lambda f: f"in use on {count(f.usage.active_days_7, 'day')} of the last seven",
    ),
    Column(
        "usage.active_days_28",
        USAGE,
        "usage",
        "days",
        0,
        _has_use(lambda f: f.usage.active_days_28),
        lambda f: f"in use on {f.usage.active_days_28} of the last 28 days",
    ),
    Column(
        "usage.active_days_91",
        USAGE,
        "usage",
        "days",
        0,
        _has_use(lambda f: f.usage.active_days_91),
        lambda f: f"in use on {f.usage.active_days_91} of the last 91 days",
    ),
    Column("usage.silent_days", USAGE, "usage", "days", 1, lambda f: f.usage.days_since_last, say_silence),
    Column("usage.silence_in_gaps", USAGE, "usage", "usual gaps", 1, _silence_in_gaps, say_silence),
    Column(
        "usage.usual_gap",
        USAGE,
        "usage",
        "days",
        0,
        lambda f: f.usage.usual_gap_days,
        lambda f: f"usually in use every {number(f.usage.usual_gap_days or 0)} days",
    ),
    Column(
        "usage.users",
        USAGE,
        "usage",
        "people a day",
        0,
        lambda f: f.usage.users_28,
        lambda f: f"{number(f.usage.users_28 or 0)} people a day, {number(f.usage.users_before or 0)} before",
    ),
    Column(
        "usage.users_over_before",
        USAGE,
        "usage",
        "ratio",
        -1,
        lambda f: ratio(f.usage.users_28, f.usage.users_before),
        lambda f: f"{number(f.usage.users_28 or 0)} people a day, {number(f.usage.users_before or 0)} before",
    ),
    Column(
        "usage.per_price",
        USAGE,
        "usage",
        "actions a week per unit of MRR",
        0,
        _has_use(lambda f: ratio(f.usage.month, mrr(f))),
        _say_use_per_price,
    ),
    Column(
        "usage.value",
        USAGE,
        "usage",
        "units of value in 91 days",
        0,
        _has_use(_value),
        _say_value,
    ),
    Column(
        "usage.value_per_price",
        USAGE,
        "usage",
        "units of value in 91 days per unit of MRR",
        0,
        _has_use(lambda f: ratio(_value(f), mrr(f))),
        _say_value,
    ),
    Column(
        "usage.limit_share",
        USAGE,
        "usage",
        "share",
        0,
        lambda f: f.usage.limit_share,
        lambda f: (
            f"{percent(f.usage.limit_share or 0)} of the plan's {f.usage.limit_metric or 'limit'} in use"
        ),
    ),
)

ADOPTION_COLUMNS = (
    Column(
        "adoption.features_28",
        ADOPTION,
        "usage",
        "features",
        0,
        _has_use(lambda f: f.usage.features_28),
        say_breadth,
    ),
    Column(
        "adoption.features_91",
        ADOPTION,
        "usage",
        "features",
        0,
        _has_use(lambda f: len(f.usage.used_91)),
        lambda f: f"{count(len(f.usage.used_91), 'feature')} in use over a quarter",
    ),
    Column(
        "adoption.features_over_before",
        ADOPTION,
        "usage",
        "ratio",
        -1,
        lambda f: ratio(f.usage.features_28, f.usage.features_before),
        say_breadth,
    ),
    Column(
        "adoption.dropped",
        ADOPTION,
        "usage",
        "features",
        1,
        _has_use(lambda f: len(f.usage.dropped)),
        say_dropped,
    ),
    Column(
        "adoption.seat_use",
        ADOPTION,
        "usage",
        "share",
        0,
        seat_share,
        lambda f: f"{number(f.usage.users_peak_28 or 0)} of {count(f.commercial.seats or 0, 'seat')} in use",
    ),
    Column(
        "adoption.stalled_days",
        ADOPTION,
        "onboarding",
        "days",
        1,
        stalled_days,
        lambda f: f"not onboarded {count(f.tenure_days, 'day')} after the start",
    ),
)
