"""Splits that hold time and customers apart, within what a model may learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domain.learning_port import TooLittleError
from ml.samples import Codes, Samples

BLOCKS, GROUPS = 2, 5
JUDGED_SHARE = 3
"""The newest third of the dates is judged: who learns from much less than all wants other settings."""
LARGE = 60_000
"""Rows from which one group of customers is enough evidence."""


@dataclass(frozen=True)
class Fold:
    """Places of rows: learn from `train`, judge on `valid`."""

    train: Codes
    valid: Codes


def forward_folds(samples: Samples, purge_days: int, seed: int = 0) -> Iterator[Fold]:
    """Yield folds of the later dates, each learned from earlier dates and from other customers.

    A row is only learned from when its horizon, `purge_days`, ended before the first date that is judged,
    and never when its customer is judged: the same customer a month earlier is almost the same row.
    """
    dates = samples.dates()
    newest = dates[-max(BLOCKS, len(dates) // JUDGED_SHARE) :]
    later = [part for part in np.array_split(newest, BLOCKS) if len(part)]
    groups = GROUPS
    if len(samples) > LARGE:
        groups = 1
    group = group_of(samples.customers, max(groups, 2), seed)
    for block in later:
        early = samples.as_of + purge_days <= block[0]
        judged = np.isin(samples.as_of, block)
        for one in range(groups):
            fold = Fold(np.flatnonzero(early & (group != one)), np.flatnonzero(judged & (group == one)))
            if len(fold.train) and len(fold.valid):
                yield fold


def teaching_folds(samples: Samples, horizon: int, span: int, seed: int) -> list[Fold]:
    """Return the forward folds of which one can learn: within `span` days some had the event, some not.

    Raises TooLittleError where there is none.
    """
    happened = samples.happened(span)
    folds = [
        one for one in forward_folds(samples, horizon, seed) if 0 < happened[one.train].sum() < len(one.train)
    ]
    if not folds:
        raise TooLittleError("too few months with both outcomes have matured to choose between recipes")
    return folds


def group_of(customers: Codes, groups: int, seed: int) -> Codes:
    """Deal customers into groups of about equal size, always the same."""
    distinct, place = np.unique(customers, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(distinct)) % groups
    return dealt[place]
