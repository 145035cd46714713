"""What is derived of customers (status, renewal, segment, touch tier), from facts as known at an instant."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commercial import Departure, Term
from domain.time import BusinessInstant
from models.as_known import AS_KNOWN
from models.customer_standing import derive, load_rules

Row = dict[str, Any]
READ = ("status", "segment", "touch_tier", "renewal_on", "currency", "started_at")
"""What features read of it."""

_WANTED = "WITH wanted AS MATERIALIZED (SELECT unnest(CAST(:ids AS uuid[])) AS id), "
_CUSTOMERS = f"""
{_WANTED} {AS_KNOWN["changed"].removesuffix(",")}
SELECT id, declared_then AS declared, known_at, told_at, plan, employees, touch_tier_override,
       NULL AS csm_id, NULL AS sales_owner_id
FROM {AS_KNOWN["customers"]} AS customers
"""  # noqa: S608 - constants only
_TERMS = f"""
{_WANTED} {AS_KNOWN["changed"].removesuffix(",")}
SELECT customer_id, started_at, CASE WHEN is_told THEN ended_at END AS ended_at,
       CASE WHEN is_told THEN ended_known_at END AS ended_known_at, mrr_minor, currency, is_trial,
       billing_months, status = 'canceled' AND (ended_at IS NULL OR is_told) AS canceled
FROM (
    SELECT *, COALESCE(ended_known_at, known_at) <= :as_of AS is_told
    FROM {AS_KNOWN["subscriptions"]} AS subscriptions WHERE known_at <= :as_of
) AS subscriptions ORDER BY customer_id, started_at, id
"""  # noqa: S608 - constants only
_DEPARTURES = """
SELECT customer_id, occurred_at, known_at, reason, reactivated FROM cancellations
WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of ORDER BY customer_id, occurred_at, id
"""


async def standings_as_known(
    session: AsyncSession, ids: Sequence[uuid.UUID], as_of: BusinessInstant
) -> dict[uuid.UUID, Row]:
    """Return by customer what the refresh of that instant would have written."""
    values = {"ids": list(ids), "as_of": as_of}
    rules = await load_rules(session)
    terms: dict[uuid.UUID, list[Term]] = defaultdict(list)
    for customer_id, *term in (await session.execute(text(_TERMS), values)).all():
        terms[customer_id].append(Term(*term))
    departures: dict[uuid.UUID, list[Departure]] = defaultdict(list)
    for customer_id, *departure in (await session.execute(text(_DEPARTURES), values)).all():
        departures[customer_id].append(Departure(*departure))
    found: dict[uuid.UUID, Row] = {}
    for row in (await session.execute(text(_CUSTOMERS), values)).mappings():
        customer_id = row["id"]
        new = derive(dict(row), terms[customer_id], departures[customer_id], rules, as_of)
        found[customer_id] = {name: new[name] for name in READ}
    return found
