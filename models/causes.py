"""Whether what opened a run still holds, and whether it has become worse."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.signal_families import FAMILIES, speaks_of
from domain.vocabulary import HealthComponent, RiskTier, SignalKind, SignalState
from models.tables.customers import CustomerRow
from models.tables.scoring import SignalRow


@dataclass(frozen=True)
class Causes:
    """The causes of a run, as they are now."""

    hold: bool
    are_worse: bool


async def load_causes(
    session: AsyncSession, causes: Sequence[dict[str, Any]], customer: CustomerRow
) -> Causes:
    """Look at the tier and the signals that a run was opened for.

    By kind, not by row: a signal that comes back is a new row and the same cause.
    """
    tiers = [RiskTier(cause["tier"]) for cause in causes if "tier" in cause]
    kinds = {SignalKind(cause["signal"]) for cause in causes if "signal" in cause}
    open_now = await _open_kinds(session, customer.id) if causes else frozenset()
    return Causes(
        _hold(tiers, kinds, open_now, customer.acted_tier),
        _are_worse(tiers, kinds, open_now, customer.acted_tier, causes),
    )


async def _open_kinds(session: AsyncSession, customer_id: uuid.UUID) -> frozenset[SignalKind]:
    query = select(SignalRow.kind).where(
        SignalRow.customer_id == customer_id,
        SignalRow.state == SignalState.OPEN,
    )
    return frozenset(await session.scalars(query))


def _hold(
    tiers: Sequence[RiskTier],
    kinds: set[SignalKind],
    open_now: frozenset[SignalKind],
    acted: RiskTier | None,
) -> bool:
    """Tell whether something that opened the run still holds: its tier, or a signal of its kinds."""
    still_open = bool(kinds & open_now)
    if not tiers:
        return still_open if kinds else True
    if acted is None or acted.rank >= tiers[0].rank:
        return not kinds or still_open
    return acted.rank >= RiskTier.HIGH.rank and still_open


def _are_worse(
    tiers: Sequence[RiskTier],
    kinds: set[SignalKind],
    open_now: frozenset[SignalKind],
    acted: RiskTier | None,
    causes: Sequence[dict[str, Any]],
) -> bool:
    """Tell whether the tier is higher than then, or a further signal of the same part of health is open."""
    if tiers and acted is not None and acted.rank > tiers[0].rank:
        return True
    families = {HealthComponent(cause["family"]) for cause in causes if "family" in cause}
    families |= {FAMILIES[kind] for kind in kinds if kind in FAMILIES}
    return bool(kinds) and any(speaks_of(kind, families) for kind in open_now - kinds)
