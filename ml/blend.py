"""A trained model held by the scorecard, in log-odds."""

from typing import TypeVar

import numpy as np

from ml.metrics import from_log_odds, log_odds
from ml.samples import Floats

_Chance = TypeVar("_Chance", float, Floats)


def blended(weight: float, learned: Floats, by_card: Floats, prior: float, base_rate: float) -> Floats:
    """Return probabilities: `weight` of the model, the rest of the scorecard.

    The scorecard's points say how far a customer stands from the average one. They are counted from the base
    rate that was seen, not from the prior that was written before anything was seen.
    """
    shift = float(logit(base_rate) - logit(prior))
    return from_log_odds(weight * log_odds(learned) + (1 - weight) * (log_odds(by_card) + shift))


def together(one: _Chance, other: _Chance) -> _Chance:
    """Return the chance of either of two ways to leave, each as if the other were not there."""
    return 1 - (1 - one) * (1 - other)


def logit(probability: float) -> float:
    """Return the log-odds of one probability, held away from 0 and 1."""
    return float(log_odds(np.array([probability]))[0])
