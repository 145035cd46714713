"""A billing provider in memory, speaking the port: cards that refuse, invoices, links and faults."""

import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from domain.billing import (
    Collection,
    Decline,
    DiscountOrder,
    DiscountReceipt,
    FinalAction,
    InvoiceEvidence,
    InvoiceStatus,
    PaymentMethod,
    PaymentResult,
    RecoveryLink,
)
from domain.errors import PermanentProviderError
from domain.time import BusinessInstant

VISA = PaymentMethod("card_1", "visa", "4242", "US")
OTHER = PaymentMethod("card_2", "mastercard", "4444", "US")
Fault = Callable[[], None]


@dataclass(frozen=True)
class Charged:
    """One charge that reached the provider."""

    delivery_id: str
    invoice: str
    card: str
    at: BusinessInstant
    result: PaymentResult


@dataclass
class MemoryBilling:
    """One account. `refusals` holds the codes with which each card refuses its next charges, in order."""

    now: Callable[[], BusinessInstant]
    name: str = "till"
    remembers_for: dt.timedelta = dt.timedelta(hours=23)
    invoices: dict[str, InvoiceEvidence] = field(default_factory=dict)
    refusals: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    """Codes with which a card refuses every charge."""
    charges: list[Charged] = field(default_factory=list)
    ended: list[tuple[str, FinalAction]] = field(default_factory=list)
    written_off: list[str] = field(default_factory=list)
    grants: dict[tuple[str, str], DiscountReceipt] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """What was asked for under each delivery id beside charges."""
    before: Fault | None = None
    """Raises once, before a charge is taken; `after`, when it has been."""
    after: Fault | None = None

    @asynccontextmanager
    async def open(self, _source_id: str) -> AsyncIterator["MemoryBilling"]:
        """Open the account, as workers do for each call."""
        yield self

    async def check(self) -> str:
        return "May do everything: it is a test."

    async def invoice(self, key: str) -> InvoiceEvidence | None:
        return self.invoices.get(key)

    async def collect(self, invoice_key: str, delivery_id: str) -> PaymentResult:
        _raise_once(self, "before")
        known = next((one for one in self.charges if one.delivery_id == delivery_id), None)
        result = known.result if known is not None else self._charge(invoice_key, delivery_id)
        _raise_once(self, "after")
        return result

    def _charge(self, key: str, delivery_id: str) -> PaymentResult:
        found = self.invoices[key]
        if found.status is not InvoiceStatus.OPEN or found.method is None:
            raise PermanentProviderError(provider=self.name, reason="there is nothing to charge")
        waiting = self.refusals.get(found.method.key, [])
        code = waiting.pop(0) if waiting else self.always.get(found.method.key)
        number = f"py_{len(self.charges) + 1}"
        if code is None:
            result = PaymentResult(
                succeeded=True, key=number, amount_minor=found.remaining_minor, at=self.now()
            )
            self.pay(key)
        else:
            result = PaymentResult(
                succeeded=False, key=number, decline=Decline(code, at=self.now()), at=self.now()
            )
        self.charges.append(Charged(delivery_id, key, found.method.key, self.now(), result))
        return result

    async def find_collection(self, invoice_key: str, since: BusinessInstant) -> PaymentResult | None:
        mine = [one for one in self.charges if one.invoice == invoice_key and one.at >= since]
        return mine[-1].result if mine else None

    async def update_link(self, customer_key: str, return_url: str) -> RecoveryLink:
        return RecoveryLink(f"https://till.example/card/{customer_key}?back={return_url}")

    async def end_subscription(self, key: str, action: FinalAction, delivery_id: str, reason: str) -> None:
        if delivery_id not in self.reasons:
            self.ended.append((key, action))
        self.reasons[delivery_id] = reason

    async def write_off(self, invoice_key: str, delivery_id: str) -> None:
        if delivery_id not in self.reasons:
            self.written_off.append(invoice_key)
        self.reasons[delivery_id] = "written off"
        self.change(invoice_key, status=InvoiceStatus.UNCOLLECTIBLE)

    async def grant(self, order: DiscountOrder) -> DiscountReceipt:
        receipt = DiscountReceipt(order.delivery_id, order.name)
        return self.grants.setdefault((order.customer_key, order.delivery_id), receipt)

    async def find_grant(self, customer_key: str, delivery_id: str) -> DiscountReceipt | None:
        return self.grants.get((customer_key, delivery_id))

    async def withdraw(self, receipt_key: str, delivery_id: str) -> None:
        self.reasons[delivery_id] = "withdrawn"
        self.grants = {name: one for name, one in self.grants.items() if one.key != receipt_key}

    async def reactivation_link(
        self,
        customer_key: str,
        subscription_key: str | None,
        discount: DiscountReceipt | None,
        return_url: str,
    ) -> RecoveryLink | None:
        code = discount.code if discount is not None else ""
        again = f"{customer_key}/{subscription_key}?code={code}&back={return_url}"
        return RecoveryLink(f"https://till.example/again/{again}")

    def owe(self, key: str = "in_1", **values: object) -> InvoiceEvidence:
        """Issue an invoice whose first charge was refused, unless the values say otherwise."""
        now = self.now()
        plain = InvoiceEvidence(
            key, "cus_1", InvoiceStatus.OPEN, Collection.CHARGE, "USD", 120_50, 0, 120_50, now, now,
            subscription_key="sub_1", subscription_status="past_due", attempts=1, method=VISA,
            decline=Decline("insufficient_funds", at=now), pay_url=f"https://till.example/pay/{key}",
        )  # fmt: skip
        self.invoices[key] = replace(plain, **values)  # type: ignore[arg-type]  # values are the test's
        return self.invoices[key]

    def change(self, key: str, **values: object) -> None:
        """Let something happen to an invoice at the provider."""
        self.invoices[key] = replace(self.invoices[key], **values)  # type: ignore[arg-type]  # values are the test's

    def pay(self, key: str, amount: int | None = None) -> None:
        """Have an invoice paid, in whole or in part."""
        found = self.invoices[key]
        paid = found.remaining_minor if amount is None else amount
        left = found.remaining_minor - paid
        status = InvoiceStatus.PAID if left == 0 else found.status
        self.change(key, paid_minor=found.paid_minor + paid, remaining_minor=left, status=status)


def _raise_once(till: MemoryBilling, when: str) -> None:
    fault = getattr(till, when)
    if fault is not None:
        setattr(till, when, None)
        fault()
