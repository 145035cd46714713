"""How an offer of a run ends: pure decisions from what its run, the ledger and its provider say."""

from enum import StrEnum

from domain.case_vocabulary import OfferState
from domain.time import BusinessInstant, WallInstant
from domain.vocabulary import EffectState, Outcome

KEPT = frozenset({Outcome.SAVED, Outcome.RENEWED, Outcome.EXPANDED, Outcome.REACTIVATED})
"""Ends of a run after which what was promised stands until its day; after any other it is taken back."""


class Making(StrEnum):
    """What the ledger knows of an offer that is recorded as proposed only."""

    NOT_MADE = "not_made"
    UNDER_WAY = "under_way"
    UNKNOWN = "unknown"
    """The provider may have made it: it has to be asked."""


def is_promised(*, has_ended: bool, outcome: Outcome | None) -> bool:
    """Tell whether it stands until its day: its run goes on, or has ended well."""
    return not has_ended or outcome in KEPT


def making_of(effect: EffectState, lease_until: WallInstant | None, wall: WallInstant) -> Making:
    """Return whether it can have been made, by the effect that makes it."""
    if effect is EffectState.FAILED:
        return Making.NOT_MADE
    if effect is not EffectState.CLAIMED:
        return Making.UNKNOWN
    if lease_until is None:  # given back: that attempt certainly changed nothing
        return Making.NOT_MADE
    return Making.UNDER_WAY if lease_until > wall else Making.UNKNOWN


def end_of_granted(
    *, is_redeemed: bool, expires_at: BusinessInstant | None, is_promised: bool, now: BusinessInstant
) -> OfferState | None:
    """Return how one that was made ends now, None while it stands; WITHDRAWN is yet to be done there."""
    if is_redeemed:
        return OfferState.REDEEMED
    if expires_at is not None and expires_at <= now:
        return OfferState.EXPIRED
    return None if is_promised else OfferState.WITHDRAWN


def end_of_proposed(*, has_ended: bool, is_agreed: bool) -> OfferState | None:
    """Return how one that certainly was not made ends with its run, None while that goes on."""
    if not has_ended:
        return None
    return OfferState.WITHDRAWN if is_agreed else OfferState.EXPIRED
