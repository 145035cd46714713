"""Subscriptions that a provider changes in place, as terms of ours that never change.

A key such as `sub_1#si_1:4f…` names the provider's subscription before the hash and what was agreed behind
it. When something else is agreed, the term in the books ends and another begins, at the time we learnt of it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.facts import Fact, SubscriptionFact
from domain.time import BusinessInstant
from models.tables.facts import SubscriptionRow

SEPARATOR, AGAIN = "#", "~"
AGREED = (
    "product",
    "plan",
    "mrr_minor",
    "currency",
    "seats",
    "is_trial",
    "discount",
    "billing_months",
    "started_at",
)
Row = dict[str, Any]


async def settle_terms(session: AsyncSession, source_id: str, facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts with each term's own beginning, and with the ends of the terms that were replaced."""
    groups: dict[str, list[SubscriptionFact]] = {}
    for fact in facts:
        if isinstance(fact, SubscriptionFact) and SEPARATOR in fact.key:
            groups.setdefault(_base(fact.key), []).append(fact)
    if not groups:
        return list(facts)
    known = await _known(session, source_id, list(groups))
    settled = {base: _settle(told, known.get(base, [])) for base, told in groups.items()}
    others = [fact for fact in facts if not (isinstance(fact, SubscriptionFact) and SEPARATOR in fact.key)]
    return [*(fact for some in settled.values() for fact in some), *others]


def _settle(told: Sequence[SubscriptionFact], known: Sequence[Row]) -> list[SubscriptionFact]:
    """Decide for one subscription of the provider; a word older than what is in the books changes nothing."""
    if _is_overtaken(told, known):
        return []
    current = [_placed(fact, known) for fact in told]
    keys = {fact.key for fact in current}
    began = min(fact.known_at for fact in told)
    over = [row for row in known if row["ended_at"] is None and row["external_id"] not in keys]
    return [*(_ended(row, told[0], began) for row in over), *current]


def _is_overtaken(told: Sequence[SubscriptionFact], known: Sequence[Row]) -> bool:
    open_keys = {row["external_id"].split(AGAIN)[0] for row in known if row["ended_at"] is None}
    newest: BusinessInstant | None = max((row["told_at"] or row["known_at"] for row in known), default=None)
    if newest is None or all(fact.key in open_keys for fact in told):
        return False
    return max(known_at(fact) for fact in told) < newest


def known_at(fact: SubscriptionFact) -> BusinessInstant:
    """Return when the newest of what it says was known."""
    return max(fact.known_at, fact.ended_known_at or fact.known_at)


def _placed(fact: SubscriptionFact, known: Sequence[Row]) -> SubscriptionFact:
    same = [row for row in known if row["external_id"].split(AGAIN)[0] == fact.key]
    still = [row for row in same if row["ended_at"] is None or row["ended_at"] == fact.ended_at]
    if still:
        return fact.model_copy(
            update={"key": still[-1]["external_id"], "started_at": still[-1]["started_at"]}
        )
    if not known:
        return fact
    key = f"{fact.key}{AGAIN}{len(same) + 1}" if same else fact.key
    return fact.model_copy(update={"key": key, "started_at": max(fact.known_at, fact.started_at)})


def _ended(row: Row, told: SubscriptionFact, at: Any) -> SubscriptionFact:
    ended = max(at, row["started_at"])
    return SubscriptionFact(
        key=row["external_id"],
        known_at=told.known_at,
        customer=told.customer,
        status="canceled",
        auto_renew=row["auto_renew"],
        ended_at=ended,
        ended_known_at=max(told.known_at, ended),
        **{name: row[name] for name in AGREED},
    )


def _base(key: str) -> str:
    return key.split(SEPARATOR, 1)[0]


async def _known(session: AsyncSession, source_id: str, bases: Sequence[str]) -> dict[str, list[Row]]:
    row = SubscriptionRow
    columns = [
        getattr(row, name)
        for name in ("external_id", "ended_at", "auto_renew", "known_at", "told_at", *AGREED)
    ]
    begins = or_(*(row.external_id.startswith(base + SEPARATOR, autoescape=True) for base in bases))
    query = select(*columns).where(row.source_id == source_id, begins)
    found: dict[str, list[Row]] = {}
    for one in (await session.execute(query.order_by(row.started_at, row.external_id))).mappings():
        found.setdefault(_base(one["external_id"]), []).append(dict(one))
    return found
