"""Rolling 7, 28 and 90 days per customer and feature, moved by what arrives and by every day that passes.

Whoever writes usage of a customer holds that customer's row lock, and so does the roll: a window and the
daily sums that it is made of never change at once. The order within a writing transaction matters: first
`roll_windows` (to today, from the daily sums as they are), then the statement of models.usage_rollups,
which adds what is new to daily sums and windows alike.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.usage_windows import LONGEST, SPANS

_PARTS = ("events", "value", "days")
NAMES = tuple(f"{part}_{span}" for span in SPANS for part in _PARTS)
_COLUMNS = ", ".join(NAMES)
_DAY_SUMS = {"events": "sum(daily.events)", "value": "sum(daily.quantity)", "days": "count(daily.day)"}
_NEW_SUMS = {"events": "sum(events)", "value": "sum(quantity)", "days": "count(*) FILTER (WHERE is_new)"}


def _listed(form: str) -> str:
    """Return the form once for each of the nine columns, with its name put in."""
    return ", ".join(form.format(name=name) for name in NAMES)


def _filtered(sums: dict[str, str], condition: str) -> str:
    """Return the nine sums, each over the rows for which the condition holds with its span."""
    found = []
    for name in NAMES:
        part, span = name.split("_")
        inside = condition.format(span=span)
        expression = sums[part]
        if "FILTER" in expression:
            expression = expression.replace("WHERE ", f"WHERE {inside} AND ")
        else:
            expression = f"{expression} FILTER (WHERE {inside})"
        found.append(f"COALESCE({expression}, 0) AS {name}")
    return ",\n           ".join(found)


ADD_TO_WINDOWS = f"""
moved AS (
    SELECT sums.customer_id, sums.feature, sums.day, sums.events, sums.quantity, before.day IS NULL AS is_new,
           COALESCE(kept.as_of, :today) AS as_of, kept.as_of IS NULL AS is_first
    FROM sums
    LEFT JOIN LATERAL (SELECT day FROM usage_daily WHERE customer_id = sums.customer_id
                       AND day = sums.day AND feature = sums.feature OFFSET 0) AS before ON true
    LEFT JOIN LATERAL (SELECT as_of FROM usage_windows WHERE customer_id = sums.customer_id
                       AND feature = sums.feature OFFSET 0) AS kept ON true
), deltas AS (
    SELECT customer_id, feature, as_of, is_first,
           {_filtered(_NEW_SUMS, "day > as_of - {span} AND day <= as_of")}
    FROM moved GROUP BY 1, 2, 3, 4 HAVING bool_or(day > as_of - {LONGEST})
), windows AS (
    INSERT INTO usage_windows AS old (customer_id, feature, as_of, {_COLUMNS})
    SELECT deltas.customer_id, deltas.feature, deltas.as_of,
           {_listed("deltas.{name} + based.{name}")}
    FROM deltas CROSS JOIN LATERAL (
        SELECT {_filtered(_DAY_SUMS, "daily.day > deltas.as_of - {span}")}
        FROM usage_daily AS daily
        WHERE deltas.is_first AND daily.customer_id = deltas.customer_id
          AND daily.day > deltas.as_of - {LONGEST} AND daily.day <= deltas.as_of
          AND daily.feature = deltas.feature
        OFFSET 0) AS based
    ORDER BY 1, 2
    ON CONFLICT (customer_id, feature) DO UPDATE SET {_listed("{name} = old.{name} + excluded.{name}")}
)
"""  # noqa: S608 - names of columns only
"""Adds what is new (`sums`) to the windows; a pair without a row gets its whole windows. The tables are
read as they were before this statement. Looking each row up (LATERAL … OFFSET 0) is what keeps Postgres,
which knows nothing of the size of a common table expression, from comparing everything with everything."""

_ROLL = f"""
WITH stale AS MATERIALIZED (
    SELECT customer_id, feature, as_of FROM usage_windows
    WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND as_of < :today
), days AS MATERIALIZED (
    SELECT DISTINCT stale.as_of, day::date AS day
    FROM (SELECT DISTINCT as_of FROM stale) AS stale
    CROSS JOIN (VALUES {", ".join(f"({span})" for span in (0, *SPANS))}) AS spans(span)
    CROSS JOIN LATERAL generate_series(stale.as_of - span + 1, CAST(:today AS date) - span, '1 day') AS day
), changes AS (
    SELECT stale.customer_id, stale.feature,
           {_filtered(_DAY_SUMS, "daily.day > stale.as_of AND daily.day > :today - {span}")},
           {
    _filtered(
        _DAY_SUMS,
        "daily.day <= stale.as_of AND daily.day > stale.as_of - {span} AND daily.day <= :today - {span}",
    )
    .replace(" AS events_", " AS gone_events_")
    .replace(" AS value_", " AS gone_value_")
    .replace(" AS days_", " AS gone_days_")
}
    FROM stale LEFT JOIN days ON days.as_of = stale.as_of
    LEFT JOIN LATERAL (
        SELECT day, events, quantity FROM usage_daily WHERE customer_id = stale.customer_id
            AND day = days.day AND feature = stale.feature OFFSET 0) AS daily ON true
    GROUP BY 1, 2
)
UPDATE usage_windows AS old
SET as_of = :today, {_listed("{name} = old.{name} + changes.{name} - changes.gone_{name}")}
FROM changes WHERE old.customer_id = changes.customer_id AND old.feature = changes.feature
"""  # noqa: S608 - names of columns only

_TIDY = """
DELETE FROM usage_windows AS old
WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND events_90 = 0 AND last_value IS NULL
  AND NOT EXISTS (SELECT 1 FROM usage_daily WHERE customer_id = old.customer_id
                  AND feature = old.feature AND day > old.as_of)
"""
_REBUILD = f"""
INSERT INTO usage_windows (customer_id, feature, as_of, {_COLUMNS})
SELECT daily.customer_id, daily.feature, CAST(:today AS date),
       {_filtered(_DAY_SUMS, "daily.day > :today - {span} AND daily.day <= :today")}
FROM usage_daily AS daily
WHERE daily.customer_id = ANY(CAST(:ids AS uuid[])) AND daily.day > :today - {LONGEST}
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - names of columns only
_HIGHEST = ", ".join(
    f"COALESCE(max(daily.most) FILTER (WHERE daily.day > kept.as_of - {span}), 0) AS value_{span}"
    for span in SPANS
)
_READ_GAUGES = f"""
UPDATE usage_windows AS old
SET {", ".join(f"value_{span} = gauges.value_{span}" for span in SPANS)}, last_value = gauges.last_value
FROM (
    SELECT kept.customer_id, kept.feature, {_HIGHEST},
           (SELECT last_value FROM usage_daily AS newest
            WHERE newest.customer_id = kept.customer_id AND newest.feature = kept.feature
              AND newest.day <= kept.as_of AND newest.last_value IS NOT NULL
            ORDER BY newest.day DESC LIMIT 1) AS last_value
    FROM usage_windows AS kept JOIN metrics ON metrics.feature = kept.feature AND metrics.kind = 'gauge'
    LEFT JOIN usage_daily AS daily ON daily.customer_id = kept.customer_id AND daily.feature = kept.feature
        AND daily.day > kept.as_of - {LONGEST} AND daily.day <= kept.as_of
    WHERE kept.customer_id = ANY(CAST(:ids AS uuid[]))
    GROUP BY kept.customer_id, kept.feature, kept.as_of
) AS gauges
WHERE old.customer_id = gauges.customer_id AND old.feature = gauges.feature
"""  # noqa: S608 - names of columns only
_GAUGES = "SELECT EXISTS (SELECT 1 FROM metrics WHERE kind = 'gauge')"
_LOCK = """
SELECT id FROM customers WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
"""
_STALE = """
SELECT DISTINCT customer_id FROM usage_windows WHERE as_of < :today ORDER BY customer_id LIMIT :most
"""
_ASTRAY = """
SELECT COALESCE(max(as_of) > :today, EXISTS (SELECT 1 FROM usage_daily)) FROM usage_windows
"""
_USERS_OF = """
SELECT id FROM customers WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :most
"""


async def lock_for_usage(session: AsyncSession, ids: Collection[uuid.UUID]) -> None:
    """Lock customers before their usage is written, in the order in which everybody locks them."""
    await session.execute(text(_LOCK), {"ids": list(ids)})


async def roll_windows(session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date) -> None:
    """Move windows that end earlier on to `today`: what left is taken off, what was ahead is added."""
    values = {"ids": list(ids), "today": today}
    moved = await session.execute(text(_ROLL + " RETURNING 1"), values)
    if moved.first() is not None:
        await read_gauges(session, ids)
        await session.execute(text(_TIDY), {"ids": list(ids)})


async def read_gauges(session: AsyncSession, ids: Collection[uuid.UUID]) -> None:
    """Set the windows of gauges from their days: a highest value cannot be taken off."""
    if await session.scalar(text(_GAUGES)):
        await session.execute(text(_READ_GAUGES), {"ids": list(ids)})


async def rebuild_windows(session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date) -> None:
    """Add up the windows of some customers from scratch."""
    statement = text("DELETE FROM usage_windows WHERE customer_id = ANY(CAST(:ids AS uuid[]))")
    await session.execute(statement, {"ids": list(ids)})
    await session.execute(text(_REBUILD), {"ids": list(ids), "today": today})
    await read_gauges(session, ids)


async def stale_customers(session: AsyncSession, today: dt.date, most: int) -> list[uuid.UUID]:
    """Return some customers whose windows end before today."""
    return list(await session.scalars(text(_STALE), {"today": today, "most": most}))


async def are_astray(session: AsyncSession, today: dt.date) -> bool:
    """Tell whether windows end after today, or are missing altogether: the clock was set to another time."""
    return bool(await session.scalar(text(_ASTRAY), {"today": today}))


async def customers_after(session: AsyncSession, after: uuid.UUID, most: int) -> list[uuid.UUID]:
    """Return the next customers in order of id."""
    return list(await session.scalars(text(_USERS_OF), {"after": after, "most": most}))
