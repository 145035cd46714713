"""Whether probabilities are corrected before use: only where that has won on later outcomes."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from ml.bootstrap import interval
from ml.metrics import from_log_odds, log_losses, log_odds
from ml.samples import Codes, Flags, Floats

LEAST_ROWS = 500
LEAST_EVENTS = 30
"""With fewer labels a correction learns noise (ml research: Platt lost on 200 to 500 rows)."""


@dataclass(frozen=True)
class Calibration:
    """Platt's correction in log-odds; the identity where it has not earned its place."""

    intercept: float = 0.0
    slope: float = 1.0

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self == IDENTITY

    def apply(self, probability: Floats) -> Floats:
        """Return corrected probabilities; in the same order."""
        if self.is_identity:
            return probability
        return from_log_odds(self.intercept + self.slope * log_odds(probability))


IDENTITY = Calibration()


def choose_calibration(happened: Flags, probability: Floats, customers: Codes, as_of: Codes) -> Calibration:
    """Fit on the older half of out-of-time predictions, and keep it if it wins on the newer half.

    A win is a gain in log-loss that three of four draws of customers show.

    What is kept is fitted on both halves. The slope stays positive, so that the order never changes.
    """
    dates = np.unique(as_of)
    older = as_of < dates[len(dates) // 2] if len(dates) > 1 else np.zeros(len(as_of), bool)
    newer = ~older
    enough = older.sum() >= LEAST_ROWS and happened[older].sum() >= LEAST_EVENTS
    if not enough or happened[newer].sum() < LEAST_EVENTS:
        return IDENTITY
    tried = fit_platt(happened[older], probability[older])
    before = log_losses(happened[newer], probability[newer])
    after = log_losses(happened[newer], tried.apply(probability[newer]))
    gain = interval(customers[newer], lambda rows: float((before[rows] - after[rows]).mean()), level=0.5)
    if tried.slope <= 0 or gain.low <= 0:
        return IDENTITY
    kept = fit_platt(happened, probability)
    return kept if kept.slope > 0 else IDENTITY


def fit_platt(happened: Flags, probability: Floats) -> Calibration:
    """Return intercept and slope by maximum likelihood (Platt 1999)."""
    model = LogisticRegression(C=1e6, max_iter=1000).fit(log_odds(probability)[:, None], happened)
    return Calibration(float(model.intercept_[0]), float(model.coef_[0, 0]))
