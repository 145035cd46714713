"""One training: a model judged on the newest window, its twin for use, and the card that says all of it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.learning_port import LEAST_CHURNERS, TooLittleError
from domain.progress import Progress, quietly
from ml.learning import Learned, fit_again, learn
from ml.recipes import RECIPES, Recipe
from ml.samples import Codes, Floats, Samples, date_of

WINDOW_DATES = 3
"""Newest as-of dates with matured outcomes that nobody learns from before they are judged."""
SEED = 1


@dataclass(frozen=True)
class Rows:
    """Samples with what the trial needs beside them."""

    samples: Samples
    scorecard: Floats
    """What the scorecard said of each row."""
    segments: tuple[str, ...]
    """Segment of each row."""

    def where(self, places: Codes) -> "Rows":
        """Return some of the rows."""
        segments = tuple(self.segments[place] for place in places.tolist())
        return Rows(self.samples.where(places), self.scorecard[places], segments)


@dataclass(frozen=True)
class Trained:
    """The model that is judged, and its twin for use, which knows the window too."""

    judged: Learned
    fitted: Learned
    judged_until: dt.date
    """The eve of the window."""
    trained_until: dt.date
    """The last as-of date that the twin learned from."""
    learned_from: Samples
    window: Rows
    churners: int


def events_of(samples: Samples, horizon: int) -> int:
    """Return how many customers had the event: a customer's months are one piece of evidence."""
    return len(np.unique(samples.customers[samples.happened(horizon)]))


def window_start(samples: Samples, horizon: int) -> int:
    """Return the first date of the window, in days since 1970-01-01; raises TooLittleError."""
    dates = samples.matured(horizon).dates()
    if len(dates) <= WINDOW_DATES:
        reason = f"outcomes of {len(dates)} months have matured, {WINDOW_DATES} are kept to judge by"
        raise TooLittleError(reason)
    return int(dates[-WINDOW_DATES])


def before(samples: Samples, start: int, horizon: int, *, is_churn: bool) -> Samples:
    """Return what could be learned from on the eve of the window, and was known then."""
    return samples.settled_by(date_of(start - 1), is_churn=is_churn).matured(horizon)


def train(
    rows: Rows,
    horizon: int,
    *,
    is_churn: bool,
    recipes: Sequence[Recipe] = RECIPES,
    progress: Progress = quietly,
) -> Trained:
    """Learn what could be known on the eve of the newest window, then fit the same recipes on everything.

    The twin for use differs from the model that is judged by the months of the window and by nothing else:
    its recipes, its numbers of trees, its calibration and its anchors were all chosen before the window.
    Raises TooLittleError.
    """
    samples = rows.samples
    start = window_start(samples, horizon)
    known = before(samples, start, horizon, is_churn=is_churn)
    events = events_of(known, horizon)
    if events < LEAST_CHURNERS:
        reason = f"{events} customers with the event are known before the window, {LEAST_CHURNERS} are needed"
        raise TooLittleError(reason)
    judged = learn(known, horizon, is_churn=is_churn, seed=SEED, recipes=recipes, progress=progress)
    everything = samples.matured(horizon)
    fitted = fit_again(judged, everything, SEED)
    places = np.flatnonzero(_matured(samples, horizon) & (samples.as_of >= start))
    return Trained(
        judged=judged,
        fitted=fitted,
        judged_until=date_of(start - 1),
        trained_until=date_of(everything.dates()[-1]),
        learned_from=everything,
        window=rows.where(places),
        churners=events_of(everything, horizon),
    )


def _matured(samples: Samples, horizon: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    matured: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = samples.observed_days >= horizon
    return matured


def known_before(samples: Samples, start: int, horizon: int, *, is_churn: bool) -> float:
    """Return the base rate as known on the eve of the window."""
    known = before(samples, start, horizon, is_churn=is_churn)
    return float(known.happened(horizon).mean()) if len(known) else 0.0
