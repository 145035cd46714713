"""One column of a learned model's matrix: a pure function of what is known of a customer, with its words.

None is unknown: nobody tells the facts that a column rests on, or their source fell silent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from domain.features import CustomerFeatures
from domain.risk_factors import Reader
from domain.vocabulary import HealthComponent
from domain.wording import count, number

Sign = Literal[-1, 0, 1]
Say = Callable[[CustomerFeatures], str]


@dataclass(frozen=True)
class Column:
    """One column of the model's matrix."""

    name: str
    family: HealthComponent
    needs: str
    """The kind of fact that it rests on."""
    unit: str
    sign: Sign
    """1: more of it cannot lower the risk of leaving; -1: cannot raise it; 0: nothing is known beforehand."""
    read: Reader
    say: Say
    """A clause that says it as a person would, against the customer's own past where there is one."""

    def value(self, features: CustomerFeatures) -> float:
        """Return the reading, NaN where it is unknown."""
        return self.reading(features) if features.fresh(self.needs).is_usable else math.nan

    def reading(self, features: CustomerFeatures) -> float:
        """Return the same of facts that somebody tells."""
        found = self.read(features)
        return math.nan if found is None else float(found)


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return part over whole, None where either is unknown or the whole is nothing."""
    return part / whole if part is not None and whole else None


def mrr(f: CustomerFeatures) -> float | None:
    """Return the monthly recurring revenue, None where nothing is paid."""
    return f.commercial.mrr or None


def price(f: CustomerFeatures) -> str:
    """Say what is paid each month."""
    return f"{f.commercial.currency} {number(f.commercial.mrr)}"


def days_ago(what: str, read: Reader) -> Say:
    """Return the words for so many days since something."""
    return lambda f: f"{what} {count(read(f) or 0, 'day')} ago"
