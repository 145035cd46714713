"""The tier that is acted on: it follows the raw one, but not every flicker of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.risk import tier_of
from domain.scoring_policy import TIER_FLOORS, RiskPolicy
from domain.time import BusinessInstant
from domain.vocabulary import RiskTier


@dataclass(frozen=True, slots=True)
class ActedTier:
    """The tier that was last acted on, and since when."""

    tier: RiskTier
    since: BusinessInstant


def next_acted(
    acted: ActedTier | None,
    score: int,
    recent: Sequence[int],
    policy: RiskPolicy,
    now: BusinessInstant,
) -> ActedTier:
    """Return the tier to act on. `recent`: the scores of the dwell time before today.

    Upwards at once when the score is clearly in the tier, and after the dwell time when it only just is.
    Downwards only when every score of the dwell time was lower: relief is cheap to wait for.
    """
    if acted is None:
        return ActedTier(tier_of(score), now)
    clearly = max(
        (tier for tier in RiskTier if score >= TIER_FLOORS[tier] + policy.up_margin and tier.rank),
        key=lambda tier: tier.rank,
        default=RiskTier.LOW,
    )
    if clearly.rank > acted.tier.rank:
        return ActedTier(clearly, now)
    if now - acted.since < timedelta(days=policy.dwell_days) or len(recent) < policy.dwell_days:
        return acted
    lasting_low, lasting_high = tier_of(min(score, *recent, score)), tier_of(max(score, *recent, score))
    if lasting_low.rank > acted.tier.rank:
        return ActedTier(lasting_low, now)
    return ActedTier(lasting_high, now) if lasting_high.rank < acted.tier.rank else acted
