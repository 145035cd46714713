"""What models are trained and judged on: one row per customer and as-of instant, with what became of them."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from domain import learning_rows
from domain.labels import GRACE
from domain.learning_rows import Sample

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

NEVER = learning_rows.NEVER
"""Days to an event that did not happen within what we know."""


@dataclass(frozen=True)
class Samples:
    """Snapshots of customers. All arrays have one entry per row, in order of date and customer.

    `event_days` are the days from the as-of instant to the event (inf: none that we know of), and
    `observed_days` how far after it we know what happened: nothing is learned from what lies beyond.
    """

    columns: tuple[str, ...]
    matrix: Matrix
    customers: Codes
    as_of: Codes
    """Days since 1970-01-01."""
    event_days: Floats
    observed_days: Floats
    value: Floats
    """Yearly revenue at the as-of instant, in whole units; for what is at stake, never for learning."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.as_of)

    def where(self, keep: Flags | Codes) -> "Samples":
        """Return some of the rows."""
        return replace(
            self,
            matrix=self.matrix[keep],
            customers=self.customers[keep],
            as_of=self.as_of[keep],
            event_days=self.event_days[keep],
            observed_days=self.observed_days[keep],
            value=self.value[keep],
        )

    def matured(self, horizon: int) -> "Samples":
        """Return the rows of which we know what happened within so many days.

        An early event does not make a row mature: of the newest dates only those who left would be kept.
        """
        return self.where(self.observed_days >= horizon)

    def happened(self, horizon: int) -> Flags:
        """Tell of each row whether the event came within so many days."""
        return self.event_days <= horizon

    def until(self, date: dt.date) -> "Samples":
        """Return the rows up to and including an as-of date."""
        return self.where(self.as_of <= days_of(date))

    def known_by(self, cutoff: dt.date) -> "Samples":
        """Return the rows as they could be known at a date: later dates gone, later events not yet seen."""
        limit = days_of(cutoff)
        kept = self.where(self.as_of <= limit)
        left = (limit - kept.as_of).astype(np.float64)
        seen = np.where(kept.event_days <= left, kept.event_days, NEVER)
        return replace(kept, event_days=seen, observed_days=np.minimum(kept.observed_days, left))

    def settled_by(self, day: dt.date, *, is_churn: bool) -> "Samples":
        """Return the rows as a training on a day could know them: departures once their grace is over."""
        return self.known_by(day - GRACE if is_churn else day)

    def dates(self) -> Codes:
        """Return the distinct as-of dates, oldest first."""
        return np.unique(self.as_of)

    def select(self, columns: Sequence[str]) -> Matrix:
        """Return the matrix of some columns, in the order asked for."""
        places = {name: place for place, name in enumerate(self.columns)}
        return self.matrix[:, [places[name] for name in columns]]

    def digest(self) -> str:
        """Return a hash of the data: the same rows and values give the same, on any machine."""
        found = hashlib.blake2b(digest_size=16)
        found.update("\n".join(self.columns).encode())
        arrays = (self.matrix, self.customers, self.as_of, self.event_days, self.observed_days)
        for array in arrays:
            found.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
        return found.hexdigest()


def either(one: Samples, other: Samples) -> Samples:
    """Return the same rows with the earlier of two events.

    Each ends the view of the other (domain.learning_rows.outcome_of); what we know of both reaches as far as
    the longer of the views.
    """
    events = np.minimum(one.event_days, other.event_days)
    return replace(one, event_days=events, observed_days=np.maximum(one.observed_days, other.observed_days))


def days_of(date: dt.date) -> int:
    """Return days since 1970-01-01."""
    return (date - dt.date(1970, 1, 1)).days


def date_of(days: int) -> dt.date:
    """Return the date of days since 1970-01-01."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(days))


def joined(parts: Sequence[Samples]) -> Samples:
    """Put samples of the same columns one after the other."""
    first = parts[0]
    return replace(
        first,
        matrix=np.concatenate([part.matrix for part in parts]),
        customers=np.concatenate([part.customers for part in parts]),
        as_of=np.concatenate([part.as_of for part in parts]),
        event_days=np.concatenate([part.event_days for part in parts]),
        observed_days=np.concatenate([part.observed_days for part in parts]),
        value=np.concatenate([part.value for part in parts]),
    )


def samples_of(columns: Sequence[str], rows: Sequence[Sample]) -> Samples:
    """Return plain rows as arrays; their values are in the order of the columns."""
    return Samples(
        columns=tuple(columns),
        matrix=matrix_of([one.values for one in rows], len(columns)),
        customers=np.array([one.customer for one in rows], dtype=np.int64),
        as_of=np.array([days_of(one.as_of) for one in rows], dtype=np.int64),
        event_days=np.array([one.outcome.event_days for one in rows], dtype=np.float64),
        observed_days=np.array([one.outcome.observed_days for one in rows], dtype=np.float64),
        value=np.array([one.yearly for one in rows], dtype=np.float64),
    )


def matrix_of(rows: Sequence[Sequence[float]], width: int) -> Matrix:
    """Return rows of values as a matrix, also where there are none."""
    return np.array(rows, dtype=np.float32).reshape(len(rows), width)
