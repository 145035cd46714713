"""Keeps what lists read of a customer in step with the facts: status, ARR, renewal, segment, tier, owner.

`store_facts` calls it for the customers that it touched. Time alone changes some of it too (a term ends, a
renewal passes), so the nightly scoring calls it for everyone.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.commercial import Declared, Departure, Standing, Term, standing
from domain.holdout import is_in_holdout
from domain.time import BusinessInstant, WallInstant, business
from domain.touch_tier import DEFAULT_POLICY, POLICY_KEY, TouchTierPolicy
from domain.vocabulary import CustomerStatus, NoticeKind
from models.arrays import among_ids
from models.field_points import note_points
from models.installation import load_installation
from models.outbox import Notice
from models.tables.customers import CustomerRow
from models.tables.facts import CancellationRow, SubscriptionRow
from models.tables.people import UserRow
from models.tables.system import PolicyRow
from models.win_back_returns import end_returned

Values = dict[str, Any]
OUTPUTS = (
    "status",
    "arr_minor",
    "currency",
    "renewal_on",
    "churned_at",
    "churn_known_at",
    "cancellation_reason",
    "segment",
    "touch_tier",
    "started_at",
    "csm_id",
    "sales_owner_id",
    "holdout",
)
ANNOUNCED = ("status", "renewal_on", "touch_tier", "csm_id")


class Rules:
    """What the derivation of every customer of one call shares."""

    def __init__(self, policy: TouchTierPolicy, users: dict[str, uuid.UUID], salt: str, share: float) -> None:
        self.policy, self.users, self.salt, self.share = policy, users, salt, share


async def refresh_customers(
    session: AsyncSession,
    ids: Collection[uuid.UUID] | None,
    now: BusinessInstant,
    wall: WallInstant | None = None,
) -> list[tuple[Notice, BusinessInstant]]:
    """Recompute the derived columns of some customers (None: of all) as of `now`.

    Returns what changed as notices, each with the instant at which the cause was known; whether they are
    put is the caller's business, since history triggers nothing. The win-back of who is back ends here;
    without `wall`, where the past is only looked at, nothing does.
    """
    rows = await _customers(session, ids)
    terms, departures = await _terms(session, ids), await _departures(session, ids)
    rules = await load_rules(session)
    changed: list[Values] = []
    notices: list[tuple[Notice, BusinessInstant]] = []
    back: list[uuid.UUID] = []
    for row in rows:
        new = derive(row, terms.get(row["id"], ()), departures.get(row["id"], ()), rules, now)
        different = {name: new[name] for name in OUTPUTS if new[name] != row[name]}
        if different:
            changed.append({"id": row["id"]} | different)
            notices += _notices(row, new, different, now)
        if "status" in different and row["status"] is CustomerStatus.CHURNED:
            back.append(row["id"])
    if changed:
        await session.execute(update(CustomerRow), changed)
        await note_points(session, [values["id"] for values in changed], now)
    if back and wall is not None:
        await end_returned(session, back, now, wall)
    return notices


def derive(
    row: Mapping[str, Any],
    terms: Sequence[Term],
    departures: Sequence[Departure],
    rules: Rules,
    now: BusinessInstant,
) -> Values:
    """Return the derived columns of one customer, from what it declares and the terms and departures known.

    `row`: id, declared, known_at, told_at, plan, employees, touch_tier_override, csm_id, sales_owner_id.
    """
    return _outputs(row, standing(_declared(row), terms, departures, now), terms, rules)


async def customers_of(session: AsyncSession, source_id: str) -> list[uuid.UUID]:
    """Return every customer of a source, in the order in which they are locked."""
    query = select(CustomerRow.id).where(CustomerRow.source_id == source_id).order_by(CustomerRow.id)
    return list((await session.scalars(query)).all())


async def _customers(session: AsyncSession, ids: Collection[uuid.UUID] | None) -> Sequence[Any]:
    columns = [getattr(CustomerRow, name) for name in OUTPUTS]
    row = CustomerRow
    query = select(row.id, row.declared, row.known_at, row.told_at, row.plan, row.employees, *columns)
    query = query.add_columns(row.touch_tier_override).order_by(row.id).with_for_update(key_share=True)
    if ids is not None:
        query = query.where(among_ids(row.id, ids))
    return (await session.execute(query)).mappings().all()


async def _terms(session: AsyncSession, ids: Collection[uuid.UUID] | None) -> dict[uuid.UUID, list[Term]]:
    row = SubscriptionRow
    query = select(
        row.customer_id,
        row.started_at,
        row.ended_at,
        row.ended_known_at,
        row.mrr_minor,
        row.currency,
        row.is_trial,
        row.billing_months,
        row.status == "canceled",
    )
    if ids is not None:
        query = query.where(among_ids(row.customer_id, ids))
    found: dict[uuid.UUID, list[Term]] = defaultdict(list)
    for customer_id, *term in (await session.execute(query)).all():
        found[customer_id].append(Term(*cast("Any", term)))
    return found


async def _departures(
    session: AsyncSession, ids: Collection[uuid.UUID] | None
) -> dict[uuid.UUID, list[Departure]]:
    row = CancellationRow
    query = select(row.customer_id, row.occurred_at, row.known_at, row.reason, row.reactivated)
    if ids is not None:
        query = query.where(among_ids(row.customer_id, ids))
    found: dict[uuid.UUID, list[Departure]] = defaultdict(list)
    for customer_id, *departure in (await session.execute(query)).all():
        found[customer_id].append(Departure(*cast("Any", departure)))
    return found


async def load_rules(session: AsyncSession) -> Rules:
    """Return what the derivation rests on beside the facts."""
    document = await session.scalar(select(PolicyRow.document).where(PolicyRow.key == POLICY_KEY))
    policy = DEFAULT_POLICY if document is None else TouchTierPolicy.model_validate(document)
    users = await session.execute(select(func.lower(UserRow.email), UserRow.id))
    installation = await load_installation(session)
    return Rules(policy, dict(users.all()), installation.holdout_salt, installation.holdout_share)


def _declared(row: Any) -> Declared:
    told = row["declared"]
    status, renewal = told.get("status"), told.get("renewal_on")
    return Declared(
        None if status is None else CustomerStatus(status),
        told.get("arr_minor"),
        told.get("currency"),
        None if renewal is None else dt.date.fromisoformat(renewal),
        row["told_at"] or row["known_at"],
    )


def _outputs(row: Any, verdict: Standing, terms: Sequence[Term], rules: Rules) -> Values:
    tier = rules.policy.tier_of(verdict.last_arr_minor, row["plan"], row["employees"])
    effective = row["touch_tier_override"] or tier
    told = row["declared"]
    return {
        "status": verdict.status,
        "arr_minor": verdict.arr_minor,
        "currency": verdict.currency,
        "renewal_on": verdict.renewal_on,
        "churned_at": verdict.churned_at,
        "churn_known_at": verdict.churn_known_at,
        "cancellation_reason": verdict.reason,
        "segment": rules.policy.segment_of(verdict.last_arr_minor, row["plan"], row["employees"]),
        "touch_tier": effective,
        "started_at": _started_at(row, terms),
        "csm_id": row["csm_id"] or rules.users.get(told.get("csm_email", "").lower()),
        "sales_owner_id": row["sales_owner_id"] or rules.users.get(told.get("sales_owner_email", "").lower()),
        "holdout": is_in_holdout(row["id"], salt=rules.salt, share=rules.share, tier=effective),
    }


def _started_at(row: Any, terms: Sequence[Term]) -> BusinessInstant:
    told = row["declared"].get("started_at")
    if told is not None:
        return business(dt.datetime.fromisoformat(told))
    first: BusinessInstant = min((term.started_at for term in terms), default=row["known_at"])
    return first


def _notices(
    row: Any, new: Values, different: Values, now: BusinessInstant
) -> list[tuple[Notice, BusinessInstant]]:
    """Say that a customer left, or that what its workflow plans by has changed."""
    if "status" in different and new["status"] is CustomerStatus.CHURNED:
        payload = {"reason": str(new["cancellation_reason"])}
        notice = Notice(row["id"], NoticeKind.CUSTOMER_CHURNED, payload, new["churned_at"])
        return [(notice, new["churn_known_at"])]
    fields = [name for name in ANNOUNCED if name in different]
    if not fields:
        return []
    notice = Notice(row["id"], NoticeKind.CUSTOMER_CHANGED, {"fields": fields}, now)
    return [(notice, row["told_at"] or row["known_at"])]
