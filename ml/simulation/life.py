"""One sample customer while the simulation runs: hidden state, and what is under way."""

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache

from domain.facts import InvoiceFact, SubscriptionFact, TicketFact
from domain.time import BusinessInstant, after, start_of_day
from ml.simulation.latent import Latent
from ml.simulation.portfolio import SampleCustomer

TOLD_AT = (19, 21, 23)
"""The facts of a day are told on its evening, those of a third of the customers at each of these hours."""


def at(day: dt.date, hours: float) -> BusinessInstant:
    """Return an instant of a day, to the second."""
    return after(start_of_day(day), dt.timedelta(seconds=round(hours * 3600)))


@lru_cache(maxsize=16)
def _told_at(day: dt.date, hour: int) -> BusinessInstant:
    return at(day, hour)


@dataclass(frozen=True)
class OpenTicket:
    """A ticket as first told, and the day on which it will be resolved."""

    fact: TicketFact
    resolves_on: dt.date


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice as last told, and the day on which a customer without trouble pays it."""

    fact: InvoiceFact
    pays_on: dt.date


@dataclass
class Life:
    """What changes about a customer from day to day."""

    customer: SampleCustomer
    latent: Latent
    next_touch_on: dt.date
    term: SubscriptionFact | None = None
    """The running term, as told."""
    tickets: list[OpenTicket] = field(default_factory=list)
    invoices: list[OpenInvoice] = field(default_factory=list)
    champion_left_on: dt.date | None = None
    has_told_end: bool = False

    @property
    def arr_minor(self) -> int:
        """Recurring revenue a year."""
        return round(self.customer.arr_minor * self.latent.revenue)

    def evening(self, day: dt.date) -> BusinessInstant:
        """Return when the facts of a day are known."""
        return _told_at(day, TOLD_AT[self.customer.phase % len(TOLD_AT)])
