"""What follows from new usage, whichever way it came: events, daily sums, windows, last signs of life.

One statement, shared by facts (models/facts_usage.py) and tracked events (models/attribution.py). It reads
a relation `new` with the columns of usage_events and expects the parameter `today`. Everything is added
up, so that late facts and facts out of order come out the same; repeated ones must not be in `new`. Sums are
kept as decimals too: those of floating point depend on the order of adding in their last bits.
"""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from models.usage_windows import ADD_TO_WINDOWS, lock_for_usage, read_gauges, rebuild_windows

_DAY = "(occurred_at AT TIME ZONE 'UTC')::date"
_NO_GAUGE = "feature NOT IN (SELECT feature FROM metrics WHERE kind = 'gauge')"
_READING = "COALESCE(value, quantity)"
_DAILY_SUMS = f"""
    SELECT new.customer_id, {_DAY} AS day, new.feature, count(*) AS events,
           CAST(sum(CAST(quantity AS numeric)) AS double precision) AS quantity, max(users) AS users,
           CAST(sum(CAST(value AS numeric)) AS double precision) AS value,
           sum(CAST(quantity AS numeric)) AS exact_quantity, sum(CAST(value AS numeric)) AS exact_value,
           (array_agg({_READING} ORDER BY occurred_at DESC, {_READING} DESC)
               FILTER (WHERE gauge.feature IS NOT NULL))[1] AS last_value,
           max(occurred_at) FILTER (WHERE gauge.feature IS NOT NULL) AS last_at,
           max({_READING}) FILTER (WHERE gauge.feature IS NOT NULL) AS most
    FROM {{new}} AS new LEFT JOIN metrics AS gauge ON gauge.feature = new.feature AND gauge.kind = 'gauge'
    GROUP BY 1, 2, 3
"""  # noqa: S608 - constants only
_CONTACT_SUMS = f"""
    SELECT contact_id, customer_id, {_DAY} AS day, feature, count(*) AS events, sum(quantity) AS quantity
    FROM {{new}} AS new WHERE contact_id IS NOT NULL GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - constants only
_DAILY_COLUMNS = (
    "customer_id, day, feature, events, quantity, users, value, exact_quantity, exact_value, "
    "last_value, last_at, most"
)
EXACT = {
    part: f"COALESCE({{table}}.exact_{part}, CAST({{table}}.{part} AS numeric))"
    for part in ("quantity", "value")
}
"""A day's sum as a decimal, also of a day that was added up before decimals were kept."""
_QUANTITY = f"{EXACT['quantity'].format(table='told')} + excluded.exact_quantity"
_VALUE = f"""
    CASE WHEN told.value IS NULL THEN excluded.exact_value
         ELSE {EXACT["value"].format(table="told")} + COALESCE(excluded.exact_value, 0) END"""
_CONTACT_COLUMNS = "contact_id, customer_id, day, feature, events, quantity"

ADD_CONTACT_DAYS = f"""
    INSERT INTO usage_contact_daily AS old ({_CONTACT_COLUMNS})
    {_CONTACT_SUMS.format(new="new")} ORDER BY 1, 2, 3, 4
    ON CONFLICT (contact_id, customer_id, day, feature) DO UPDATE SET
        events = old.events + excluded.events, quantity = old.quantity + excluded.quantity
"""
SEE_CONTACTS = """
    UPDATE contacts SET last_active_at = latest.at
    FROM (SELECT contact_id, max(occurred_at) AS at
          FROM new WHERE contact_id IS NOT NULL GROUP BY 1 ORDER BY 1) AS latest
    WHERE contacts.id = latest.contact_id
      AND (contacts.last_active_at IS NULL OR contacts.last_active_at < latest.at)
"""

ADD_USAGE = f"""
events AS (
    INSERT INTO usage_events (received_at, source_id, message_id, customer_id, contact_id, feature,
                              quantity, users, value, occurred_at, known_at, properties)
    SELECT received_at, source_id, message_id, customer_id, contact_id, feature,
           quantity, users, value, occurred_at, known_at, properties
    FROM new
), sums AS MATERIALIZED ({_DAILY_SUMS.format(new="new")}), daily AS (
    INSERT INTO usage_daily AS told ({_DAILY_COLUMNS})
    SELECT {_DAILY_COLUMNS} FROM sums ORDER BY 1, 2, 3
    ON CONFLICT (customer_id, day, feature) DO UPDATE SET
        events = told.events + excluded.events,
        quantity = CAST({_QUANTITY} AS double precision),
        exact_quantity = {_QUANTITY},
        users = greatest(told.users, excluded.users),
        value = CAST({_VALUE} AS double precision),
        exact_value = {_VALUE},
        last_value = CASE WHEN (excluded.last_at, excluded.last_value) <= (told.last_at, told.last_value)
                          THEN told.last_value ELSE coalesce(excluded.last_value, told.last_value) END,
        last_at = greatest(told.last_at, excluded.last_at),
        most = greatest(told.most, excluded.most)
), {ADD_TO_WINDOWS}, contact_days AS ({ADD_CONTACT_DAYS}), customers_seen AS (
    UPDATE customers SET last_usage_on = latest.day
    FROM (SELECT customer_id, max(day) AS day FROM sums WHERE {_NO_GAUGE} GROUP BY 1) AS latest
    WHERE customers.id = latest.customer_id
      AND (customers.last_usage_on IS NULL OR customers.last_usage_on < latest.day)
), contacts_seen AS ({SEE_CONTACTS})
"""  # noqa: S608 - constants only
"""Common table expressions after `WITH new AS …`."""

COUNT_PEOPLE = """
UPDATE usage_daily AS old SET users = people.users
FROM (
    SELECT DISTINCT customer_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, feature FROM {relation}
    WHERE contact_id IS NOT NULL AND customer_id IS NOT NULL
) AS touched CROSS JOIN LATERAL (
    SELECT count(*) AS users FROM usage_contact_daily AS one WHERE one.customer_id = touched.customer_id
        AND one.day = touched.day AND one.feature = touched.feature OFFSET 0
) AS people
WHERE old.customer_id = touched.customer_id AND old.day = touched.day AND old.feature = touched.feature
  AND (old.users IS NULL OR old.users < people.users)
"""
"""The people seen on a day are at least those whom we can name."""

_FORGET = (
    "DELETE FROM usage_contact_daily WHERE customer_id = ANY(CAST(:ids AS uuid[]))",
    "DELETE FROM usage_daily WHERE customer_id = ANY(CAST(:ids AS uuid[]))",
)
_MINE = "(SELECT * FROM usage_events WHERE customer_id = ANY(CAST(:ids AS uuid[])))"
_REDO = (
    f"INSERT INTO usage_daily ({_DAILY_COLUMNS}) {_DAILY_SUMS.format(new=_MINE)}",
    f"INSERT INTO usage_contact_daily ({_CONTACT_COLUMNS}) {_CONTACT_SUMS.format(new=_MINE)}",
    COUNT_PEOPLE.format(relation=_MINE + " AS mine"),
    f"""UPDATE customers SET last_usage_on = (
            SELECT max(day) FROM usage_daily WHERE customer_id = customers.id AND {_NO_GAUGE})
        WHERE id = ANY(CAST(:ids AS uuid[]))""",  # noqa: S608 - constants only
)


async def add_usage(session: AsyncSession, new: str, today: dt.date, **values: object) -> None:
    """Store the rows of a query with the columns of usage_events, none of them stored before."""
    statement = f"WITH new AS MATERIALIZED ({new}), {ADD_USAGE} SELECT 1"
    await session.execute(text(statement), {"today": today} | values)


async def recompute_usage(session: AsyncSession, ids: Collection[uuid.UUID], today: dt.date) -> None:
    """Rebuild days, people and windows of some customers from their events, as after events were taken out.

    Events whose partition was dropped by retention are gone for good: the days made of them go with this.
    """
    await lock_for_usage(session, ids)
    for statement in (*_FORGET, *_REDO):
        await session.execute(text(statement), {"ids": list(ids)})
    await rebuild_windows(session, ids, today)


async def finish_usage(
    session: AsyncSession, ids: Collection[uuid.UUID], relation: str, *, names_people: bool
) -> None:
    """Do what can only follow the statement: readings of gauges, and how many people were seen."""
    if names_people:
        await session.execute(text(COUNT_PEOPLE.format(relation=relation)))
    await read_gauges(session, ids)
