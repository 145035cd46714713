"""What a customer is billed, pays, and cancels."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from domain.facts import CancellationFact, Fact, InvoiceFact
from ml.simulation.archetypes import Archetype
from ml.simulation.facts_terms import end_of_term
from ml.simulation.life import Life, OpenInvoice, at

DUE_DAYS = 14
MONTH_DAYS = 28
TRY_AGAIN_DAYS = 3
MOST_ATTEMPTS = 4
REASONS = {
    Archetype.DECLINING: "unused",
    Archetype.SILENT: "unused",
    Archetype.TICKET_STORM: "customer_service",
    Archetype.CHAMPION_LEFT: "switched_service",
    Archetype.FAILING_PAYMENT: "other",
}


def invoices(life: Life, day: dt.date, random: Random) -> Iterator[Fact]:
    """Yield the invoice of the term, failed attempts, and payments."""
    delay = random.randint(6, DUE_DAYS)
    if _is_billed(life, day):
        opened = OpenInvoice(_issue(life, day), day + dt.timedelta(days=delay))
        life.invoices.append(opened)
        yield opened.fact
    cannot_pay = life.customer.archetype is Archetype.FAILING_PAYMENT and life.latent.trouble is not None
    for each in list(life.invoices):
        yield from _fail(life, each, day) if cannot_pay else _pay(life, each, day)


def cancellation(life: Life, day: dt.date) -> Iterator[Fact]:
    """Yield the end, once."""
    if life.latent.left_on is None or life.has_told_end:
        return
    life.has_told_end = True
    yield from end_of_term(life, at(day, 15), life.evening(day))
    yield CancellationFact(
        key=f"{life.customer.key}/cancellation",
        known_at=life.evening(day),
        customer=life.customer.key,
        occurred_at=at(day, 15),
        reason=REASONS.get(life.customer.archetype, "too_expensive"),
        involuntary=life.customer.archetype is Archetype.FAILING_PAYMENT,
    )


def _is_billed(life: Life, day: dt.date) -> bool:
    if life.customer.is_billed_monthly:
        return (day.toordinal() + life.customer.phase) % MONTH_DAYS == 0
    return day == life.customer.started_on or life.customer.renews_on(day + dt.timedelta(days=30))


def _issue(life: Life, day: dt.date) -> InvoiceFact:
    arr = life.arr_minor
    return InvoiceFact(
        key=f"{life.customer.key}/invoice/{day}",
        known_at=life.evening(day),
        customer=life.customer.key,
        number=f"{life.customer.key}-{day:%y%m%d}",
        amount_due_minor=arr // 12 if life.customer.is_billed_monthly else arr,
        issued_at=at(day, 6),
        due_at=at(day + dt.timedelta(days=DUE_DAYS), 6),
    )


def _pay(life: Life, invoice: OpenInvoice, day: dt.date) -> Iterator[Fact]:
    if day < invoice.pays_on:
        return
    life.invoices.remove(invoice)
    yield invoice.fact.model_copy(
        update={
            "status": "paid",
            "amount_paid_minor": invoice.fact.amount_due_minor,
            "paid_at": at(day, 9),
            "paid_known_at": life.evening(day),
        }
    )


def _fail(life: Life, invoice: OpenInvoice, day: dt.date) -> Iterator[Fact]:
    """Yield another failed attempt, every few days from the day on which it would have been paid."""
    waited = (day - invoice.pays_on).days
    attempts = invoice.fact.failed_attempts
    if waited < 0 or waited % TRY_AGAIN_DAYS or attempts >= MOST_ATTEMPTS:
        return
    failed = replace(invoice, fact=invoice.fact.model_copy(update={"failed_attempts": attempts + 1}))
    life.invoices[life.invoices.index(invoice)] = failed
    yield failed.fact
