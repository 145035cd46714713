"""From when to when nobody told a kind of fact: written once per silence, read by whatever rests on it."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ScalarSelect, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.features import KindFreshness
from domain.scoring_policy import FreshnessPolicy
from domain.signal_catalogue import CATALOGUE
from domain.time import BusinessInstant, business
from domain.vocabulary import SignalKind
from models.changes import announce_change
from models.tables.scoring import KindSilenceRow

LOOK_BACK = dt.timedelta(days=120)
"""No detector looks back further at what was missed."""
FILLED = 0.5
"""Share of the usual customers per day that must be known of the gap for it to count as filled."""


@dataclass(frozen=True)
class Silence:
    """One silence of one kind; open while nobody tells it."""

    kind: str
    since: BusinessInstant
    until: BusinessInstant | None
    sources: tuple[str, ...]

    @property
    def abstaining(self) -> tuple[SignalKind, ...]:
        """The signals that nobody can see while it lasts."""
        return tuple(spec.kind for spec in CATALOGUE if self.kind in spec.needs)


async def note_silences(session: AsyncSession, silent: Iterable[Silence], as_of: BusinessInstant) -> None:
    """Begin the silences that are new, and end those that are over. `silent`: what is silent now."""
    now_silent = {one.kind: one for one in silent}
    query = select(KindSilenceRow.kind).where(KindSilenceRow.until.is_(None))
    known = set(await session.scalars(query))
    for kind in known - now_silent.keys():
        ended = (KindSilenceRow.kind == kind) & KindSilenceRow.until.is_(None)
        await session.execute(update(KindSilenceRow).where(ended).values(until=as_of))
    begun = [one for kind, one in now_silent.items() if kind not in known]
    if begun:
        rows = [
            {"kind": one.kind, "since": one.since, "sources": list(one.sources), "noticed_at": as_of}
            for one in begun
        ]
        again = upsert(KindSilenceRow).on_conflict_do_update(
            index_elements=["kind", "since"], set_={"until": None}
        )
        await session.execute(again, rows)
    if begun or known - now_silent.keys():
        await announce_change(session)


async def with_gaps(
    session: AsyncSession,
    told: Mapping[str, KindFreshness],
    as_of: BusinessInstant,
    policy: FreshnessPolicy,
) -> dict[str, KindFreshness]:
    """Mark the kinds whose last silence ended lately; one that nobody has ended yet ends just now."""
    found = dict(told)
    row = KindSilenceRow
    query = select(row.kind, row.since, row.until, row.sources).where(
        row.since <= as_of, or_(row.until.is_(None), row.until > as_of - LOOK_BACK)
    )
    for kind, since, until, sources in (await session.execute(query.order_by(row.since))).all():
        if kind in found and not (until is None and found[kind].silent):
            silence = Silence(kind, since, until or as_of, tuple(sources))
            found[kind] = await _after(session, found[kind], silence, as_of, policy)
    return found


async def _after(
    session: AsyncSession,
    told: KindFreshness,
    silence: Silence,
    as_of: BusinessInstant,
    policy: FreshnessPolicy,
) -> KindFreshness:
    """Return what a silence that has ended since (or, of a past instant, later) still means."""
    until = silence.until or as_of
    if as_of < until:
        return replace(told, silent=True)
    if as_of - until < dt.timedelta(hours=policy.settle_hours):
        return replace(told, settling=True)
    if silence.kind != "usage" or await _is_filled(session, silence, until):
        return told
    settling = as_of - until < dt.timedelta(days=policy.settle_days)
    return replace(told, settling=settling, fresh_from=until.date())


async def _is_filled(session: AsyncSession, silence: Silence, until: BusinessInstant) -> bool:
    """Tell whether the days of the gap are known by now: whether what was missed came in after all."""
    values = {"first": silence.since.date(), "last": until.date()}
    gap, usual = (float(value or 0) for value in (await session.execute(text(_ACTIVE_DAYS), values)).one())
    days = max((until.date() - silence.since.date()).days - 1, 0)
    return gap >= FILLED * usual * days


_ACTIVE_DAYS = """
SELECT count(*) FILTER (WHERE day > :first AND day < :last),
       count(*) FILTER (WHERE day <= :first) / 28.0
FROM (SELECT DISTINCT customer_id, day FROM usage_daily
      WHERE day > CAST(:first AS date) - 28 AND day < :last) AS active
"""
"""Customers times days with use: within the gap, and per day of the four weeks before it."""


def silences_now() -> ScalarSelect[Any]:
    """Return a column that holds what nobody tells just now, for a query that asks other things too."""
    row = KindSilenceRow
    one = func.jsonb_build_object("kind", row.kind, "since", row.since, "sources", row.sources)
    told = func.jsonb_agg(aggregate_order_by(one, row.since, row.kind))
    return select(told).where(row.until.is_(None)).scalar_subquery()


def read_silences(rows: list[dict[str, Any]] | None) -> tuple[Silence, ...]:
    """Return what that column says."""
    return tuple(
        Silence(row["kind"], business(dt.datetime.fromisoformat(row["since"])), None, tuple(row["sources"]))
        for row in rows or ()
    )
