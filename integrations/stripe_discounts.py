"""Discounts at Stripe: a coupon, and a promotion code that one customer can use once."""

from typing import Any

import stripe

from domain.billing import DiscountOrder, DiscountReceipt
from integrations.stripe_calls import change, once, read
from integrations.stripe_shapes import Body, amount_of, rows_of
from integrations.stripe_times import StripeTimes

LONGEST_NAME = 40
LIMIT = 100
DELIVERY = "delivery_id"
"""The key of a promotion code's metadata under which we find it again."""


class StripeDiscounts:
    """Makes, finds and ends them.

    The coupon alone is worth nothing: customers enter codes, and only we know the coupon's id. So one that
    was left behind by an attempt that broke off does no harm.
    """

    def __init__(self, client: stripe.StripeClient, times: StripeTimes) -> None:
        """Take the client, and how expiries map."""
        self._v1, self._times = client.v1, times

    async def grant(self, order: DiscountOrder) -> DiscountReceipt:
        """Make coupon and code, each under a key of its own; a repeat within a day finds both."""
        coupon = await change(
            self._v1.coupons.create_async(self._coupon(order), once(f"{order.delivery_id}/coupon"))
        )
        code = await change(
            self._v1.promotion_codes.create_async(self._code(order, coupon), once(order.delivery_id))
        )
        return receipt_of(code)

    async def find(self, customer_key: str, delivery_id: str) -> DiscountReceipt | None:
        """Look through the customer's promotion codes, also those that no longer hold."""
        query: Any = {"customer": customer_key, "limit": LIMIT}
        while True:
            page = await read(self._v1.promotion_codes.list_async(query))
            codes = rows_of(page)
            for code in codes:
                if (code.get("metadata") or {}).get(DELIVERY) == delivery_id:
                    return receipt_of(code)
            if not codes or not page.get("has_more"):
                return None
            query |= {"starting_after": codes[-1]["id"]}

    async def withdraw(self, receipt_key: str, delivery_id: str) -> None:
        """Switch the code off; one that is off already stays so."""
        await change(self._v1.promotion_codes.update_async(receipt_key, {"active": False}, once(delivery_id)))

    def _coupon(self, order: DiscountOrder) -> Any:
        duration: dict[str, Any] = {"duration": "once"}
        if order.months is not None:
            duration = {"duration": "repeating", "duration_in_months": order.months}
        worth: dict[str, Any] = {"percent_off": order.percent}
        if order.amount_minor is not None:
            currency = order.currency.lower()
            worth = {"amount_off": amount_of(order.amount_minor, currency), "currency": currency}
        told = {"name": order.name[:LONGEST_NAME], "max_redemptions": 1, "metadata": _metadata(order)}
        expiry = {} if order.expires_at is None else {"redeem_by": self._times.seconds(order.expires_at)}
        return {**told, **duration, **worth, **expiry}

    def _code(self, order: DiscountOrder, coupon: Body) -> Any:
        told = {
            "promotion": {"type": "coupon", "coupon": coupon["id"]},
            "customer": order.customer_key,
            "max_redemptions": 1,
            "metadata": _metadata(order),
        }
        expiry = {} if order.expires_at is None else {"expires_at": self._times.seconds(order.expires_at)}
        return {**told, **expiry}


def receipt_of(code: Body) -> DiscountReceipt:
    """Return what a promotion code says of itself."""
    redeemed = int(code.get("times_redeemed") or 0) > 0
    return DiscountReceipt(key=str(code["id"]), code=str(code.get("code") or ""), is_redeemed=redeemed)


def _metadata(order: DiscountOrder) -> dict[str, str]:
    return {**order.metadata, DELIVERY: order.delivery_id}
