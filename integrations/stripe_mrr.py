"""What a subscription at Stripe brings a month, item by item, net of the discounts that go on. Pure.

Discounts are taken off in Stripe's order: those of an item before those of its subscription, each from what
the one before has left (https://docs.stripe.com/api/subscription_items/object,
https://docs.stripe.com/billing/subscriptions/coupons). The formula is in docs/billing.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from integrations.stripe_shapes import LEGACY_TWO_DECIMALS, Body, currency_of

MONTHS = {"day": Decimal(12) / 365, "week": Decimal(12 * 7) / 365, "month": Decimal(1), "year": Decimal(12)}
PRECISION = 6
"""Decimal places of the share that discounts take off."""
IsRunning = Callable[[object], bool]
"""Tells whether a discount that ends at these seconds, or never, still runs."""


@dataclass(frozen=True)
class PricedItem:
    """One item of a subscription: what it costs, and what it brings a month in minor units."""

    body: Body
    price: Body
    currency: str
    months: Decimal
    """How many months one bill is for."""
    listed: Decimal
    """The monthly amount before discounts."""
    net: Decimal

    @property
    def mrr_minor(self) -> int:
        """The net amount in whole minor units, rounded half up once, at the end."""
        return int(self.net.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def discount(self) -> float | None:
        """The share that running discounts take off, None where there is none."""
        if self.net >= self.listed:
            return None
        return round(float(1 - self.net / self.listed), PRECISION)


def priced_items(subscription: Body, is_running: IsRunning) -> list[PricedItem]:
    """Return the items with their prices; a ValueError names the field that is wrong."""
    alone = {**subscription, "discounts": [], "discount": None}
    bodies = (subscription.get("items") or {}).get("data") or [alone]
    listed = [_listed(body, subscription) for body in bodies if _price(body)]
    items = [_after([one], _running(one.body, is_running))[0] for one in listed]
    return _after(items, _running(subscription, is_running))


def has_unread_discounts(subscription: Body) -> bool:
    """Tell whether discounts are only named: of those nobody can say from here what they take off."""
    bodies = [subscription, *((subscription.get("items") or {}).get("data") or [])]
    return any(_coupon(one) is None for body in bodies for one in _given(body))


def _given(body: Body) -> list[object]:
    """Return the discounts that a body names, as objects where it has them.

    Before 2025-03-31 the newest one is an object beside the list of their ids.
    """
    newest = body.get("discount")
    if not isinstance(newest, Mapping):
        return list(body.get("discounts") or [])
    several = [newest if one == newest.get("id") else one for one in body.get("discounts") or []]
    return several or [newest]


def _coupon(discount: object) -> Body | None:
    """Return the coupon of a discount in either shape, None where it is only named."""
    if not isinstance(discount, Mapping):
        return None
    found = discount.get("coupon") or (discount.get("source") or {}).get("coupon")
    return found if isinstance(found, Mapping) else None


def _running(body: Body, is_running: IsRunning) -> Iterator[Body]:
    """Yield the coupons that go on: not those for one bill, and not those that have ended."""
    for given in _given(body):
        coupon = _coupon(given)
        ends = given.get("end") if isinstance(given, Mapping) else None
        if coupon is not None and coupon.get("duration") != "once" and is_running(ends):
            yield coupon


def _after(items: Sequence[PricedItem], coupons: Iterable[Body]) -> list[PricedItem]:
    """Take discounts off several items; an amount is spread over them by what each still costs."""
    nets = [item.net for item in items]
    for coupon in coupons:
        percent = Decimal(str(coupon.get("percent_off") or 0)) / 100
        total = sum(nets, Decimal(0))
        nets = [
            max(net * (1 - percent) - (_amount(coupon, item) * net / total if total else 0), Decimal(0))
            for item, net in zip(items, nets, strict=True)
        ]
    return [replace(item, net=net) for item, net in zip(items, nets, strict=True)]


def _amount(coupon: Body, item: PricedItem) -> Decimal:
    """Return what an amount off each bill takes off a month; one in another currency does not apply."""
    if str(coupon.get("currency") or "").upper() != item.currency:
        return Decimal(0)
    return _minor(Decimal(str(coupon.get("amount_off") or 0)), item.currency) / item.months


def _price(item: Body) -> Body:
    price: Body = item.get("price") or item.get("plan") or {}
    return price


def _listed(item: Body, subscription: Body) -> PricedItem:
    price = _price(item)
    months = _months(price.get("recurring") or price)
    currency = currency_of(price if price.get("currency") else subscription)
    monthly = _monthly(price, item.get("quantity"), months, currency)
    return PricedItem(item, price, currency, months, monthly, monthly)


def _months(recurring: Body) -> Decimal:
    interval = str(recurring.get("interval") or "month")
    if interval not in MONTHS:
        message = f"price.recurring.interval: {interval!r} is not day, week, month or year"
        raise ValueError(message)
    return MONTHS[interval] * int(recurring.get("interval_count") or 1)


def _monthly(price: Body, quantity: object, months: Decimal, currency: str) -> Decimal:
    """Return the monthly amount in minor units; metered and tiered prices have none until they are billed."""
    amount = price.get("unit_amount_decimal") or price.get("amount_decimal")
    amount = amount if amount is not None else price.get("unit_amount", price.get("amount"))
    total = Decimal(str(amount or 0)) * int(str(quantity if quantity is not None else 1))
    return _minor(total, currency) / months


def _minor(amount: Decimal, currency: str) -> Decimal:
    return amount / 100 if currency in LEGACY_TWO_DECIMALS else amount
