"""What a customer has bought over time: each change of it ends a term and begins another."""

import datetime as dt
from collections.abc import Iterator

from domain.facts import Fact, SubscriptionFact
from domain.time import BusinessInstant, start_of_day
from ml.simulation.life import Life, at

SEATS_PER_PERSON = 1.25


def first_term(life: Life, known_at: BusinessInstant) -> SubscriptionFact:
    """Return the term with which the customer began."""
    life.term = _term(life, f"{life.customer.key}/subscription", life.customer.started_on, known_at)
    return life.term


def resizing(life: Life, day: dt.date) -> Iterator[Fact]:
    """Yield the end of a term and the next one, on the day on which a customer buys more or less."""
    if life.term is None or life.term.mrr_minor == life.arr_minor // 12:
        return
    known = life.evening(day)
    yield from end_of_term(life, start_of_day(day), known)
    life.term = _term(life, f"{life.customer.key}/subscription/{day}", day, known)
    yield life.term


def end_of_term(life: Life, ended_at: BusinessInstant, known_at: BusinessInstant) -> Iterator[Fact]:
    """Yield that the running term has ended."""
    if life.term is not None:
        yield life.term.model_copy(update={"ended_at": ended_at, "ended_known_at": known_at})
        life.term = None


def _term(life: Life, key: str, begins: dt.date, known_at: BusinessInstant) -> SubscriptionFact:
    customer = life.customer
    return SubscriptionFact(
        key=key,
        known_at=max(known_at, at(begins, 0)),
        customer=customer.key,
        product="Atlas",
        plan=customer.plan,
        mrr_minor=life.arr_minor // 12,
        seats=max(1, round(customer.people * SEATS_PER_PERSON * life.latent.revenue)),
        auto_renew=True,
        billing_months=1 if customer.is_billed_monthly else 12,
        started_at=start_of_day(begins),
    )
