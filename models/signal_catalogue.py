"""The catalogue of signals as the tenant has it: what is on, from where on, and what is open now."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError
from domain.features import KindFreshness
from domain.scoring_policy import POLICY_KEY, ScoringPolicy, SignalPolicy, Thresholds
from domain.signal_catalogue import CATALOGUE, spec_for
from domain.signal_readings import SignalSpec
from domain.time import BusinessInstant
from domain.vocabulary import Segment, SignalKind, SignalState
from models.freshness import load_freshness
from models.scores import load_policy
from models.tables.scoring import SignalRow
from models.tables.system import PolicyRow


@dataclass(frozen=True)
class CatalogueLine:
    """One detector: the catalogue's part, the tenant's part, and today's."""

    spec: SignalSpec
    enabled: bool
    thresholds: Mapping[Segment, Thresholds]
    is_tuned: bool
    """Some threshold is not the catalogue's."""
    open: int
    """Customers that show it now."""
    missing: tuple[str, ...]
    """Kinds of fact that nobody tells, or whose source is silent: while there are any, it abstains."""


async def load_catalogue(session: AsyncSession, now: BusinessInstant) -> list[CatalogueLine]:
    """Return every detector in the catalogue's order."""
    policy = await load_policy(session)
    told = await load_freshness(session, now, policy.freshness)
    counts = await count_open(session)
    return [_line(spec, policy, told, counts.get(spec.kind.value, 0)) for spec in CATALOGUE]


async def count_open(session: AsyncSession) -> dict[str, int]:
    """Return how many customers show each kind, and each signal of the tenant's own by its dedupe key."""
    row = SignalRow
    query = select(row.kind, row.dedupe_key, func.count(row.customer_id.distinct()))
    query = query.where(row.state == SignalState.OPEN, row.kind == SignalKind.OWN)
    own = {
        key: count for _kind, key, count in await session.execute(query.group_by(row.kind, row.dedupe_key))
    }
    kinds = select(row.kind, func.count(row.customer_id.distinct())).where(row.state == SignalState.OPEN)
    return own | {kind.value: count for kind, count in await session.execute(kinds.group_by(row.kind))}


def _line(
    spec: SignalSpec, policy: ScoringPolicy, told: Mapping[str, KindFreshness], shown: int
) -> CatalogueLine:
    tuned = policy.signals.get(spec.kind, SignalPolicy())
    defaults = {segment: spec.defaults[segment.value] for segment in Segment}
    limits = defaults | tuned.thresholds
    missing = tuple(kind for kind in spec.needs if not told[kind].is_usable)
    return CatalogueLine(spec, tuned.enabled, limits, limits != defaults, shown, missing)


def checked(kind: SignalKind, policy: SignalPolicy) -> SignalPolicy:
    """Return the policy without what is the catalogue's anyway, or raise InvalidInputError with the fix."""
    spec = spec_for(kind)
    if spec is None:
        raise InvalidInputError(field="kind", reason=f"{kind.value} is not opened by a detector")
    for segment, limits in policy.thresholds.items():
        _check(segment, limits, spec.defaults[segment.value])
    own = {
        segment: limits
        for segment, limits in policy.thresholds.items()
        if limits != spec.defaults[segment.value]
    }
    return SignalPolicy(enabled=policy.enabled, thresholds=own)


def _check(segment: Segment, limits: Thresholds, default: Thresholds) -> None:
    """Refuse thresholds that could never close, or that would call the milder case severe."""
    values = (limits.close, limits.open, limits.severe)
    field = f"thresholds.{segment.value}"
    if not all(map(math.isfinite, values)):
        raise InvalidInputError(field=field, reason="every threshold is a plain number")
    rises = default.open >= default.close
    if rises and not limits.close <= limits.open <= limits.severe:
        reason = "more is worse here: it must close at or below where it opens, and be severe at or above"
        raise InvalidInputError(field=field, reason=reason)
    if not rises and not limits.close >= limits.open >= limits.severe:
        reason = "less is worse here: it must close at or above where it opens, and be severe at or below"
        raise InvalidInputError(field=field, reason=reason)


async def tune_signal(
    session: AsyncSession,
    kind: SignalKind,
    policy: SignalPolicy | None,
    user_id: uuid.UUID | None,
    now: BusinessInstant,
) -> ScoringPolicy:
    """Put one kind's policy in force; None goes back to the catalogue's own."""
    await session.execute(select(PolicyRow.key).where(PolicyRow.key == POLICY_KEY).with_for_update())
    whole = tuned(await load_policy(session), kind, policy)
    values = {
        "key": POLICY_KEY,
        "document": whole.model_dump(mode="json", exclude_defaults=True),
        "updated_at": now,
        "updated_by_id": user_id,
    }
    statement = upsert(PolicyRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
    return whole


def tuned(policy: ScoringPolicy, kind: SignalKind, change: SignalPolicy | None) -> ScoringPolicy:
    """Return the policy with one kind changed, as a preview needs it too."""
    others = {known: one for known, one in policy.signals.items() if known is not kind}
    own = SignalPolicy() if change is None else checked(kind, change)
    signals = others if own == SignalPolicy() else others | {kind: own}
    return policy.model_copy(update={"signals": signals})
