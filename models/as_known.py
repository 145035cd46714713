"""Where the SQL of features reads facts from: the tables as they stand, or as they were known at an instant.

As known at `as_of`, every change that became known later is taken back, the newest written first, so that
the oldest of them says what a column held (docs/decisions/0023-facts-as-they-were-known.md). Both ways need
a relation `wanted` with the ids of the customers; rows that were told later are left out by who reads.
"""

from collections.abc import Mapping

TABLES = (
    "tickets",
    "surveys",
    "contact_roles",
    "touchpoints",
    "meetings",
    "subscriptions",
    "cancellations",
    "invoices",
    "goals",
)
"""Those with a column `customer_id`."""

STORED: Mapping[str, str] = {
    "changed": "",
    "customers": "customers",
    "contacts": "contacts",
    **{table: table for table in TABLES},
}
"""The present: what is stored is known."""

CHANGED = """
changed AS MATERIALIZED (
    SELECT change.fact_table, change.fact_id,
           jsonb_object_agg(entry.key, entry.value ORDER BY change.id DESC) AS before
    FROM (
        SELECT * FROM fact_changes
        WHERE customer_id IN (SELECT id FROM wanted) AND known_at > :as_of
        UNION ALL
        SELECT * FROM fact_changes
        WHERE fact_id IN (SELECT contact_id FROM contact_roles WHERE customer_id IN (SELECT id FROM wanted))
          AND known_at > :as_of
    ) AS change CROSS JOIN LATERAL jsonb_each(change.before) AS entry
    GROUP BY change.fact_table, change.fact_id
),"""
"""Of a key that comes twice, jsonb_object_agg keeps the last: the value before the first of the changes."""

_SOURCE = """(
    SELECT known.* FROM {table} AS stored
    LEFT JOIN changed ON changed.fact_table = '{table}' AND changed.fact_id = stored.id
    CROSS JOIN LATERAL jsonb_populate_record(stored, changed.before) AS known
    WHERE {chosen})"""
_OF_CUSTOMERS = "stored.customer_id IN (SELECT id FROM wanted)"
_PEOPLE = """stored.id IN (
        SELECT contact_id FROM contact_roles WHERE customer_id IN (SELECT id FROM wanted))"""
_CUSTOMERS = """(
    SELECT known.*, jsonb_strip_nulls(stored.declared || COALESCE(changed.before, '{}')) AS declared_then
    FROM customers AS stored
    LEFT JOIN changed ON changed.fact_table = 'customers' AND changed.fact_id = stored.id
    CROSS JOIN LATERAL jsonb_populate_record(stored, changed.before - 'declared') AS known
    WHERE stored.id IN (SELECT id FROM wanted))"""

AS_KNOWN: Mapping[str, str] = {
    "changed": CHANGED,
    "customers": _CUSTOMERS,
    "contacts": _SOURCE.format(table="contacts", chosen=_PEOPLE),
    **{table: _SOURCE.format(table=table, chosen=_OF_CUSTOMERS) for table in TABLES},
}
"""The past: as known at `as_of`."""
