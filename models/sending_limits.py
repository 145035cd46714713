"""The limiter of sender domains: asked last in the transaction that claims a message, by every worker.

The count is a row per domain and hour. A lock on the domain, held until that transaction ends, lets nobody
count beside it; it is taken after the customer's, always, so that no two can wait for each other.
"""

import datetime as dt

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.delivery_events import DeliveryEventKind
from domain.guard import Defer
from domain.sending import (
    LIMIT_RETRY,
    SENDING_LIMIT,
    DomainLimits,
    SendingPolicy,
    StoredSendingPolicyError,
    day_of,
    for_optional,
    hour_of,
    is_limited,
)
from domain.sending_places import HOURS_AHEAD, HourCount, caps_now, place_for
from domain.time import BusinessInstant, after
from domain.vocabulary import Purpose
from domain.warm_up import Earned, SentDay, earned
from models.clock import load_timeline
from models.sending_policy import load_sending_policy
from models.tables.ledger import EffectRow, ProviderEventRow
from models.tables.mail import SendingHourRow

_HOLD = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
BOUNCES = (DeliveryEventKind.BOUNCED.value,)
COMPLAINTS = (DeliveryEventKind.REPORTED_SPAM.value,)


async def ask_limit(
    session: AsyncSession, domain: str, purpose: Purpose, now: BusinessInstant
) -> Defer | None:
    """Count one attempt of a message and return None, or say until when it waits, with nothing counted.

    Every attempt counts, also one that the provider then does not take. Fails closed: with a policy that
    cannot be read, what may wait does. The caller holds the customer's row lock and claims right after.
    """
    try:
        policy = await load_sending_policy(session)
    except StoredSendingPolicyError:
        return Defer(after(now, LIMIT_RETRY), SENDING_LIMIT) if is_limited(purpose) else None
    limits = policy.limits_of(domain)
    if limits is None:
        return None
    await session.execute(_HOLD, {"key": f"sending/{domain}"})
    until = await _place(session, domain, policy, limits, now) if is_limited(purpose) else now
    if until > now:
        await _count(session, domain, hour_of(until), promised=1)
        return Defer(until, SENDING_LIMIT)
    optional = int(is_limited(purpose))
    await _count(session, domain, hour_of(now), optional=optional, transactional=1 - optional)
    return None


async def _place(
    session: AsyncSession, domain: str, policy: SendingPolicy, limits: DomainLimits, now: BusinessInstant
) -> BusinessInstant:
    allowed = await earned_now(session, domain, policy, limits, now)
    per_hour, per_day = caps_now(limits, allowed)
    counts = await _counts(session, domain, now)
    return place_for(for_optional(per_hour, policy), for_optional(per_day, policy), counts, now)


async def _counts(session: AsyncSession, domain: str, now: BusinessInstant) -> list[HourCount]:
    row = SendingHourRow
    query = select(row.hour, row.optional + row.transactional, row.promised).where(
        row.domain == domain, row.hour >= day_of(now), row.hour <= after(now, dt.timedelta(hours=HOURS_AHEAD))
    )
    return [HourCount(*each) for each in await session.execute(query)]


async def _count(
    session: AsyncSession,
    domain: str,
    hour: BusinessInstant,
    *,
    optional: int = 0,
    transactional: int = 0,
    promised: int = 0,
) -> None:
    row = SendingHourRow
    more = {"optional": optional, "transactional": transactional, "promised": promised}
    statement = upsert(row).values(domain=domain, hour=hour, **more)
    sums = {name: getattr(row, name) + count for name, count in more.items()}
    await session.execute(statement.on_conflict_do_update(index_elements=["domain", "hour"], set_=sums))


async def earned_now(
    session: AsyncSession, domain: str, policy: SendingPolicy, limits: DomainLimits, now: BusinessInstant
) -> Earned | None:
    """Return what the warm-up allows today, found once an hour and kept; None without a warm-up."""
    if limits.warm_up is None:
        return None
    row, hour = SendingHourRow, hour_of(now)
    query = select(row.earned_per_day, row.earned_because).where(row.domain == domain, row.hour == hour)
    kept = (await session.execute(query)).one_or_none()
    if kept is not None and kept.earned_per_day is not None:
        return Earned(kept.earned_per_day, kept.earned_because or "")
    days = await sent_days(session, domain, limits.warm_up.started_on, now)
    found = earned(policy, limits, days, now.date())
    values = {"earned_per_day": found.per_day, "earned_because": found.because}
    empty = {"domain": domain, "hour": hour, "optional": 0, "transactional": 0, "promised": 0}
    statement = upsert(row).values(empty | values)
    await session.execute(statement.on_conflict_do_update(index_elements=["domain", "hour"], set_=values))
    return found


async def sent_days(
    session: AsyncSession, domain: str, since: dt.date, now: BusinessInstant
) -> list[SentDay]:
    """Return what a domain sent on each day since, and what came back on it."""
    row = SendingHourRow
    day = func.date(func.timezone("UTC", row.hour))
    query = (
        select(day, func.sum(row.optional + row.transactional))
        .where(row.domain == domain, row.hour >= dt.datetime.combine(since, dt.time(), dt.UTC))
        .group_by(day)
    )
    sent = {each: int(count) for each, count in await session.execute(query)}
    bounced = await _came_back(session, domain, BOUNCES)
    complained = await _came_back(session, domain, COMPLAINTS)
    days = sorted({*sent, *bounced, *complained})
    return [
        SentDay(each, sent.get(each, 0), bounced.get(each, 0), complained.get(each, 0))
        for each in days
        if since <= each <= now.date()
    ]


async def _came_back(session: AsyncSession, domain: str, kinds: tuple[str, ...]) -> dict[dt.date, int]:
    """Count messages by the business day on which the provider told of it, each message once."""
    timeline = await load_timeline(session)
    query = (
        select(ProviderEventRow.delivery_id, func.min(ProviderEventRow.received_at))
        .join(EffectRow, EffectRow.delivery_id == ProviderEventRow.delivery_id)
        .where(EffectRow.sender_domain == domain, ProviderEventRow.kind.in_(kinds))
        .group_by(ProviderEventRow.delivery_id)
    )
    found: dict[dt.date, int] = {}
    for _, at in await session.execute(query):
        day = (timeline.business_at(at) if timeline is not None else at).date()
        found[day] = found.get(day, 0) + 1
    return found
