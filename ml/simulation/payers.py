"""Customers who pay by card: what a payment provider is told of them instead of the sample's own source."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.facts import CancellationFact, Fact, InvoiceFact, SubscriptionFact
from domain.time import BusinessInstant
from ml.simulation.archetypes import Archetype
from ml.simulation.life import at
from ml.simulation.portfolio import SampleConfig, SampleCustomer, make_portfolio

MONTH = dt.timedelta(days=31)
LAST_COMMON_DAY = 28
"""The last day that every month has."""
BILLED_AT = 6
"""Hour at which their periods end."""


@dataclass(frozen=True)
class Begin:
    """A subscription begins at the provider."""

    key: str
    mrr_minor: int


@dataclass(frozen=True)
class Resize:
    """From the next period on it costs another amount."""

    key: str
    mrr_minor: int


@dataclass(frozen=True)
class End:
    """They leave, and say why."""

    key: str
    reason: str | None


BILLED = (SubscriptionFact, InvoiceFact, CancellationFact)
Order = Begin | Resize | End


@dataclass
class Payer:
    """One who pays by card, and when they are moved from the sample's own books to the provider's."""

    customer: SampleCustomer
    moves_on: dt.date
    term: SubscriptionFact | None = None
    """What runs, as long as the sample's own source tells of it."""
    moved_at: BusinessInstant | None = None


def payers_of(config: SampleConfig) -> dict[str, Payer]:
    """Return everybody who pays by card, by key."""
    found = (one for one in make_portfolio(config).customers if one.pays_by_card)
    return {one.key: Payer(one, _moves_on(one, config.start)) for one in found}


class Moving:
    """Sorts what the simulation tells: facts for the sample's source, orders for the provider.

    In the month before the first live day each payer's term ends in the sample's books and goes on, from the
    same instant, at the provider, so that no revenue is told twice. An invoice stays where it was issued.
    """

    def __init__(self, config: SampleConfig) -> None:
        self._payers = payers_of(config)

    def sort(self, day: dt.date, facts: Iterable[Fact]) -> tuple[list[Fact], list[Order]]:
        """Return what of a day's facts the source tells, and what is to happen at the provider."""
        told: list[Fact] = []
        orders: list[Order] = []
        for fact in facts:
            payer = self._payers.get(fact.customer) if isinstance(fact, BILLED) else None
            if payer is None or not _is_providers(payer, fact, day):
                told.append(fact)
            else:
                orders += _orders(payer, fact, day)
        for payer in self._payers.values():
            term = payer.term
            if payer.moved_at is None and term is not None and payer.moves_on <= day:
                told.append(_handed_over(payer, term, day))
                orders.append(Begin(payer.customer.key, term.mrr_minor))
        return told, orders


def _is_providers(payer: Payer, fact: Fact, day: dt.date) -> bool:
    """Tell whether a fact is the provider's to tell; remembers the running term of who is not moved yet."""
    if payer.moved_at is not None:
        return not isinstance(fact, InvoiceFact) or fact.issued_at >= payer.moved_at
    if isinstance(fact, SubscriptionFact):
        if day > payer.moves_on and payer.term is None and fact.ended_at is None:
            return True
        payer.term = fact if fact.ended_at is None else None
    return False


def _orders(payer: Payer, fact: Fact, day: dt.date) -> Sequence[Order]:
    key = payer.customer.key
    if isinstance(fact, CancellationFact):
        return [End(key, fact.reason)]
    if not isinstance(fact, SubscriptionFact) or fact.ended_at is not None:
        return []
    if payer.moved_at is not None:
        return [Resize(key, fact.mrr_minor)]
    payer.moved_at = at(day, BILLED_AT)
    return [Begin(key, fact.mrr_minor)]


def _handed_over(payer: Payer, term: SubscriptionFact, day: dt.date) -> SubscriptionFact:
    payer.moved_at, payer.term = at(day, BILLED_AT), None
    return term.model_copy(update={"ended_at": payer.moved_at, "ended_known_at": payer.moved_at})


def _moves_on(customer: SampleCustomer, start: dt.date) -> dt.date:
    """Return a day of the month before the start, so that a period ends the morning after trouble begins."""
    wanted = 1 + customer.phase % LAST_COMMON_DAY
    if customer.archetype is Archetype.FAILING_PAYMENT and customer.onset is not None:
        refused_on = max(customer.onset, start) + dt.timedelta(days=1)
        wanted = refused_on.day if refused_on.day <= LAST_COMMON_DAY else 1
    days = (start - dt.timedelta(days=back) for back in range(1, MONTH.days + 1))
    return next(day for day in days if day.day == wanted)
