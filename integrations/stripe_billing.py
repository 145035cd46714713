"""The port of a billing provider over Stripe's official client.

Every call that changes something carries the delivery id as Stripe's idempotency key, so that a repeat is the
same request. Stripe keeps keys for at least 24 hours; we count on one hour less.
"""

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

import stripe

from domain.billing import (
    DiscountOrder,
    DiscountReceipt,
    FinalAction,
    InvoiceEvidence,
    PaymentResult,
    RecoveryLink,
    Retries,
)
from domain.errors import EverstayError, PermanentProviderError, UncertainDeliveryError
from domain.time import BusinessInstant
from domain.timeline import Timeline
from integrations.stripe_calls import change, find, once, read
from integrations.stripe_check import StripeCheck
from integrations.stripe_discounts import StripeDiscounts
from integrations.stripe_errors import body_of, provider_error
from integrations.stripe_evidence import (
    InvoiceReading,
    attempt_since,
    evidence_of,
    refusal_of,
    result_of,
)
from integrations.stripe_facts import ENDED_BY_US
from integrations.stripe_http import PROVIDER, StripeAccount, StripeTransport, stripe_client
from integrations.stripe_links import StripeLinks
from integrations.stripe_reading import PAYMENTS, InvoiceReader
from integrations.stripe_shapes import Body, payments_of
from integrations.stripe_times import StripeTimes

CLOCKS_DIFFER = dt.timedelta(minutes=1)
"""How far Stripe's clock may be behind ours. Attempts at one invoice are hours apart."""
ENDED = frozenset({"canceled", "incomplete_expired"})
LONGEST_REASON = 500


class StripeBilling:
    """One account at Stripe."""

    name = "stripe"
    remembers_for = dt.timedelta(hours=23)

    def __init__(self, account: StripeAccount, timeline: Timeline, retries: Retries) -> None:
        """Take how the account is reached, how its instants map, and who retries."""
        # At INFO the client logs Stripe's messages, which can quote what a customer entered.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        self._transport = StripeTransport(account)
        client = stripe_client(account, self._transport)
        self._v1, self._times = client.v1, StripeTimes(timeline)
        self._invoices = InvoiceReader(client)
        self._discounts = StripeDiscounts(client, self._times)
        self._links = StripeLinks(client, self._times)
        self._check = StripeCheck(client, retries)

    async def close(self) -> None:
        """Give the connections back."""
        await self._transport.close_async()

    async def check(self) -> str:
        """Say what the key may read, and whether Stripe would retry where we are declared to."""
        return await self._check.sentence()

    async def invoice(self, key: str) -> InvoiceEvidence | None:
        """Read the invoice anew, with its payments, subscription and method."""
        found = await self._invoices.read(key)
        with _understanding(PermanentProviderError):
            return None if found is None else evidence_of(found, self._times.at)

    async def collect(self, invoice_key: str, delivery_id: str) -> PaymentResult:
        """Charge the invoice's own default method, else the subscription's, else the customer's.

        Whoever entered another card meant it for what they owe: their subscription has it from then on.
        """
        await self._follow_customer(invoice_key)
        order: Any = {"expand": [PAYMENTS]}
        try:
            answer = await self._v1.invoices.pay_async(invoice_key, order, once(delivery_id))
        except stripe.CardError as error:
            return refusal_of(body_of(error))
        except stripe.StripeError as error:
            return await self._unless_paid(invoice_key, provider_error(error, changes=True))
        with _understanding(UncertainDeliveryError):  # it was taken, whatever its answer means
            return result_of(_as_answered(answer.to_dict()), self._times.at)

    async def _follow_customer(self, invoice_key: str) -> None:
        found = await self._invoices.to_follow(invoice_key)
        if found is not None:
            subscription, card = found
            setting: Any = {"default_payment_method": card}
            await read(self._v1.subscriptions.update_async(subscription, setting))  # twice does no harm

    async def _unless_paid(self, invoice_key: str, error: EverstayError) -> PaymentResult:
        """Return that an invoice is paid, where that is why Stripe refused; raise everything else."""
        if isinstance(error, PermanentProviderError):
            found = await self._invoices.read(invoice_key)
            if found is not None and found.invoice.get("status") == "paid":
                with _understanding(PermanentProviderError):
                    return result_of(found, self._times.at)
        raise error

    async def find_collection(self, invoice_key: str, since: BusinessInstant) -> PaymentResult | None:
        """Look at the charges of the invoice since then, whoever made them."""
        found = await self._invoices.read(invoice_key)
        if found is None:
            return None
        with _understanding(PermanentProviderError):
            return attempt_since(found, BusinessInstant(since - CLOCKS_DIFFER), self._times.at)

    async def update_link(self, customer_key: str, return_url: str) -> RecoveryLink:
        """Return a session of the portal, or the page of an open invoice."""
        return await self._links.update(customer_key, return_url)

    async def end_subscription(self, key: str, action: FinalAction, delivery_id: str, reason: str) -> None:
        """Pause its collection, with invoices kept as drafts, or cancel it at once without a last invoice."""
        if action is FinalAction.KEEP:
            return
        try:
            await (self._pause if action is FinalAction.PAUSE else self._cancel)(key, delivery_id, reason)
        except PermanentProviderError:
            found = await find(self._v1.subscriptions.retrieve_async(key))
            if found is None or found.get("status") not in ENDED:
                raise

    async def _pause(self, key: str, delivery_id: str, reason: str) -> None:
        order: Any = {
            "pause_collection": {"behavior": "keep_as_draft"},
            "metadata": {"everstay_reason": reason[:LONGEST_REASON]},
        }
        await change(self._v1.subscriptions.update_async(key, order, once(delivery_id)))

    async def _cancel(self, key: str, delivery_id: str, reason: str) -> None:
        order: Any = {
            "cancellation_details": {"comment": (ENDED_BY_US + reason)[:LONGEST_REASON]},
            "invoice_now": False,
            "prorate": False,
        }
        await change(self._v1.subscriptions.cancel_async(key, order, once(delivery_id)))

    async def write_off(self, invoice_key: str, delivery_id: str) -> None:
        """Mark the invoice as uncollectible; one that is so already stays so."""
        try:
            await change(self._v1.invoices.mark_uncollectible_async(invoice_key, options=once(delivery_id)))
        except PermanentProviderError:
            found = await find(self._v1.invoices.retrieve_async(invoice_key))
            if found is None or found.get("status") != "uncollectible":
                raise

    async def grant(self, order: DiscountOrder) -> DiscountReceipt:
        """Make a coupon and a promotion code of the customer's own."""
        return await self._discounts.grant(order)

    async def find_grant(self, customer_key: str, delivery_id: str) -> DiscountReceipt | None:
        """Find the promotion code by the delivery id in its metadata."""
        return await self._discounts.find(customer_key, delivery_id)

    async def withdraw(self, receipt_key: str, delivery_id: str) -> None:
        """Switch the promotion code off."""
        await self._discounts.withdraw(receipt_key, delivery_id)

    async def reactivation_link(
        self,
        customer_key: str,
        subscription_key: str | None,
        discount: DiscountReceipt | None,
        return_url: str,
    ) -> RecoveryLink | None:
        """Return a checkout for what the customer had."""
        return await self._links.reactivation(customer_key, subscription_key, discount, return_url)


@contextlib.contextmanager
def _understanding(error: type[EverstayError]) -> Iterator[None]:
    """Have an answer that has another shape than expected end as one of our errors."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        reason = f"its answer has another shape than expected: {problem}"
        raise error(provider=PROVIDER, reason=reason) from problem


def _as_answered(invoice: Body) -> InvoiceReading:
    """Take only what the answer itself holds: a reading that failed now would hide that money has moved."""
    intents = [given for kind, given in payments_of(invoice) if kind == "payment_intent"]
    return InvoiceReading(invoice, intents=[intent for intent in intents if isinstance(intent, dict)])
