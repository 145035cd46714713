"""The catalogue of signals as the tenant has it: what is on, from where on, and what is open now."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Text, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import InvalidInputError, NotFoundError
from domain.scoring_policy import ScoringPolicy, SignalPolicy, Thresholds
from domain.signal_catalogue import CATALOGUE, spec_for
from domain.signal_readings import SignalSpec
from domain.time import BusinessInstant
from domain.vocabulary import Segment, SignalKind, SignalState
from models.freshness import kinds_of
from models.scores import load_policy
from models.scoring_policies import change_policy
from models.tables.scoring import SignalRow


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


async def load_catalogue(
    session: AsyncSession, counts: Mapping[str, int] | None = None
) -> list[CatalogueLine]:
    """Return every detector in the catalogue's order; `counts` of count_open, where they are known."""
    policy, told = await load_policy(session), await _told(session)
    counts = await count_open(session) if counts is None else counts
    return [_line(spec, policy, told, counts.get(spec.kind.value, 0)) for spec in CATALOGUE]


async def load_line(session: AsyncSession, kind: str) -> CatalogueLine:
    """Return one detector, or raise NotFoundError."""
    for line in await load_catalogue(session):
        if line.spec.kind.value == kind:
            return line
    raise NotFoundError(what="detector", key=kind)


async def _told(session: AsyncSession) -> frozenset[str]:
    """Return the kinds that somebody tells and that were not silent when customers were last looked at."""
    row = (await session.execute(text(_TOLD))).one()
    told = kinds_of(row.provided or ())
    onboarding = {"onboarding"} if row.onboarding else set()
    return (told | onboarding) - set(row.silent or ())


_TOLD = """
SELECT (SELECT array_agg(DISTINCT name) FROM (SELECT unnest(provides) AS name FROM sources) AS told)
           AS provided,
       (SELECT array_agg(kind) FROM kind_silences WHERE until IS NULL) AS silent,
       EXISTS (SELECT 1 FROM customers
               WHERE onboarded_at IS NOT NULL OR first_value_at IS NOT NULL) AS onboarding
"""


async def count_open(session: AsyncSession) -> dict[str, int]:
    """Return how many customers show each kind, and each signal of the tenant's own by its dedupe key."""
    row = SignalRow
    name = case((row.kind == SignalKind.OWN, row.dedupe_key), else_=row.kind.cast(Text))
    query = select(name, func.count(row.customer_id.distinct())).where(row.state == SignalState.OPEN)
    return dict((await session.execute(query.group_by(name))).all())


def _line(spec: SignalSpec, policy: ScoringPolicy, told: frozenset[str], shown: int) -> CatalogueLine:
    tuned = policy.signals.get(spec.kind, SignalPolicy())
    defaults = {segment: spec.defaults[segment.value] for segment in Segment}
    limits = defaults | tuned.thresholds
    missing = tuple(kind for kind in spec.needs if kind not in told)
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
    return await change_policy(session, lambda whole: tuned(whole, kind, policy), user_id, now)


def tuned(policy: ScoringPolicy, kind: SignalKind, change: SignalPolicy | None) -> ScoringPolicy:
    """Return the policy with one kind changed, as a preview needs it too."""
    others = {known: one for known, one in policy.signals.items() if known is not kind}
    own = SignalPolicy() if change is None else checked(kind, change)
    signals = others if own == SignalPolicy() else others | {kind: own}
    return policy.model_copy(update={"signals": signals})
