"""Who gets a playbook and who is left without it, by chance that is known: what makes an effect measurable.

Chance is drawn per customer and playbook, once for life (domain/holdout.py). Whoever a run would open for is
in the trial: treated, withheld by the playbook's own holdout, or withheld by the holdout of everything. The
probability with which it came so is kept beside it.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from domain.holdout import place_of
from domain.playbook import Playbook
from domain.vocabulary import Segment, TouchTier

LARGEST_SHARE = 0.5
"""More than half untreated would be no playbook any more."""


class Arm(StrEnum):
    """What chance has decided."""

    TREATED = "treated"
    HOLDOUT = "holdout"
    """Without this playbook; every other may open."""
    GLOBAL_HOLDOUT = "global_holdout"
    """Without any optional playbook."""


@dataclass(frozen=True)
class Trial:
    """What an installation draws by. Shares are of customers, 0 to 1."""

    salt: str
    global_share: float = 0.0
    playbook_share: float = 0.0
    """Of playbooks that name none."""
    quiet: frozenset[tuple[str, Segment]] = frozenset()
    """Playbooks that do harm in a segment, as far as is known: they are not opened there."""


@dataclass(frozen=True)
class Odds:
    """With which probabilities a customer is withheld: from everything, and from this playbook."""

    everything: float
    playbook: float

    def of(self, arm: Arm) -> float:
        """Return the probability of an arm; the three add up to 1."""
        left = 1 - self.everything
        return {
            Arm.GLOBAL_HOLDOUT: self.everything,
            Arm.HOLDOUT: left * self.playbook,
            Arm.TREATED: left * (1 - self.playbook),
        }[arm]


@dataclass(frozen=True)
class Assignment:
    """What chance decided on one occasion, and with which probability."""

    arm: Arm
    propensity: float
    """1 where nothing was left to chance: strategic customers, wishes of people, a share of 0."""
    global_share: float
    """With which probability the customer would have been in the holdout of everything."""
    occasion: str


def odds_of(trial: Trial, document: Playbook, tier: TouchTier) -> Odds:
    """Return how likely a customer of this touch tier is to be withheld.

    A playbook without a share of its own has the installation's where it reaches people by itself: to
    withhold what only makes work for ours would measure our own diligence.
    """
    everything = trial.global_share if document.holdout and tier is not TouchTier.STRATEGIC else 0.0
    share = document.holdout_share
    if share is None:
        share = trial.playbook_share if document.holdout and document.reaches_people else 0.0
    return Odds(everything, 0.0 if tier in document.holdout_exempt else share)


def is_withheld(trial: Trial, document: Playbook, tier: TouchTier, customer_id: uuid.UUID) -> bool:
    """Tell whether the customer is in the playbook's own holdout."""
    place = place_of(customer_id, salt=trial.salt, name=document.key)
    return place < odds_of(trial, document, tier).playbook


def assign(trial: Trial, document: Playbook, tier: TouchTier, arm: Arm, occasion: str) -> Assignment:
    """Return the record of an arm with its probability."""
    odds = odds_of(trial, document, tier)
    return Assignment(arm, odds.of(arm), odds.everything, occasion)


def not_by_chance(occasion: str) -> Assignment:
    """Return the record of a run that somebody wished for: it proves nothing, and is kept all the same."""
    return Assignment(Arm.TREATED, 1.0, 0.0, occasion)
