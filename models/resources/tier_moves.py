"""Who moved between tiers: when, from where to where, why, and whether it was acted on."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, Uuid, bindparam, case, cast, column, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.tier_moves import MoveState, Rested, rested, why_moved
from domain.time import BusinessInstant
from domain.vocabulary import CustomerStatus, RiskTier, Segment
from models.resources.keyset import Order, Row, Slice, read_slice
from models.tables.customers import CustomerRow
from models.tables.people import UserRow

BEFORE_DAYS = 7
"""A score so much older is what a move is compared with, or else the oldest there is before it."""
FURTHEST_DAYS = 45


@dataclass(frozen=True)
class MoveFilter:
    """What a person chose to see; empty means everything."""

    since: BusinessInstant
    direction: str = ""
    """`worse` or `better`."""
    state: str = "acted"
    """`acted`, `held` (only the score moved), or empty for both."""
    segment: Segment | None = None
    owner: uuid.UUID | None = None
    customer: uuid.UUID | None = None


async def read_moves(session: AsyncSession, chosen: MoveFilter, cursor: str | None, limit: int) -> Slice:
    """Return moves with their reasons, the newest first."""
    moves = (
        text(_MOVES)
        .bindparams(
            bindparam("since", chosen.since, DateTime(timezone=True)),
            bindparam("customer", chosen.customer, Uuid()),
        )
        .columns(
            column("customer_id", Uuid()),
            column("at", DateTime(timezone=True)),
            column("tier_before", Text()),
            column("tier", Text()),
            column("state", Text()),
            column("scored_since", DateTime(timezone=True)),
            column("until", DateTime(timezone=True)),
        )
        .subquery("moves")
    )
    own = moves.c
    tie = cast(func.md5(func.concat(own.customer_id, own.state, own.tier)), Uuid())
    query = (
        select(*own, CustomerRow.name.label("customer"), CustomerRow.segment, UserRow.name.label("csm"))
        .add_columns(CustomerRow.arr_minor, CustomerRow.currency, CustomerRow.status, tie.label("id"))
        .join(CustomerRow, CustomerRow.id == own.customer_id)
        .outerjoin(UserRow, UserRow.id == CustomerRow.csm_id)
        .where(*_conditions(chosen, own))
    )
    found = await read_slice(session, query, Order("at", own.at, tie, descending=True), cursor, limit)
    reasons = await _rested(session, found.rows)
    return replace(found, rows=tuple(_told(row, *reasons[place]) for place, row in enumerate(found.rows)))


def _conditions(chosen: MoveFilter, own: Any) -> list[ColumnElement[bool]]:
    step = _rank(own.tier) - _rank(own.tier_before)
    found: list[ColumnElement[bool]] = []
    if chosen.direction:
        found.append(step > 0 if chosen.direction == "worse" else step < 0)
    if chosen.state:
        acted = own.state == MoveState.ACTED.value
        found.append(acted if chosen.state == "acted" else ~acted)
    if chosen.segment is not None:
        found.append(CustomerRow.segment == chosen.segment)
    if chosen.owner is not None:
        found.append(CustomerRow.csm_id == chosen.owner)
    return found


def _rank(tier: ColumnElement[Any]) -> ColumnElement[int]:
    return case(*((tier == each.value, each.rank) for each in RiskTier))


def _told(row: Row, before: Rested | None, after: Rested | None) -> Row:
    tier, was = RiskTier(row["tier"]), RiskTier(row["tier_before"])
    is_worse, state = tier.rank > was.rank, MoveState(row["state"])
    if state is MoveState.WAITING and row["status"] is CustomerStatus.CHURNED:
        state = MoveState.LEFT
    told = {"tier": tier, "tier_before": was, "state": state, "is_worse": is_worse}
    return {**row, **told, "why": why_moved(before, after, is_worse=is_worse)}


async def _rested(
    session: AsyncSession, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[Rested | None, Rested | None]]:
    """Return what the score rested on before each move and on its day."""
    if not rows:
        return []
    days: list[dt.date] = [row["at"].astimezone(dt.UTC).date() for row in rows]
    values = {"ids": [row["customer_id"] for row in rows], "days": days}
    bounds = {"least": BEFORE_DAYS, "most": FURTHEST_DAYS}
    found = (await session.execute(text(_SCORES), {**values, **bounds})).all()
    return [(_read(*one[:2]), _read(*one[2:])) for one in found]


def _read(version: str | None, drivers: Sequence[Mapping[str, object]] | None) -> Rested | None:
    return None if version is None else rested(version, drivers or ())


_MOVES = """
SELECT point.customer_id, point.since AS at, before.value AS tier_before, point.value AS tier,
       'acted' AS state,
       (SELECT max(since) FROM field_points AS scored
        WHERE scored.customer_id = point.customer_id AND scored.field = 'churn_risk_tier'
          AND scored.since <= point.since AND scored.value = point.value) AS scored_since,
       CAST(NULL AS timestamptz) AS until
FROM field_points AS point
JOIN LATERAL (SELECT value FROM field_points AS earlier
              WHERE earlier.customer_id = point.customer_id AND earlier.field = 'tier'
                AND earlier.since < point.since
              ORDER BY since DESC LIMIT 1) AS before ON before.value <> point.value
WHERE point.field = 'tier' AND point.since >= :since
  AND (CAST(:customer AS uuid) IS NULL OR point.customer_id = :customer)
UNION ALL
SELECT point.customer_id, point.since, acted.value, point.value,
       CASE WHEN next.since IS NULL THEN 'waiting' ELSE 'passed' END, point.since, next.since
FROM field_points AS point
JOIN LATERAL (SELECT value FROM field_points AS acted
              WHERE acted.customer_id = point.customer_id AND acted.field = 'tier'
                AND acted.since <= point.since
              ORDER BY since DESC LIMIT 1) AS acted ON acted.value <> point.value
LEFT JOIN LATERAL (SELECT since FROM field_points AS later
                   WHERE later.customer_id = point.customer_id AND later.field = 'churn_risk_tier'
                     AND later.since > point.since
                   ORDER BY since LIMIT 1) AS next ON true
WHERE point.field = 'churn_risk_tier' AND point.since >= :since
  AND (CAST(:customer AS uuid) IS NULL OR point.customer_id = :customer)
  AND NOT EXISTS (SELECT FROM field_points AS followed
                  WHERE followed.customer_id = point.customer_id AND followed.field = 'tier'
                    AND followed.since > point.since AND followed.value = point.value
                    AND followed.since < COALESCE(next.since, 'infinity'))
"""
"""What was acted on, and what only the score said: the tier acted on stayed another while that held."""
_SCORES = """
SELECT before.model_version, before.drivers, after.model_version, after.drivers
FROM unnest(CAST(:ids AS uuid[]), CAST(:days AS date[])) WITH ORDINALITY AS move(customer_id, day, place)
LEFT JOIN LATERAL (SELECT model_version, drivers FROM scores
                   WHERE customer_id = move.customer_id AND as_of < move.day AND as_of >= move.day - :most
                   ORDER BY as_of <= move.day - :least DESC,
                            CASE WHEN as_of <= move.day - :least THEN as_of END DESC, as_of
                   LIMIT 1) AS before ON true
LEFT JOIN LATERAL (SELECT model_version, drivers FROM scores
                   WHERE customer_id = move.customer_id AND as_of <= move.day AND as_of >= move.day - :most
                   ORDER BY as_of DESC LIMIT 1) AS after ON true
ORDER BY move.place
"""
