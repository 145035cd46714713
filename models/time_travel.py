"""The world as it was known at an instant, in temporary tables that stand before the real ones by name.

Within one transaction, whoever reads `tickets` reads the temporary table: the very code that reads the
present reads a past from which the future is deleted, and no row of the database is touched.
"""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.fact_merge import RULES
from domain.time import BusinessInstant
from models.customer_standing import refresh_customers
from models.database import Database
from models.facts_entities import TABLES
from models.tables.base import Base
from models.tables.customers import ContactRoleRow, ContactRow, CustomerRow
from models.usage_rollups import recompute_usage

FACTS: tuple[type[Base], ...] = (CustomerRow, ContactRow, ContactRoleRow, *TABLES.values())
REBUILT = ("usage_daily", "usage_contact_daily", "usage_windows", "field_points")
"""What follows from the facts: it begins empty, and the code that keeps it writes it anew."""
UNDONE: Mapping[str, Mapping[str, str]] = {
    "subscriptions": {
        "status": "CASE WHEN was.status = 'canceled' AND {ended_at} THEN 'active' ELSE was.status END"
    },
    "invoices": {
        "status": "CASE WHEN was.status = 'paid' AND {paid_at} THEN 'open' ELSE was.status END",
        "amount_paid_minor": (
            "CASE WHEN was.status = 'paid' AND {paid_at} THEN 0 ELSE was.amount_paid_minor END"
        ),
    },
}
"""What says the same as a filled column, and is no sooner known (`{column}`: it is not known yet)."""

_SHADOW = "CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table} INCLUDING DEFAULTS) ON COMMIT DROP"
_EMPTY = "CREATE TEMPORARY TABLE {table} (LIKE {schema}.{table} INCLUDING ALL) ON COMMIT DROP"
_LATER = """
CREATE TEMPORARY TABLE later_changes ON COMMIT DROP AS
SELECT fact_table, fact_id, jsonb_object_agg(key, value) AS before FROM (
    SELECT DISTINCT ON (fact_table, fact_id, key) fact_table, fact_id, key, value
    FROM fact_changes CROSS JOIN LATERAL jsonb_each(before) WHERE known_at > CAST('{as_of}' AS timestamptz)
      AND (customer_id = ANY(CAST('{ids}' AS uuid[])) OR fact_id = ANY(CAST('{people}' AS uuid[])))
    ORDER BY fact_table, fact_id, key, id
) AS earliest GROUP BY fact_table, fact_id
"""
"""For each value that moved later: what it was before the first of those moves."""
_FILL = """
INSERT INTO pg_temp.{table} ({columns})
SELECT {values} FROM {schema}.{table} AS stored
LEFT JOIN later_changes AS later ON later.fact_table = '{table}' AND later.fact_id = stored.id
CROSS JOIN LATERAL jsonb_populate_record(stored, later.before - 'declared') AS was
WHERE {chosen}
"""
_MINE = "stored.customer_id = ANY(CAST(:ids AS uuid[]))"
_KNOWN = "stored.known_at <= :as_of"
_EVENTS = """
INSERT INTO pg_temp.usage_events SELECT stored.* FROM {schema}.usage_events AS stored
WHERE stored.customer_id = ANY(CAST(:ids AS uuid[])) AND stored.known_at <= :as_of
  AND stored.occurred_at <= :as_of
"""
_NAMELESS = """
UPDATE pg_temp.usage_events SET contact_id = NULL
WHERE contact_id IS NOT NULL AND contact_id NOT IN (SELECT id FROM pg_temp.contacts)
"""
_LIMITS = "INSERT INTO pg_temp.plan_limits SELECT * FROM {schema}.plan_limits WHERE known_at <= :as_of"
_PEOPLE = "SELECT DISTINCT contact_id FROM contact_roles WHERE customer_id = ANY(CAST(:ids AS uuid[]))"
_KNOWN_IDS = """
SELECT id FROM customers WHERE id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of ORDER BY id
"""
_INDEX = "CREATE INDEX ON pg_temp.usage_events (customer_id, occurred_at)"
_ALL_OF = (
    "INSERT INTO pg_temp.{table} SELECT * FROM {schema}.{table} WHERE customer_id = ANY(CAST(:ids AS uuid[]))"
)
_PLANT_TICKETS = """
INSERT INTO pg_temp.tickets (id, source_id, external_id, content_hash, customer_id, known_at, received_at,
                             priority, opened_at, escalated)
SELECT gen_random_uuid(), 'planted', 'planted', '', id, :known_at, :known_at, 'urgent', :occurred_at, true
FROM unnest(CAST(:ids AS uuid[])) AS planted(id)
"""
_PLANT_USAGE = """
INSERT INTO pg_temp.usage_events (received_at, source_id, message_id, customer_id, feature, quantity,
                                  occurred_at, known_at)
SELECT :known_at, 'planted', CAST(id AS text), id, 'planted', 1, :occurred_at, :known_at
FROM unnest(CAST(:ids AS uuid[])) AS planted(id)
"""


@asynccontextmanager
async def one_look(database: Database) -> AsyncIterator[AsyncSession]:
    """Yield a session that sees one state of the database, and whose statements are planned each time.

    A prepared statement keeps reading the table that it was prepared for, whatever stands before it since.
    """
    async with database.transaction() as session:
        connection = await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        driver: AsyncConnection[Any] | None = (await connection.get_raw_connection()).driver_connection
        assert driver is not None  # noqa: S101 - a session inside a transaction has a connection
        threshold, driver.prepare_threshold = driver.prepare_threshold, None
        try:
            yield session
        finally:
            driver.prepare_threshold = threshold


async def known_by(
    session: AsyncSession, ids: Collection[uuid.UUID], as_of: BusinessInstant
) -> list[uuid.UUID]:
    """Return those of some customers whom we knew at an instant, in order of id."""
    values = {"ids": list(ids), "as_of": as_of}
    return list((await session.scalars(text(_KNOWN_IDS), values)).all())


async def delete_future(session: AsyncSession, ids: Collection[uuid.UUID], as_of: BusinessInstant) -> None:
    """Let this transaction see some customers as if nothing had become known after an instant.

    What is derived of the facts is derived again, by the code that keeps it. Call it once, in `one_look`.
    """
    world = _World(session, await _schema(session), {"ids": list(ids), "as_of": as_of})
    await world.take_changes_back()
    for row in FACTS:
        await world.fill(row.__tablename__, row)
    await world.fill_usage()
    for table in REBUILT:
        await world.make(_EMPTY, table)
    await recompute_usage(session, ids, as_of.date())
    await refresh_customers(session, ids, as_of)


async def plant_future(session: AsyncSession, ids: Collection[uuid.UUID], as_of: BusinessInstant) -> None:
    """Add to all that is stored a ticket and a use per customer of the day before, known the day after."""
    world = _World(session, await _schema(session), {"ids": list(ids), "as_of": as_of})
    for table in ("tickets", "usage_events"):
        await world.make(_SHADOW, table)
        await world.run(_ALL_OF, table)
    day = dt.timedelta(days=1)
    planted = {"ids": list(ids), "known_at": as_of + day, "occurred_at": as_of - day}
    await session.execute(text(_PLANT_TICKETS), planted)
    await session.execute(text(_PLANT_USAGE), planted)
    await session.execute(text(_INDEX))


async def _schema(session: AsyncSession) -> str:
    return str(await session.scalar(text("SELECT quote_ident(current_schema())")))


class _World:
    """The temporary tables of one transaction."""

    def __init__(self, session: AsyncSession, schema: str, values: dict[str, Any]) -> None:
        self.session, self.schema, self.values = session, schema, values

    async def make(self, statement: str, table: str) -> None:
        """Make a table before the real one."""
        await self.session.execute(text(statement.format(table=table, schema=self.schema)))

    async def run(self, statement: str, table: str = "") -> None:
        """Fill one of them."""
        await self.session.execute(text(statement.format(table=table, schema=self.schema)), self.values)

    async def take_changes_back(self) -> None:
        """Find what every fact that moved later was before, and forget that it moved."""
        people = (await self.session.scalars(text(_PEOPLE), self.values)).all()
        self.values["people"] = list(people)
        words = {"as_of": self.values["as_of"].isoformat(), "ids": _listed(self.values["ids"])}
        later = _LATER.format(**words, people=_listed(people)).replace(":", r"\:")
        await self.session.execute(text(later))
        await self.make(_SHADOW, "fact_changes")

    async def fill(self, table: str, row: type[Base]) -> None:
        """Copy what was known of one kind of fact."""
        columns = list(inspect(row).columns.keys())
        values = ", ".join(_value(table, name) for name in columns)
        await self.make(_SHADOW, table)
        words = {"columns": ", ".join(columns), "values": values, "chosen": _chosen(table)}
        filled = _FILL.format(**words, table=table, schema=self.schema)
        await self.session.execute(text(filled), self.values)

    async def fill_usage(self) -> None:
        """Copy the single uses that were known, with the people who were, and the limits of plans."""
        for table, statement in (("usage_events", _EVENTS), ("plan_limits", _LIMITS)):
            await self.make(_SHADOW, table)
            await self.run(statement)
        await self.run(_NAMELESS)
        await self.run(_INDEX)


def _listed(ids: Collection[uuid.UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def _chosen(table: str) -> str:
    if table == "customers":
        return "stored.id = ANY(CAST(:ids AS uuid[]))"
    if table == "contacts":
        return f"stored.id = ANY(CAST(:people AS uuid[])) AND {_KNOWN}"
    return _MINE if table == "contact_roles" else f"{_MINE} AND {_KNOWN}"


def _value(table: str, name: str) -> str:
    """Return what a column held, by the rules of domain.fact_merge: what was filled later is empty."""
    if table == "customers" and name == "declared":
        return "jsonb_strip_nulls(stored.declared || COALESCE(later.before, CAST('{}' AS jsonb)))"
    kind = next((kind for kind, row in TABLES.items() if row.__tablename__ == table), None)
    known = RULES[kind].known if kind else {}
    unknown = {filled: f"COALESCE(was.{at}, was.known_at) > :as_of" for filled, at in known.items()}
    if name in UNDONE.get(table, {}):
        masked = {filled: f"(was.{filled} IS NOT NULL AND {later})" for filled, later in unknown.items()}
        return UNDONE[table][name].format(**masked)
    by_column = unknown | {at: unknown[filled] for filled, at in known.items()}
    return (
        f"CASE WHEN {by_column[name]} THEN NULL ELSE was.{name} END" if name in by_column else f"was.{name}"
    )
