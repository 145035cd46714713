"""Lets customers live through the reference year, each on days of its own."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta

from domain.facts import TouchpointFact
from domain.time import BusinessInstant, after
from domain.vocabulary import Channel, Direction, RiskTier, Severity, SignalKind
from models.bench_year import move_tier, open_signals, renew, resolve_signal
from models.clock import wall_now
from models.database import Session
from models.facts import store_facts
from workers.bench.portfolio import CRM, Bench, add_customers
from workers.bench.reference_year import DAYS, TOUCH_TIER, YEAR, Told, Verb, renewal_date

STAGGER = timedelta(days=2.3)
"""Between the years of two customers: other weekdays, other hours, and never all at once."""
LOOK_SECONDS = 0.02
CAUSE, SMALL = SignalKind.USAGE_DROP, SignalKind.FEATURE_DROP_OFF


@dataclass(frozen=True)
class Life:
    """One customer, and when its year began."""

    name: str
    customer_id: uuid.UUID
    begins: BusinessInstant


async def live(bench: Bench, number: int, days: int) -> Life:
    """Let one customer live through so many days of the year."""
    await _until(bench, after(bench.clock.now(), STAGGER * number))
    name = f"customer-{number}"
    found = await add_customers(bench, [name], touch_tier=TOUCH_TIER, renews=renewal_date)
    life = Life(name, found[name], bench.clock.now())
    for place, told in enumerate(one for one in YEAR if one.day < days):
        await _until(bench, after(life.begins, timedelta(days=told.day)))
        await _tell(bench, life, told, place)
    await _until(bench, after(life.begins, timedelta(days=days)))
    return life


async def _until(bench: Bench, due: BusinessInstant) -> None:
    while bench.clock.now() < due:  # noqa: ASYNC110 - business time has no event
        await asyncio.sleep(LOOK_SECONDS)


async def _tell(bench: Bench, life: Life, told: Told, place: int) -> None:
    async with bench.database.transaction() as session:
        await _VERBS[told.verb](session, life, bench.clock.now(), place)


async def _decline(session: Session, life: Life, now: BusinessInstant, _place: int) -> None:
    await open_signals(session, [life.customer_id], CAUSE, Severity.HIGH, now, wall_now())
    await move_tier(session, life.customer_id, RiskTier.HIGH, now, wall_now())


async def _recover(session: Session, life: Life, now: BusinessInstant, _place: int) -> None:
    await resolve_signal(session, life.customer_id, CAUSE, now, wall_now())
    await move_tier(session, life.customer_id, RiskTier.LOW, now, wall_now())


async def _warn(session: Session, life: Life, now: BusinessInstant, _place: int) -> None:
    await open_signals(session, [life.customer_id], SMALL, Severity.MEDIUM, now, wall_now())


async def _calm(session: Session, life: Life, now: BusinessInstant, _place: int) -> None:
    await resolve_signal(session, life.customer_id, SMALL, now, wall_now())


async def _touch(session: Session, life: Life, now: BusinessInstant, place: int) -> None:
    call = TouchpointFact(
        key=f"{life.name}/call-{place}",
        known_at=now,
        customer=life.name,
        direction=Direction.OUT,
        channel=Channel.CALL,
        occurred_at=now,
    )
    await store_facts(session, CRM, [call], received_at=wall_now())


async def _renew(session: Session, life: Life, now: BusinessInstant, _place: int) -> None:
    until = renewal_date(life.begins) + timedelta(days=DAYS)
    await renew(session, life.customer_id, until, now, wall_now())


_VERBS = {
    Verb.DECLINE: _decline,
    Verb.RECOVER: _recover,
    Verb.WARN: _warn,
    Verb.CALM: _calm,
    Verb.TOUCH: _touch,
    Verb.RENEW: _renew,
}
