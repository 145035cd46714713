"""How a demo's payments ended, in sentences under its table."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.dunning_words import say_amount

CURRENCY = "USD"
"""What the whole portfolio pays in."""
WORDS = {
    "everstay": "by Everstay", "provider": "by Stripe's first charge", "customer": "by the customer",
    "exhausted": "not recovered", "escalated": "handed to a person", "reactivated": "back",
}  # fmt: skip
ORDER = ("recovered", "exhausted", "escalated", "written_off", "stopped", "reactivated", "lost", "open")


def payment_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield what became of refused charges, and of customers who were lost with them."""
    amount = say_amount(figures["recovered_minor"], CURRENCY)
    yield f"Unpaid invoices: {_counted(figures['dunning'])}. Recovered: {amount}."
    yield f"Attempts to charge them: {_counted(figures['attempts'])}."
    yield f"Customers to win back: {_counted(figures['win_back'])}; codes used: {figures['codes_redeemed']}."


def _counted(numbers: Mapping[str, int]) -> str:
    names = sorted(numbers, key=lambda name: (ORDER.index(name) if name in ORDER else 0, name))
    return ", ".join(f"{numbers[name]} {WORDS.get(name, name.replace('_', ' '))}" for name in names) or "none"
