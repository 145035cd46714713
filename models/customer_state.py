"""See one customer as the director sees it: all of it in one statement.

A decision that asks twenty small questions spends most of its time on asking, with the customer's row locked.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.billing import BILLING_PROVIDERS
from domain.candidates import RESOLVED_LATELY
from domain.customer_state import (
    CustomerState,
    Driver,
    EndedRun,
    OpenRun,
    OpenSignal,
    ResolvedSignal,
    RunRequest,
)
from domain.errors import NotFoundError
from domain.openings import customer_dates
from domain.time import BusinessInstant, after
from domain.unpaid import UnpaidInvoice
from domain.vocabulary import HealthComponent, HealthStatus, InterventionState
from models.lifecycles import StoredLifecycle, stored_lifecycle
from models.outbox import Notice
from models.pauses import Pause, rests
from models.playbooks import PlaybookShelf
from models.standing_orders import StandingOrders, load_standing_orders
from models.tables.customers import CustomerRow

_STATE: TypeAdapter[CustomerState] = TypeAdapter(CustomerState)
_SIGNALS: TypeAdapter[tuple[OpenSignal, ...]] = TypeAdapter(tuple[OpenSignal, ...])
_ENDED: TypeAdapter[tuple[EndedRun, ...]] = TypeAdapter(tuple[EndedRun, ...])
_RESOLVED: TypeAdapter[tuple[ResolvedSignal, ...]] = TypeAdapter(tuple[ResolvedSignal, ...])
_REQUESTS: TypeAdapter[tuple[RunRequest, ...]] = TypeAdapter(tuple[RunRequest, ...])
_UNPAID: TypeAdapter[tuple[UnpaidInvoice, ...]] = TypeAdapter(tuple[UnpaidInvoice, ...])
_PAUSES: TypeAdapter[list[Pause]] = TypeAdapter(list[Pause])
_NOTICES: TypeAdapter[list[Notice]] = TypeAdapter(list[Notice])

_CUSTOMER = text("""
SELECT customer.status, coalesce(customer.touch_tier_override, customer.touch_tier) AS touch_tier,
       customer.acted_tier AS tier, customer.health_status, customer.holdout, customer.do_not_contact,
       customer.renewal_on, customer.started_at, customer.last_touch_at, customer.watchlisted_at,
       customer.arr_minor, customer.currency, customer.churn_probability, customer.onboarded_at,
       customer.first_value_at, customer.notice_days, customer.segment,
       NOT EXISTS (SELECT FROM scores WHERE customer_id = :id AND scored_at < customer.acted_tier_at)
         AS tier_is_baseline,
       (SELECT drivers FROM scores WHERE customer_id = :id ORDER BY as_of DESC LIMIT 1) AS drivers,
       (SELECT json_agg(json_build_object(
          'id', id, 'kind', kind, 'severity', severity, 'title', title, 'opened_at', opened_at,
          'is_baseline', is_baseline, 'dedupe_key', dedupe_key) ORDER BY opened_at, id)
        FROM signals WHERE customer_id = :id AND state = 'open') AS signals,
       (SELECT json_agg(json_build_object(
          'id', id, 'playbook_key', playbook_key, 'version_id', version_id, 'reason', reason, 'state', state
          ) ORDER BY planned_at, id)
        FROM interventions WHERE customer_id = :id AND state <> 'ended') AS open_runs,
       (SELECT json_agg(newest) FROM (
          SELECT DISTINCT ON (playbook_key) playbook_key, ended_at, outcome, reason
          FROM interventions WHERE customer_id = :id AND state = 'ended' AND started_at IS NOT NULL
          ORDER BY playbook_key, ended_at DESC) AS newest) AS ended_runs,
       (SELECT array_agg(DISTINCT value) FROM field_points
        WHERE customer_id = :id AND field = 'health_status') AS statuses,
       (SELECT json_agg(json_build_object('id', id, 'kind', kind, 'resolved_at', resolved_at)
          ORDER BY resolved_at, id)
        FROM signals WHERE customer_id = :id AND state = 'resolved' AND resolved_at > :lately
          AND NOT is_baseline) AS resolved,
       (SELECT json_agg(json_build_object(
          'id', request.id, 'playbook_key', playbook_key, 'is_urgent', is_urgent,
          'by', coalesce(users.name, 'Another system')) ORDER BY asked_at, request.id)
        FROM run_requests AS request LEFT JOIN users ON users.id = request.by_id
        WHERE customer_id = :id AND request.state = 'open') AS requests,
       (SELECT json_agg(json_build_object('scope', scope, 'key', key, 'until', until)) FROM pauses
        WHERE ended_at IS NULL AND (until IS NULL OR until > :now)
          AND (scope IN ('everything', 'playbook') OR (scope = 'segment' AND key = customer.segment)
               OR (scope = 'customer' AND key = CAST(customer.id AS text)))) AS pauses,
       (SELECT count(*) FROM tasks WHERE assignee_id = customer.csm_id AND tasks.state IN ('open', 'snoozed'))
         AS owner_load,
       (SELECT array_agg(dedupe_key) FROM heads_ups WHERE customer_id = :id AND state <> 'closed')
         AS heads_up_keys,
       (SELECT json_agg(json_build_object(
          'id', id, 'customer_id', customer_id, 'kind', kind, 'payload', payload, 'occurred_at', occurred_at
          ) ORDER BY id)
        FROM outbox WHERE customer_id = :id AND consumed_at IS NULL) AS notices,
       (SELECT json_agg(json_build_object(
          'id', invoice.id, 'issued_at', issued_at, 'due_at', due_at, 'failed_attempts', failed_attempts,
          'remaining_minor', amount_due_minor - amount_paid_minor, 'currency', invoice.currency
          ) ORDER BY due_at, invoice.id)
        FROM invoices AS invoice
        JOIN sources AS source ON source.id = invoice.source_id
        JOIN connections AS connection
          ON connection.source_id = source.id AND connection.provider = ANY(:billing)
        WHERE invoice.customer_id = :id AND invoice.status = 'open' AND amount_due_minor > amount_paid_minor
          AND coalesce(invoice.told_at, invoice.known_at) >= source.connected_at
          AND NOT EXISTS (SELECT FROM dunnings WHERE invoice_id = invoice.id)) AS unpaid,
       lifecycle.state AS memory, lifecycle.decide_seq, lifecycle.last_result
FROM customers AS customer
LEFT JOIN lifecycles AS lifecycle ON lifecycle.customer_id = customer.id
WHERE customer.id = :id
""")
STATE_COLUMNS = (
    "status",
    "touch_tier",
    "tier",
    "health_status",
    "holdout",
    "do_not_contact",
    "renewal_on",
    "started_at",
    "last_touch_at",
    "watchlisted_at",
    "arr_minor",
    "currency",
    "tier_is_baseline",
    "churn_probability",
    "owner_load",
    "segment",
)


@dataclass(frozen=True)
class Sight:
    """One customer, what nobody has heard of it yet, and what the last decision left behind."""

    state: CustomerState
    unheard: list[Notice]
    lifecycle: StoredLifecycle


async def lock_customer(session: AsyncSession, customer_id: uuid.UUID) -> None:
    """Hold the customer's row until the transaction ends: decisions and sends come one at a time."""
    query = select(CustomerRow.id).where(CustomerRow.id == customer_id).with_for_update(key_share=True)
    if await session.scalar(query) is None:
        raise NotFoundError(what="customer", key=customer_id)


async def load_customer_state(
    session: AsyncSession, customer_id: uuid.UUID, shelf: PlaybookShelf, now: BusinessInstant
) -> CustomerState:
    """Return one customer as the director sees it. The caller holds the row's lock."""
    orders = await load_standing_orders(session, shelf)
    return (await see_customer(session, customer_id, shelf, orders, now)).state


async def see_customer(
    session: AsyncSession,
    customer_id: uuid.UUID,
    shelf: PlaybookShelf,
    orders: StandingOrders,
    now: BusinessInstant,
) -> Sight:
    """Return everything that a decision asks of one customer.

    The caller holds the row's lock, taken by a statement of its own: what this one reads is as new as the
    lock.
    """
    values = {
        "id": customer_id,
        "now": now,
        "lately": after(now, -RESOLVED_LATELY),
        "billing": sorted(BILLING_PROVIDERS),
    }
    row = (await session.execute(_CUSTOMER, values)).mappings().one()
    heard_since = orders.heard_since
    seen = {name: row[name] for name in STATE_COLUMNS} | {
        "customer_id": customer_id,
        "is_observed": heard_since is not None,
        "heard_since": heard_since,
        "drivers": _drivers(row["drivers"] or ()),
        "signals": _SIGNALS.validate_python(row["signals"] or ()),
        "open_runs": tuple([await _open_run(session, one, shelf) for one in row["open_runs"] or ()]),
        "ended_runs": _ENDED.validate_python(row["ended_runs"] or ()),
        "heads_up_keys": frozenset(row["heads_up_keys"] or ()),
        "health_was_better": _was_better(row["health_status"], row["statuses"] or ()),
        "dates": customer_dates(
            row["renewal_on"],
            row["notice_days"],
            row["started_at"],
            row["onboarded_at"],
            row["first_value_at"],
        ),
        "resolved": _RESOLVED.validate_python(row["resolved"] or ()),
        "requests": _REQUESTS.validate_python(row["requests"] or ()),
        "unpaid": _UNPAID.validate_python(row["unpaid"] or ()),
        "resting": _resting(_PAUSES.validate_python(row["pauses"] or []), orders),
    }
    return Sight(
        _STATE.validate_python(seen),
        _NOTICES.validate_python(row["notices"] or ()),
        stored_lifecycle(row["memory"], row["decide_seq"], row["last_result"]),
    )


def _was_better(status: str | None, before: Sequence[str | None]) -> bool:
    """Tell whether health has had a better status than now."""
    order = [one.value for one in HealthStatus]
    return status is not None and any(order.index(one) < order.index(status) for one in before if one)


def _resting(pauses: list[Pause], orders: StandingOrders) -> dict[str, BusinessInstant | None]:
    """Return the playbooks that rest for this customer, and until when."""
    keys = [known.document.key for known in orders.playbooks]
    told = {key: rests(pauses, key) for key in keys} if pauses else {}
    return {key: until for key, (does_rest, until) in told.items() if does_rest}


def _drivers(found: Sequence[dict[str, Any]]) -> tuple[Driver, ...]:
    """Return what speaks against the customer, heaviest first."""
    drivers = [Driver(HealthComponent(one["family"]), one["sentence"], one["points"]) for one in found]
    harmful = [driver for driver in drivers if driver.points > 0]
    return tuple(sorted(harmful, key=lambda driver: -driver.points))


async def _open_run(session: AsyncSession, row: dict[str, Any], shelf: PlaybookShelf) -> OpenRun:
    document = await shelf.version(session, uuid.UUID(row["version_id"]))
    return OpenRun(
        uuid.UUID(row["id"]),
        row["playbook_key"],
        document.motion,
        document.priority,
        row["reason"],
        InterventionState(row["state"]),
    )
