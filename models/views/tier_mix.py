"""How many customers, and how much revenue, each tier held over time, from when each of them changed."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.time import BusinessInstant, start_of_day
from domain.vocabulary import RiskTier

RANGES: Mapping[int, int] = {30: 1, 90: 1, 365: 7}
"""Days that can be looked back at, and of how many of them one is shown."""
ACTED, SCORED = "tier", "churn_risk_tier"
"""The tier that is acted on, and what each score alone would give: fields of which points are kept."""


@dataclass(frozen=True)
class MixDay:
    """One day's end: customers by tier, and their monthly revenue in minor units by currency and tier."""

    date: dt.date
    customers: Mapping[RiskTier, int]
    mrr_minor: Mapping[str, Mapping[RiskTier, int]]


@dataclass(frozen=True)
class TierMix:
    """The days of a range, oldest first; the last one is today as far as it has gone."""

    days: tuple[MixDay, ...]

    @property
    def currencies(self) -> list[str]:
        """Currencies in use, the one with the largest revenue over the range first."""
        totals: dict[str, int] = defaultdict(int)
        for day in self.days:
            for currency, tiers in day.mrr_minor.items():
                totals[currency] += sum(tiers.values())
        return sorted(
            (name for name, total in totals.items() if total), key=lambda name: (-totals[name], name)
        )


def range_of(days: int | None, otherwise: int) -> int:
    """Return a range that there is, or another one where nobody knows it."""
    return days if days is not None and days in RANGES else otherwise


def shown_dates(days: int, today: dt.date) -> list[dt.date]:
    """Return the dates of a range that are shown, today last."""
    step = RANGES[days]
    return [today - dt.timedelta(days=back) for back in range(days // step * step, -1, -step)]


async def load_tier_mix(session: AsyncSession, days: int, field: str, now: BusinessInstant) -> TierMix:
    """Return the mix at the end of each date that is shown.

    Only changes are read, so a year costs as much as a month: each spell of a customer in a tier, and each
    term within it, adds to the date that it begins before, and takes away where it ends.
    """
    dates = shown_dates(days, now.date())
    ends = [start_of_day(date + dt.timedelta(days=1)) for date in dates[:-1]]
    instants = [*ends, BusinessInstant(now + dt.timedelta(microseconds=1))]
    values = {"field": field, "instants": instants}
    heads = (await session.execute(text(_CUSTOMERS), values)).all()
    money = (await session.execute(text(_REVENUE), values)).all()
    counted = _added_up([("", *row) for row in heads], len(dates))
    paid = _added_up(money, len(dates))
    currencies = sorted({key for key, _ in paid})
    return TierMix(
        tuple(
            MixDay(date, _at(counted, "", place), {one: _at(paid, one, place) for one in currencies})
            for place, date in enumerate(dates)
        )
    )


_Sums = Mapping[tuple[str, RiskTier], list[int]]


def _added_up(rows: Sequence[Any], length: int) -> _Sums:
    """Return running sums by key and tier from (key, tier, first place, place behind the last, amount)."""
    steps: dict[tuple[str, RiskTier], list[int]] = defaultdict(lambda: [0] * (length + 1))
    for key, tier, first, behind, amount in rows:
        steps[key, RiskTier(tier)][first] += int(amount)
        steps[key, RiskTier(tier)][behind] -= int(amount)
    return {key: _running(each[:length]) for key, each in steps.items()}


def _running(steps: Sequence[int]) -> list[int]:
    found, total = [], 0
    for step in steps:
        total += step
        found.append(total)
    return found


def _at(sums: _Sums, key: str, place: int) -> dict[RiskTier, int]:
    return {tier: sums[key, tier][place] if (key, tier) in sums else 0 for tier in RiskTier}


_SPELLS = """
WITH spells AS (
    SELECT customer_id, field, value,
           tstzrange(since, lead(since) OVER (PARTITION BY customer_id, field ORDER BY since)) AS during
    FROM field_points WHERE field IN (:field, 'status')
), gone AS (
    SELECT customer_id, range_agg(during) AS during FROM spells
    WHERE field = 'status' AND value = 'churned' GROUP BY customer_id
), held AS (
    SELECT spells.customer_id, spells.value AS tier,
           unnest(tstzmultirange(spells.during) - COALESCE(gone.during, '{}'::tstzmultirange)) AS during
    FROM spells LEFT JOIN gone USING (customer_id)
    WHERE spells.field = :field AND spells.value IS NOT NULL
)
"""
"""Who was in which tier from when to when, while they were customers."""
_PLACES = """
    width_bucket(lower(during), CAST(:instants AS timestamptz[])) AS first,
    CASE WHEN upper_inf(during) THEN cardinality(CAST(:instants AS timestamptz[]))
         ELSE width_bucket(upper(during), CAST(:instants AS timestamptz[])) END AS behind
"""
_CUSTOMERS = f"""
{_SPELLS}
SELECT tier, first, behind, count(*) FROM (SELECT tier, {_PLACES} FROM held) AS placed
WHERE first < behind GROUP BY tier, first, behind
"""  # noqa: S608  constants only
_REVENUE = f"""
{_SPELLS}, terms AS (
    SELECT subscriptions.customer_id, subscriptions.currency, mrr_minor,
           tstzrange(subscriptions.started_at, ended_at) AS during
    FROM subscriptions JOIN customers ON customers.id = customer_id
    WHERE NOT is_trial
      AND (ended_at > subscriptions.started_at OR ended_at IS NULL AND subscriptions.status <> 'canceled')
      AND declared ->> 'arr_minor' IS NULL
    UNION ALL
    SELECT id, currency, CAST(declared ->> 'arr_minor' AS bigint) / 12, tstzrange(NULL, NULL)
    FROM customers WHERE declared ->> 'arr_minor' IS NOT NULL
), paid AS (
    SELECT currency, tier, mrr_minor, held.during * terms.during AS during
    FROM held JOIN terms ON terms.customer_id = held.customer_id AND held.during && terms.during
)
SELECT currency, tier, first, behind, sum(mrr_minor)
FROM (SELECT currency, tier, mrr_minor, {_PLACES} FROM paid) AS placed
WHERE first < behind GROUP BY currency, tier, first, behind
"""  # noqa: S608  constants only
